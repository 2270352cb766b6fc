"""Loops as machine code, kept on the disk where there is a place for it."""

from __future__ import annotations

import os
import stat
import tempfile
import warnings
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numba
from numba import njit

OPTIONS: dict[str, Any] = {
    "nogil": True,
    "error_model": "numpy",
    "fastmath": {"reassoc", "contract", "nsz", "arcp"},
}


def native(function: Callable[..., Any]) -> Any:
    """Compile a function at its first call.

    Kept beside the program or in the user's cache; else, as where the program is shared and there is no
    home, in the folder for temporary files; else compiled anew in each process.
    """
    try:
        return njit(cache=True, **OPTIONS)(function)
    except RuntimeError:  # numba finds no place that it can write to
        pass
    folder = temporary_cache()
    if folder is not None:
        config: Any = numba.config
        before, config.CACHE_DIR = config.CACHE_DIR, str(folder)
        try:
            return njit(cache=True, **OPTIONS)(function)
        except (RuntimeError, OSError):
            pass
        finally:
            config.CACHE_DIR = before
    remark("There is no place to keep compiled loops, so each start compiles them again (some seconds).")
    return njit(**OPTIONS)(function)


@cache
def temporary_cache() -> Path | None:
    """A folder that this user alone may write to: what lies in it is run."""
    user = os.getuid() if hasattr(os, "getuid") else 0
    folder = Path(tempfile.gettempdir()) / f"napari-synth-{user}"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
    except OSError:
        return None
    alone = stat.S_ISDIR(found.st_mode) and (os.name != "posix" or (found.st_uid == user and not found.st_mode & 0o077))
    return folder if alone else None


@cache
def remark(text: str) -> None:
    """Say once what is slower than it could be."""
    warnings.warn(f"{text} Set NUMBA_CACHE_DIR to a folder that can be written to.", stacklevel=2)
