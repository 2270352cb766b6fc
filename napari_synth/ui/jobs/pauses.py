"""The pauses that Python makes by itself, kept short, for nothing is painted meanwhile.

A full look for garbage goes through all that lives: with napari and torch that is half a million objects and some
tenths of a second, and loading torch brings several. And while one thread loads modules, another that gave Python away
to draw gets it back after a whole turn of the first, 5 ms as Python has it, at each of many calls.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager

TURN_S = 0.001
LARGE = "torch"
"""What loads hundreds of modules."""
MANY = 100
"""Modules that are worth to be kept out of further looks."""


def short_turns() -> None:
    """Let a thread that waits for Python have it soon."""
    sys.setswitchinterval(min(sys.getswitchinterval(), TURN_S))


@contextmanager
def short_looks() -> Iterator[None]:
    """Let looks pass over what lives before modules are loaded, and over what they bring, until `look_again`."""
    before = len(sys.modules)
    if LARGE not in sys.modules:
        gc.freeze()
    try:
        yield
    finally:
        if len(sys.modules) - before >= MANY:
            gc.freeze()


def look_again() -> None:
    """Something large was let go, such as a layer: the next full look goes through everything."""
    gc.unfreeze()
