"""How long the window does not answer while somebody paints: ``xvfb-run -a python -m benchmarks.gaps``.

Strokes are painted with the mouse into a mask whose image follows; each begins while the thumbnails of the Look section
are being rendered anew after the one before. First napari paints alone, as far as possible on the same canvas, then
over an image that something changes ten times a second: what it takes by itself, the plugin cannot take away. A
heart-beat in the window's thread finds its gaps and says where a long one was spent. The first stroke, at which napari
translates its shaders, is not counted.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from qtpy.QtCore import Qt, QTimer
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

from benchmarks.heartbeat import Gap, HeartBeat, table_head, table_row
from benchmarks.models import enlarged, sample_request
from napari_synth.models.defaults import DEFAULT_CAPSULES, DEFAULT_GENERATOR
from napari_synth.ui.docks.synthesize.actions import SynthesizeActions
from napari_synth.ui.napari_bridge.preferences import Preferences
from napari_synth.ui.napari_bridge.window import canvas_widget, main_window, open_column
from napari_synth.ui.session import Session
from tests.e2e.hands import on_canvas

SIZES = 512, 1024
CASES = ((DEFAULT_GENERATOR, 512), (DEFAULT_GENERATOR, 1024), (DEFAULT_CAPSULES, 512))
CANVAS = 480, 480
"""Width and height. Where no graphics card draws it, a larger one takes napari longer than any gap should be."""
BRUSH = 16
MOVES = 30
MOVE_MS = 16
REST_MS = 20
SETTLE_MS = 400
CHANGE_MS = 100
PATIENCE_MS = 300_000
LOOK = "synthesize"


@dataclass(frozen=True)
class Painted:
    """What came of some strokes.

    Attributes
    ----------
    gaps : list of Gap
    thumbnails : int
        Strokes that began while thumbnails were being rendered.
    updates : int
        Times that the image followed.
    """

    gaps: list[Gap]
    thumbnails: int = 0
    updates: int = 0


def paint_alone(viewer: Any, labels: np.ndarray, strokes: int) -> Painted:
    """Paint in napari without the plugin."""
    return _paint_in_napari(viewer, _mask(viewer, labels), strokes)


def paint_over_an_image(viewer: Any, labels: np.ndarray, strokes: int) -> Painted:
    """Paint in napari without the plugin or a network, over a colour image of which a strip changes all the time."""
    image = viewer.add_image(np.zeros((*labels.shape, 3), np.uint8), rgb=True)
    mask = _mask(viewer, labels)

    def change() -> None:
        image.data[: len(image.data) // 8] += 1
        image.refresh(thumbnail=False, highlight=False, extent=False)

    timer = QTimer(interval=CHANGE_MS)
    timer.timeout.connect(change)
    timer.start()
    painted = _paint_in_napari(viewer, mask, strokes)
    timer.stop()
    return painted


def _paint_in_napari(viewer: Any, mask: Any, strokes: int) -> Painted:
    _stroke(viewer, mask, 0)
    QTest.qWait(SETTLE_MS)
    beat = HeartBeat()
    beat.start()
    for number in range(1, strokes + 1):
        _stroke(viewer, mask, number)
        QTest.qWait(SETTLE_MS)
    return Painted(beat.stop())


def paint(viewer: Any, labels: np.ndarray, strokes: int, model: str = DEFAULT_GENERATOR) -> Painted:
    """Paint while the image follows and thumbnails are rendered."""
    session = Session(viewer, preferences=lambda: Preferences(budget_ms=60_000))
    session.context.column.tour = -1
    open_column(viewer)
    session.context.column.open_section(LOOK)
    synthesize = session.actions(SynthesizeActions)
    mask = _mask(viewer, labels)
    session.context.choose_model(model)
    session.context.look.device = "cpu"
    synthesize.following.switch(True)
    rest_until(lambda: not synthesize.jobs.lane.state.running and not synthesize.thumbnails.busy)
    _stroke(viewer, mask, 0)
    rest_until(lambda: synthesize.thumbnails.rendering)
    beat, beside = HeartBeat(), 0
    beat.start()
    for number in range(1, strokes + 1):
        beside += synthesize.thumbnails.rendering
        _stroke(viewer, mask, number)
        rest_until(lambda: synthesize.thumbnails.rendering)
    painted = Painted(beat.stop(), beside, len(synthesize.following.milliseconds))
    synthesize.thumbnails.pause()
    rest_until(lambda: not synthesize.jobs.lane.state.running and not synthesize.following.busy)
    return painted


def size_canvas(viewer: Any, size: tuple[int, int] = CANVAS) -> None:
    """Make the window as large as a canvas of this width and height needs, as far as its docks let it."""
    for _ in range(3):
        window, canvas = main_window(viewer), canvas_widget(viewer)
        window.resize(window.width() + size[0] - canvas.width(), window.height() + size[1] - canvas.height())
        QTest.qWait(REST_MS)


def rest_until(done: Any) -> None:
    """Let the window run until something is true."""
    for _ in range(PATIENCE_MS // REST_MS):
        QTest.qWait(REST_MS)
        if done():
            return
    raise TimeoutError("The window did not come to rest.")


def _mask(viewer: Any, labels: np.ndarray) -> Any:
    mask = viewer.add_labels(np.array(labels), name="mask")
    size_canvas(viewer)
    mask.mode, mask.brush_size = "paint", BRUSH
    viewer.fit_to_view()
    QTest.qWait(SETTLE_MS)
    return mask


def _stroke(viewer: Any, mask: Any, number: int) -> None:
    """From left to right, each below the one before."""
    mask.selected_label = 60_000 + number
    native, size = canvas_widget(viewer), len(mask.data)
    row = size * (0.15 + 0.1 * (number % 8))
    path = [on_canvas(viewer, mask, (row, size * (0.1 + 0.4 * step / MOVES))) for step in range(MOVES + 1)]
    QTest.mouseMove(native, path[0])
    QTest.mousePress(native, Qt.MouseButton.LeftButton, pos=path[0])
    for point in path[1:]:
        QTest.mouseMove(native, point)
        QTest.qWait(MOVE_MS)
    QTest.mouseRelease(native, Qt.MouseButton.LeftButton, pos=path[-1])


def labels_for(model: str, size: int) -> np.ndarray:
    """The sample of a model, as large."""
    return enlarged(np.array(sample_request(model, 256).mask), size)


def main() -> None:
    """A table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gaps", description=__doc__.splitlines()[0])
    parser.add_argument("--strokes", type=int, default=4, help="strokes per line")
    parser.add_argument("--only", default="", help="lines whose name holds this")
    asked = parser.parse_args()
    application = QApplication.instance() or QApplication([])
    import napari

    runs: list[tuple[str, Callable[..., Painted], str, int]] = [
        *((f"napari alone, {size}²", paint_alone, DEFAULT_GENERATOR, size) for size in SIZES),
        *(
            (f"napari alone over a changing image, {size}²", paint_over_an_image, DEFAULT_GENERATOR, size)
            for size in SIZES
        ),
        *((f"`{model}`, {size}²", partial(paint, model=model), model, size) for model, size in CASES),
    ]
    print(table_head())
    for name, run, model, size in runs:
        if asked.only in name:
            viewer = napari.Viewer(show=True)
            painted = run(viewer, labels_for(model, size), asked.strokes)
            canvas = canvas_widget(viewer).size()
            print(table_row(f"{name}, canvas {canvas.width()}×{canvas.height()}", painted.gaps), flush=True)
            viewer.close()
            QApplication.processEvents()
    application.quit()


if __name__ == "__main__":
    main()
