"""All that can be done by a key or from the command palette: what the docks offer, and what belongs to the window."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from napari_synth.core.errors import unknown_name
from napari_synth.ui.column.cheat_sheet import show_cheat_sheet
from napari_synth.ui.column.recipe_box import layer_with_recipe, recipe_box
from napari_synth.ui.context.notes import Note, problems_said
from napari_synth.ui.docks.dock import Command, Dock
from napari_synth.ui.docks.registry import DOCKS
from napari_synth.ui.docks.synthesize.actions import SynthesizeActions
from napari_synth.ui.napari_bridge.window import open_column, window_of

if TYPE_CHECKING:
    from napari_synth.ui.session import Session


@dataclass(frozen=True)
class Entry:
    """A command and where it belongs.

    Attributes
    ----------
    command : Command
    group : str
        Title of its dock, or of the window.
    run : callable
        Called with the session.
    """

    command: Command
    group: str
    run: Callable[[Session], object]


def commands() -> dict[str, Entry]:
    """All commands by their keys, in the order of the cheat-sheet."""
    found = [_of_dock(dock, command) for dock in DOCKS.values() for command in dock.commands]
    found += [Entry(command, WINDOW, command.run) for command in (*_openers(), *OF_WINDOW)]
    return {entry.command.key: entry for entry in found}


def run_command(key: str, session: Session) -> None:
    """Do what a command of this key does."""
    known = commands()
    if key not in known:
        raise unknown_name("command", key, list(known))
    known[key].run(session)


def _of_dock(dock: Dock, command: Command) -> Entry:
    def run(session: Session) -> object:
        return command.run(session.docks[dock.key])

    return Entry(command, dock.title, run)


def _openers() -> list[Command]:
    return [Command(f"open_{key}", f"Open {dock.title}", partial(open_dock, key)) for key, dock in DOCKS.items()]


def open_dock(key: str, session: Session) -> None:
    """Open the column at a dock."""
    column = session.context.column
    if DOCKS[key].area == "section":
        column.open_section(key)
    else:
        column.open_tab(key)
    open_column(session.context.viewer)


def _keys(session: Session) -> None:
    entries = [(entry.group, entry.command.shortcut, entry.command.title) for entry in commands().values()]
    show_cheat_sheet(session.context.viewer, [entry for entry in entries if entry[1]])


def _recipe(session: Session) -> None:
    context = session.context
    layer = layer_with_recipe(context)
    if layer is None:
        session.actions(SynthesizeActions).say(NO_RECIPE)
        return
    with problems_said(session.actions(SynthesizeActions).say):
        recipe_box(window_of(context.viewer), layer).show()


def _tour(session: Session) -> None:
    session.context.column.tour = 0
    open_column(session.context.viewer)


WINDOW = "Window"
NO_RECIPE = Note("problem", "There is no rendered image to show the recipe of.", "Press Render.")
OF_WINDOW = (
    Command("recipe", "Show the recipe of the image", _recipe),
    Command("keys", "Show all keys", _keys, "?"),
    Command("tour", "Tour", _tour),
)
