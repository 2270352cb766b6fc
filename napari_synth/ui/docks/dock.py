"""A dock: the record it is known by, and what the actions of all docks share."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from psygnal import Signal

from napari_synth.ui.context.notes import Note
from napari_synth.ui.jobs.delivery import Jobs

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_synth.ui.context.context import Context
    from napari_synth.ui.widgets.panel import Panel


@dataclass(frozen=True)
class Command:
    """Something a person can do by a key or in the command palette, without looking for its button.

    Attributes
    ----------
    key : str
        Its name in the program; in napari.yaml it is ``napari-synth.`` and this.
    title : str
        What it does, in the words of the palette.
    run : callable
        Called with the actions of the dock.
    shortcut : str
        As Qt writes it, such as ``Ctrl+Return``; empty: none.
    """

    key: str
    title: str
    run: Callable[[Any], object]
    shortcut: str = ""


class DockActions:
    """Base of the actions of a dock. They know the context, no widget and no other dock.

    Attributes
    ----------
    key : str
        Of the dock.
    hint : Note
        The first message of the dock.
    commands : tuple of Command
        What can be done by a key or from the palette.
    context : Context
    jobs : Jobs
        The work that the job bar of the dock shows.
    """

    key: ClassVar[str]
    hint: ClassVar[Note] = Note("hint", "")
    commands: ClassVar[tuple[Command, ...]] = ()
    headline_changed = Signal()
    """The state of the dock in words is another."""

    def __init__(self, context: Context):
        self.context = context
        self.jobs = Jobs(context, self.say)
        for signal in (context.masks.changed, context.masks.current_changed, context.look.events.model):
            signal.connect(self._on_another_situation)
        self._advised = self.next_step
        if self._advised.text:
            self.say(self._advised)

    @property
    def headline(self) -> str:
        """The state of the dock in a few words, such as ``16 nuclei``; what its header says. Quick to tell."""
        return ""

    @property
    def note(self) -> Note:
        """The last message of the dock."""
        return self.context.notes[self.key]

    def say(self, note: Note) -> None:
        """Show a message in the dock."""
        self.context.notes.say(self.key, note)

    @property
    def next_step(self) -> Note:
        """The one thing to do next, as things are now; the context is all that it asks."""
        return self.hint

    def close(self) -> None:
        """Stop all jobs; what they finished is kept."""
        self.jobs.close()

    def _on_another_situation(self) -> None:
        """What was said of another mask or model no longer helps; a hint on what is being done still does."""
        before, self._advised = self._advised, self.next_step
        outdated = self.note.kind != "hint" or self.note == before
        if outdated and self.note != self._advised and not self.jobs.lane.state.running:
            self.say(self._advised)


@dataclass(frozen=True)
class Dock:
    """What is known of a dock before it is opened.

    Attributes
    ----------
    key : str
        Its name in the program.
    title : str
        What its header or its tab says.
    area : {'section', 'tab'}
        A step from mask to export, or something beside it that is opened and closed as a tab of the column.
    tip : str
        What it is for.
    actions : str
        ``module:Class`` of its `DockActions`, made once per viewer with the context.
    panel : str
        ``module:Class`` of its widget, made with the actions each time it is opened.
    """

    key: str
    title: str
    area: Literal["section", "tab"]
    tip: str
    actions: str
    panel: str

    @property
    def commands(self) -> tuple[Command, ...]:
        """What can be done in it by a key or from the palette."""
        commands: tuple[Command, ...] = _named(self.actions).commands
        return commands

    def make_actions(self, context: Context) -> DockActions:
        """The actions for one viewer."""
        actions: DockActions = _named(self.actions)(context)
        return actions

    def make_panel(self, actions: DockActions) -> Panel:
        """The widget."""
        panel: Panel = _named(self.panel)(actions)
        return panel


def _named(name: str) -> Any:
    module, _, attribute = name.partition(":")
    return getattr(import_module(module), attribute)
