"""What the window says, one message per dock. Knows no widget."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

from psygnal import Signal

from napari_synth.core.errors import Cancelled, SynthError

OPTION = re.compile(r" \(--[\w-]+\)")
"""An option of the command line beside what it does."""


@dataclass(frozen=True)
class Note:
    """One message of a dock.

    Attributes
    ----------
    kind : {'hint', 'done', 'stopped', 'problem'}
    text : str
        One sentence: what happened.
    action : str
        One sentence: what to do next.
    details : str
        For a report: the traceback.
    """

    kind: Literal["hint", "done", "stopped", "problem"]
    text: str
    action: str = ""
    details: str = ""

    @classmethod
    def of(cls, error: SynthError, details: str = "") -> Note:
        """The message of an error, without options of the command line."""
        kind: Literal["stopped", "problem"] = "stopped" if isinstance(error, Cancelled) else "problem"
        return cls(kind, OPTION.sub("", error.problem), OPTION.sub("", error.action), details)


NOTHING = Note("hint", "")


class Notes:
    """The last message of each dock, by the key of the dock."""

    changed = Signal(str)
    """The key of the dock that has another message."""

    def __init__(self) -> None:
        self._notes: dict[str, Note] = {}

    def __getitem__(self, dock: str) -> Note:
        return self._notes.get(dock, NOTHING)

    def say(self, dock: str, note: Note) -> None:
        """Show a message in a dock."""
        self._notes[dock] = note
        self.changed.emit(dock)


@contextmanager
def problems_said(say: Callable[[Note], object]) -> Iterator[None]:
    """What goes wrong inside becomes a message."""
    try:
        yield
    except SynthError as error:
        say(Note.of(error))
