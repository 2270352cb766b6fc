"""How many threads a render gets.

Between the many short parts of a small image, threads that have nothing to do spin: two of them take fifteen
times the processor time of one, and longer.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

import torch

SMALL = 128 * 128
"""Pixels up to which one thread renders on the CPU. The image is the same on any number."""


class _Reduced:
    """How many renders take one thread now, and how many threads there are else.

    torch keeps the number per thread, but a thread that computes for the first time takes that of another;
    so a render which is to have all of them says so while there are small ones beside it.
    """

    def __init__(self) -> None:
        self.renders = 0
        self.usual = 0
        self.lock = Lock()

    def begin(self) -> None:
        with self.lock:
            if not self.renders:
                self.usual = torch.get_num_threads()
            self.renders += 1
            torch.set_num_threads(1)

    def end(self) -> None:
        with self.lock:
            self.renders -= 1
            torch.set_num_threads(self.usual)

    def others(self) -> None:
        with self.lock:
            if self.renders:
                torch.set_num_threads(self.usual)


_reduced = _Reduced()


@contextmanager
def threads_for(pixels: int, device: torch.device) -> Iterator[None]:
    """One thread for a small image on the CPU, all of them for a larger one."""
    if device.type != "cpu" or pixels > SMALL:
        _reduced.others()
        yield
        return
    _reduced.begin()
    try:
        yield
    finally:
        _reduced.end()
