"""Progress with a known end, and a cancel token, for every long call."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from napari_synth.core.errors import Cancelled


@dataclass(frozen=True)
class Progress:
    """How far a job is: ``done`` of ``total`` items, and what it does now.

    ``seconds`` count from the start of this job, which may have found ``found`` items done before.
    """

    done: int
    total: int
    message: str = ""
    seconds: float = 0.0
    found: int = 0

    @property
    def fraction(self) -> float:
        return self.done / self.total if self.total else 1.0

    @property
    def rate(self) -> float:
        """Items per second so far; 0 before the first is done."""
        return (self.done - self.found) / self.seconds if self.seconds > 0 else 0.0


OnProgress = Callable[[Progress], None]


def ignore_progress(progress: Progress) -> None:
    """Listener for callers that do not watch."""


class CancelToken:
    """Set from any thread; the job asks between two items."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def cancel(self) -> None:
        self._event.set()

    @property
    def cancelled(self) -> bool:
        return self._event.is_set()

    def raise_if_cancelled(self) -> None:
        """Raise `Cancelled` once `cancel` was called."""
        if self.cancelled:
            raise Cancelled


class Stopwatch:
    """Reports progress of one job with the seconds since it began."""

    def __init__(self, total: int, on_progress: OnProgress, found: int = 0):
        self._start = time.perf_counter()
        self._total = total
        self._on_progress = on_progress
        self._found = found

    @property
    def seconds(self) -> float:
        return time.perf_counter() - self._start

    def report(self, done: int, message: str = "") -> None:
        self._on_progress(Progress(done, self._total, message, self.seconds, self._found))
