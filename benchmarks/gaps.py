"""How long the window does not answer while somebody paints: ``xvfb-run -a python -m benchmarks.gaps``.

Strokes are painted with the mouse into a mask whose image follows; each begins while the thumbnails of the Look section
are being rendered anew after the one before. A heart-beat in the window's thread finds its gaps, by the clock and by
the processor time of that thread alone: other programs lengthen the first. The first stroke, at which napari
translates its shaders, is not counted.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from typing import Any

import numpy as np
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

from benchmarks.models import enlarged
from benchmarks.timing import line
from napari_synth.models.defaults import DEFAULT_GENERATOR
from napari_synth.ui.docks.synthesize.actions import SynthesizeActions
from napari_synth.ui.napari_bridge.preferences import Preferences
from napari_synth.ui.napari_bridge.window import canvas_widget, main_window, open_column
from napari_synth.ui.samples import nuclei_256
from napari_synth.ui.session import Session
from tests.e2e.hands import HeartBeat, on_canvas

SIZES = (512, 1024)
BRUSH = 16
MOVES = 30
MOVE_MS = 16
REST_MS = 20
PATIENCE_MS = 300_000
LOOK = "synthesize"


@dataclass(frozen=True)
class Gaps:
    """Gaps in milliseconds, by the clock and by the processor time of the window's thread.

    Attributes
    ----------
    clock, processor : ndarray, shape (beat,)
    thumbnails : int
        Strokes that began while thumbnails were being rendered.
    updates : int
        Times that the image followed.
    """

    clock: np.ndarray
    processor: np.ndarray
    thumbnails: int
    updates: int


def paint(viewer: Any, size: int, strokes: int) -> Gaps:
    """Paint into a mask of this side in a viewer that is shown; the gaps meanwhile."""
    main_window(viewer).resize(1500, 950)
    session = Session(viewer, preferences=lambda: Preferences(budget_ms=60_000))
    session.context.column.tour = -1
    open_column(viewer)
    session.context.column.open_section(LOOK)
    synthesize = session.actions(SynthesizeActions)
    (labels, *_), *_ = nuclei_256()
    mask = viewer.add_labels(np.array(enlarged(labels, size)), name="mask")
    session.context.choose_model(DEFAULT_GENERATOR)
    session.context.look.device = "cpu"
    mask.mode, mask.brush_size = "paint", BRUSH
    viewer.fit_to_view()
    synthesize.following.switch(True)
    _rest_until(lambda: not synthesize.jobs.lane.state.running and not synthesize.thumbnails.busy)
    _stroke(viewer, mask, size, 0)
    _rest_until(lambda: synthesize.thumbnails.rendering)
    beat, beside = HeartBeat(), 0
    beat.start()
    for number in range(1, strokes + 1):
        mask.selected_label = 60_000 + number
        beside += synthesize.thumbnails.rendering
        _stroke(viewer, mask, size, number)
        _rest_until(lambda: synthesize.thumbnails.rendering)
    gaps = np.array(beat.gaps)
    updates = len(synthesize.following.milliseconds)
    synthesize.thumbnails.pause()
    _rest_until(lambda: not synthesize.jobs.lane.state.running and not synthesize.following.busy)
    return Gaps(gaps[:, 0], gaps[:, 1], beside, updates)


def _stroke(viewer: Any, mask: Any, size: int, number: int) -> None:
    """From left to right, each below the one before."""
    native, row = canvas_widget(viewer), size * (0.15 + 0.1 * (number % 8))
    path = [on_canvas(viewer, mask, (row, size * (0.1 + 0.4 * step / MOVES))) for step in range(MOVES + 1)]
    QTest.mouseMove(native, path[0])
    QTest.mousePress(native, Qt.MouseButton.LeftButton, pos=path[0])
    for point in path[1:]:
        QTest.mouseMove(native, point)
        QTest.qWait(MOVE_MS)
    QTest.mouseRelease(native, Qt.MouseButton.LeftButton, pos=path[-1])


def _rest_until(done: Any) -> None:
    for _ in range(PATIENCE_MS // REST_MS):
        QTest.qWait(REST_MS)
        if done():
            return
    raise TimeoutError("The window did not come to rest.")


def main() -> None:
    """A line per size."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gaps", description=__doc__.splitlines()[0])
    parser.add_argument("--strokes", type=int, default=8, help="strokes per line")
    parser.add_argument("--size", type=int, default=0, help="side of the mask; 0: 512 and 1024")
    asked = parser.parse_args()
    application = QApplication.instance() or QApplication([])
    import napari

    for size in (asked.size,) if asked.size else SIZES:
        viewer = napari.Viewer(show=True)
        gaps = paint(viewer, size, asked.strokes)
        viewer.close()
        QApplication.processEvents()
        measured = {"clock": gaps.clock, "processor": gaps.processor}
        figures = {
            f"{name}_{what}_ms": float(function(values))
            for name, values in measured.items()
            for what, function in (
                ("p50", np.median),
                ("p99", lambda one: np.percentile(one, 99)),
                ("max", np.max),
            )
        }
        line(f"gaps-painting-{size}", **figures, beats=len(gaps.clock), thumbnails=gaps.thumbnails, live=gaps.updates)
    application.quit()


if __name__ == "__main__":
    main()
