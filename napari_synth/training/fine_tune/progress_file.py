"""What a fine-tuning in a process of its own says, for whoever watches it: a file of lines of JSON."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any


class ProgressFile:
    """Appends a line for each event, in one write: a reader sees whole lines, and a killed process leaves them.

    A disk that takes no line does not end the run; its checkpoint would say so.

    Parameters
    ----------
    path : Path
    """

    def __init__(self, path: Path):
        self.path = path

    def say(self, event: str, **values: Any) -> None:
        """Add a line: the event, the time in seconds since 1970, and values that JSON can hold."""
        line = json.dumps({"event": event, "time": round(time.time(), 2), **values}) + "\n"
        with suppress(OSError):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            number = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o666)
            try:
                end = os.lseek(number, 0, os.SEEK_END)
                torn = end > 0 and os.pread(number, 1, end - 1) != b"\n" if hasattr(os, "pread") else False
                os.write(number, ("\n" * torn + line).encode())
            finally:
                os.close(number)


class ProgressReader:
    """Reads a progress file while it grows: each call brings what is new, and takes no long time.

    Parameters
    ----------
    path : Path
    """

    AT_ONCE = 1 << 18
    """Bytes that a call reads at most."""

    def __init__(self, path: Path):
        self.path = path
        self._end = 0
        self._rest = b""

    def new(self) -> tuple[bool, list[dict[str, Any]]]:
        """Whether the file was begun anew since the last call, and the events after those already told."""
        try:
            with self.path.open("rb") as file:
                anew = file.seek(0, os.SEEK_END) < self._end
                if anew:
                    self._end, self._rest = 0, b""
                file.seek(self._end)
                found = file.read(self.AT_ONCE)
        except OSError:
            return False, []
        self._end += len(found)
        *lines, self._rest = (self._rest + found).split(b"\n")
        return anew, _events(line.decode("utf-8", "replace") for line in lines)


def read_progress(path: Path) -> list[dict[str, Any]]:
    """The events in a file, in their order; none where there is no file. Lines that are not whole are left out."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    return _events(text.splitlines())


def _events(lines: Iterable[str]) -> list[dict[str, Any]]:
    events = []
    for line in lines:
        with suppress(ValueError):
            event = json.loads(line)
            if isinstance(event, dict) and "event" in event:
                events.append(event)
    return events
