"""Memory that was freed is kept for the next image."""

from __future__ import annotations

import ctypes
import sys
from contextlib import suppress

KEPT = 256 * 2**20
"""Bytes at the end of the heap that stay, and up to which a piece is taken from the heap."""
TRIM_THRESHOLD, MMAP_THRESHOLD, ARENA_MAX = -1, -3, -8
"""Of ``mallopt``, as glibc numbers them."""


def keep_freed_memory() -> None:
    """Let the C library keep memory that networks free and take again; on Linux with glibc only.

    Each layer of a network takes some ten megabytes and frees others. By itself glibc gives them back, and the system
    hands them out again page by page, filled with zeros. All threads share what is kept: call it before they begin, so
    it is for whole programs, not for a plugin in a window that is open already.
    """
    if sys.platform == "linux":
        with suppress(AttributeError, OSError):
            mallopt = ctypes.CDLL(None).mallopt
            for option, value in ((TRIM_THRESHOLD, KEPT), (MMAP_THRESHOLD, KEPT), (ARENA_MAX, 1)):
                mallopt(option, value)
