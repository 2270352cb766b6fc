"""How long the window's thread is away from its events, and what it does meanwhile."""

from __future__ import annotations

import gc
import os
import sys
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import numpy as np
from qtpy.QtCore import Qt, QTimer

BEAT_MS = 5
LONG_MS = 50
LOOK_MS = 8
GARBAGE_MS = 10
"""A shorter look for garbage is not named."""
SCHEDULER = Path(f"/proc/self/task/{os.getpid()}/schedstat")
"""Of the main thread, on Linux: nanoseconds on a core, and waiting for one."""
OWN, AROUND = "napari_synth", ("napari", "vispy")
COLUMNS = (
    "what",
    "median",
    "p99",
    "longest",
    "most on a core",
    "most waiting for one",
    f"over {LONG_MS} ms",
    "where most of these were",
)
"""Milliseconds of the gaps, by the clock in the first three."""


@dataclass(frozen=True)
class Gap:
    """From one beat to the next.

    Attributes
    ----------
    clock, processor, queued : float
        Milliseconds in all, on a core, and waiting for a core that others had (0 where the system does not tell).
    doing : str
        Of a long one: where the thread was seen most often.
    """

    clock: float
    processor: float
    queued: float
    doing: str = ""


class HeartBeat:
    """Gaps of the main thread; create and start it there, and stop it.

    Attributes
    ----------
    gaps : list of Gap
    """

    def __init__(self) -> None:
        self.gaps: list[Gap] = []
        self._timer = QTimer(interval=BEAT_MS, timerType=Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._beat)
        self._last = _clocks()
        self._seen: Counter[str] = Counter()
        self._looks_since = 0.0
        self._running = False

    def start(self) -> None:
        gc.callbacks.append(self._on_garbage)
        self._running = True
        threading.Thread(target=self._watch, daemon=True).start()
        self._last = _clocks()
        self._timer.start()

    def stop(self) -> list[Gap]:
        """All gaps."""
        self._timer.stop()
        self._running = False
        gc.callbacks.remove(self._on_garbage)
        return self.gaps

    def _beat(self) -> None:
        now = _clocks()
        clock, processor, queued = (1000 * (b - a) for a, b in zip(self._last, now, strict=True))
        seen, self._seen, self._last = self._seen, Counter(), now
        doing = seen.most_common(1)[0][0] if clock > LONG_MS and seen else ""
        self.gaps.append(Gap(clock, processor, queued, doing))

    def _on_garbage(self, phase: str, _: object) -> None:
        """Python stands still while one of its threads looks for garbage."""
        if phase == "start":
            self._looks_since = time.perf_counter()
            return
        ms = 1000 * (time.perf_counter() - self._looks_since)
        if ms > GARBAGE_MS:
            self._seen[f"Python looks for garbage in {threading.current_thread().name}"] += round(ms / LOOK_MS)

    def _watch(self) -> None:
        main = threading.main_thread().ident
        while self._running:
            time.sleep(LOOK_MS / 1000)
            if time.perf_counter() - self._last[0] > LOOK_MS / 1000:
                gc.disable()  # parts of Qt among the garbage must not be deleted in this thread
                self._seen[place(sys._current_frames().get(main))] += 1
                gc.enable()


def place(frame: FrameType | None) -> str:
    """Where a thread is: the innermost function of the plugin, or else of napari, or else of anything."""
    frames = []
    while frame is not None:
        frames.append((frame.f_globals.get("__name__", ""), frame.f_code.co_name))
        frame = frame.f_back
    for packages in ((OWN,), AROUND):
        found = [f"{module}.{name}" for module, name in frames if module.split(".")[0] in packages]
        if found:
            return found[0]
    return ".".join(frames[0]) if frames else ""


def table_row(name: str, gaps: list[Gap]) -> str:
    """One line of the table; between two events alone lie some milliseconds."""
    clocks = np.array([gap.clock for gap in gaps])
    long = [gap for gap in gaps if gap.clock > LONG_MS]
    places = Counter(gap.doing for gap in long).most_common(2)
    cells = [
        f"{np.median(clocks):.0f}",
        f"{np.percentile(clocks, 99):.0f}",
        f"{clocks.max():.0f}",
        f"{max(gap.processor for gap in gaps):.0f}",
        f"{max(gap.queued for gap in gaps):.0f}",
        str(len(long)),
        ", ".join(f"{where} ({count})" for where, count in places if where),
    ]
    return table_line((name, *cells))


def table_line(cells: Sequence[str]) -> str:
    """A line of Markdown."""
    return f"| {' | '.join(cells)} |"


def table_head() -> str:
    """The head of the table."""
    return "\n".join(table_line(cells) for cells in (COLUMNS, ["---"] * len(COLUMNS)))


def _clocks() -> tuple[float, float, float]:
    """Seconds: wall, main thread on a core, main thread waiting for one."""
    queued = int(SCHEDULER.read_text().split()[1]) / 1e9 if SCHEDULER.exists() else 0.0
    return time.perf_counter(), time.thread_time(), queued
