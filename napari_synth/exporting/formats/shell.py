"""Paths in commands that are shown."""

from __future__ import annotations

import shlex
from pathlib import Path


def quoted(path: Path) -> str:
    """An absolute path as a terminal takes it: programs that train are started from anywhere."""
    return shlex.quote(str(path.resolve()))


def command(*parts: str) -> str:
    """The parts of a command on lines of their own."""
    return " \\\n    ".join(parts)
