"""What comes in on the command line is looked at once, here."""

from __future__ import annotations

import functools
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from napari_synth.core.errors import InputError
from napari_synth.core.files import user_path


def check_arguments(arguments: Sequence[str]) -> None:
    """Raise `InputError` for an argument that is empty or is no text."""
    for argument in arguments:
        if not argument or re.fullmatch(r"--[\w-]+=", argument):
            raise InputError("An argument is empty.", "Give a name or a number, or leave the option out.")
        try:
            argument.encode()
        except UnicodeEncodeError as error:
            raise InputError(
                f"The argument {argument!a} is not text in UTF-8.", "Rename the file or folder."
            ) from error


def check_streams() -> None:
    """Let letters that the terminal does not know become question marks."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace")


def with_paths(command: Callable[..., None]) -> Callable[..., None]:
    """A command whose paths are those of a user; see `core.files.user_path`."""

    @functools.wraps(command)
    def checked(**values: Any) -> None:
        command(**{name: _checked(value) for name, value in values.items()})

    return checked


def _checked(value: Any) -> Any:
    if isinstance(value, Path):
        return user_path(value)
    if isinstance(value, list):
        return [_checked(one) for one in value]
    return value
