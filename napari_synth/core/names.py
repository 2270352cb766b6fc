"""Names that strangers chose and that become part of file names, and paths that a file of theirs asks for."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator

from napari_synth.core.errors import InputError

FORBIDDEN = '/\\:*?"<>|'
"""What part of a file name must not hold on one system or another."""
LONGEST_FILE_NAME = 255
"""Bytes of a name on every usual disk."""
LONGEST_NAME = 100
"""Bytes of what becomes part of a file name."""
LONGEST_PATH = 4096


def checked_name(name: str) -> str:
    """A name that can be part of a file name on every system.

    Raises
    ------
    ValueError
        If it holds a separator, a control character or text that no file name can hold, or is too long.
    """
    if any(character in FORBIDDEN or not character.isprintable() for character in name) or name in (".", ".."):
        raise ValueError(f"a name becomes part of a file name and must not be . or .. or hold any of {FORBIDDEN}")
    if len(name.encode("utf-8")) > LONGEST_NAME:
        raise ValueError(f"a name becomes part of a file name and may have {LONGEST_NAME} bytes")
    return name


def checked_path(path: str) -> str:
    """A path that a system call can be given, there or not.

    Raises
    ------
    ValueError
        If it holds NUL, is no text in UTF-8, or is longer than a disk takes.
    """
    if "\0" in path:
        raise ValueError("it holds the character NUL")
    try:
        parts = path.encode().split(os.sep.encode())
    except UnicodeEncodeError as error:
        raise ValueError("it is not text in UTF-8") from error
    if len(path.encode()) > LONGEST_PATH or max(map(len, parts)) > LONGEST_FILE_NAME:
        raise ValueError(f"it is too long: a name may have {LONGEST_FILE_NAME} bytes, a path {LONGEST_PATH}")
    return path


FileName = Annotated[str, AfterValidator(checked_name)]
"""Part of a file name, in a record from a file."""
FilePath = Annotated[str, AfterValidator(checked_path)]
"""A path, in a record from a file."""


def check_inside(folder: Path, path: Path) -> Path:
    """A path to write to or to remove, which must lie in ``folder`` when all ``..`` are followed.

    Raises
    ------
    InputError
        If it lies elsewhere.
    """
    root, place = os.path.abspath(folder), os.path.abspath(path)
    if os.path.commonpath([root, place]) != root or place == root:
        raise InputError(f"{path.name} would not lie in the folder {folder}.", "Use another name for the option.")
    return path
