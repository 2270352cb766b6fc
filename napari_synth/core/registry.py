"""Things found by name: architectures, formats, samplers, metrics."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NoReturn, TypeVar

from napari_synth.core.errors import unknown_name

Entry = TypeVar("Entry")


class Registry(dict[str, Entry]):
    """Entries by name, in the order in which they are shown.

    A name that is not there raises `InputError` with all that are.

    Parameters
    ----------
    what : str
        What an entry is, for that sentence.
    entries : mapping
    """

    def __init__(self, what: str, entries: Mapping[str, Entry]):
        super().__init__(entries)
        self.what = what

    def __missing__(self, name: str) -> NoReturn:
        raise unknown_name(self.what, name, list(self))

    def register(self, name: str, entry: Entry) -> None:
        """Add an entry.

        Raises
        ------
        ValueError
            If the name is taken.
        """
        if name in self:
            raise ValueError(f"there is a {self.what} called {name!r} already")
        self[name] = entry

    @property
    def choices(self) -> str:
        """All names as text, such as ``a, b or c``."""
        *others, last = self or ("none",)
        return f"{', '.join(others)} or {last}" if others else last
