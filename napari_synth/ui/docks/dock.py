"""A dock: the record it is known by, and what the actions of all docks share."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar

from napari_synth.ui.context.notes import Note
from napari_synth.ui.jobs.delivery import Jobs

if TYPE_CHECKING:
    from napari_synth.ui.context.context import Context
    from napari_synth.ui.widgets.panel import Panel


class DockActions:
    """Base of the actions of a dock. They know the context, no widget and no other dock.

    Attributes
    ----------
    key : str
        Of the dock.
    hint : Note
        The first message of the dock.
    context : Context
    jobs : Jobs
        The work that the job bar of the dock shows.
    """

    key: ClassVar[str]
    hint: ClassVar[Note] = Note("hint", "")

    def __init__(self, context: Context):
        self.context = context
        self.jobs = Jobs(context, self.say)
        if self.hint.text:
            self.say(self.hint)

    @property
    def note(self) -> Note:
        """The last message of the dock."""
        return self.context.notes[self.key]

    def say(self, note: Note) -> None:
        """Show a message in the dock."""
        self.context.notes.say(self.key, note)

    def close(self) -> None:
        """Stop all jobs; what they finished is kept."""
        self.jobs.close()


@dataclass(frozen=True)
class Dock:
    """What is known of a dock before it is opened.

    Attributes
    ----------
    key : str
        Its name in the program.
    title : str
        What napari's menus call it.
    actions : str
        ``module:Class`` of its `DockActions`, made once per viewer with the context.
    panel : str
        ``module:Class`` of its widget, made with the actions each time it is opened.
    first : bool
        Whether it is open when the program starts.
    """

    key: str
    title: str
    actions: str
    panel: str
    first: bool = False

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
