"""From the mouse to the pixels, in a real viewer: ``xvfb-run -a python -m benchmarks.strokes``.

The mouse moves a little with its button down; the clock runs until the changed image has been drawn
on the canvas. Then it moves again. A heart-beat in the window's thread finds its longest gap meanwhile,
by the clock and by the processor time of that thread alone: other programs lengthen the first.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from qtpy.QtCore import QEventLoop, QPoint, Qt, QTimer
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

from benchmarks.heartbeat import HeartBeat
from benchmarks.models import sample_request
from benchmarks.timing import line
from napari_synth.core.recipe import METADATA_KEY, mask_hash
from napari_synth.models.defaults import DEFAULT_CAPSULES, DEFAULT_GENERATOR, DEFAULT_TWO_CHANNEL
from napari_synth.ui.docks.synthesize.actions import SynthesizeActions
from napari_synth.ui.napari_bridge.preferences import Preferences
from napari_synth.ui.napari_bridge.window import canvas_widget, main_window, open_column
from napari_synth.ui.session import Session
from tests.e2e.hands import on_canvas

BRUSH = 16
STEP = 5
ZOOM = 2.0
PATIENCE_S = 60.0
NO_BUDGET_MS = 60_000
LONGEST_REST_MS = 500


@dataclass(frozen=True)
class Case:
    """What is painted on, and the time it may take."""

    model: str
    size: int
    target_ms: int


CASES = (
    Case(DEFAULT_CAPSULES, 256, 100),
    Case(DEFAULT_CAPSULES, 2048, 100),
    Case(DEFAULT_GENERATOR, 256, 150),
    Case(DEFAULT_TWO_CHANNEL, 256, 250),
)


class Stopped(Exception):
    """The window did not do what it was waited for."""


def rest_until_event() -> None:
    """Sleep as a window does that nobody touches: a loop that asks again and again takes a core from the renderer."""
    QTimer.singleShot(LONGEST_REST_MS, int)
    QApplication.processEvents(QEventLoop.ProcessEventsFlag.WaitForMoreEvents)


def wait(done: Any, what: str) -> None:
    """Run the window until something is true."""
    end = time.perf_counter() + PATIENCE_S * 5
    while not done():
        rest_until_event()
        if time.perf_counter() > end:
            raise Stopped(f"waited in vain for {what}")


class Painting:
    """A viewer with a mask that is followed.

    Parameters
    ----------
    case : Case
    """

    def __init__(self, case: Case):
        import napari

        self.case = case
        self.viewer = napari.Viewer(show=True)
        main_window(self.viewer).resize(1500, 950)
        self.session = Session(self.viewer, preferences=lambda: Preferences(NO_BUDGET_MS))
        open_column(self.viewer)
        self.following = self.session.actions(SynthesizeActions).following
        request = sample_request(case.model, case.size)
        if request.condition is not None:
            self.viewer.add_image(np.array(request.condition), name="anatomy")
        self.mask = self.viewer.add_labels(np.array(request.mask), name="mask")
        self.mask.mode, self.mask.brush_size, self.mask.selected_label = "paint", BRUSH, 60_000
        look = self.session.context.look
        self.session.context.choose_model(case.model)
        look.device, look.seed = "cpu", 1
        self.viewer.scene.camera.center = (case.size / 2, case.size / 2)
        self.viewer.scene.camera.zoom = ZOOM
        self.native = canvas_widget(self.viewer)
        self.following.switch(True)
        wait(self.settled, "the first image")
        self.image = self._image()
        self._refreshed = self._drawn = 0.0
        self.image.events.set_data.connect(self._on_refreshed)
        self.viewer.window._qt_viewer.canvas.events.draw.connect(self._on_drawn)

    def settled(self) -> bool:
        """Whether the image is that of the mask as it is now."""
        if self.following.busy:
            return False
        image = self._image()
        recipe = image.metadata.get(METADATA_KEY) if image is not None else None
        return recipe is not None and recipe["masks"][0]["sha256"] == mask_hash(self.mask.data)

    def _image(self) -> Any:
        return next((layer for layer in self.viewer.layers if layer.name.startswith("mask · ")), None)

    def _on_refreshed(self) -> None:
        self._refreshed = time.perf_counter()

    def _on_drawn(self, _: object) -> None:
        self._drawn = time.perf_counter()

    def press(self, place: tuple[float, float]) -> None:
        point = self._point(place)
        QTest.mouseMove(self.native, point)
        QTest.mousePress(self.native, Qt.MouseButton.LeftButton, pos=point)

    def release(self, place: tuple[float, float]) -> float:
        """Milliseconds from the release to the exact image of the whole stroke."""
        start = time.perf_counter()
        QTest.mouseRelease(self.native, Qt.MouseButton.LeftButton, pos=self._point(place))
        wait(self.settled, "the end of the stroke")
        return 1000 * (time.perf_counter() - start)

    def move(self, place: tuple[float, float]) -> float | None:
        """Milliseconds from the move to the drawn change of the image; None where no pixel of it changed."""
        wait(lambda: not self.following.busy, "the update before")
        QApplication.processEvents()
        y, x = (int(part) for part in place)
        near = np.s_[max(0, y - 64) : y + 64, max(0, x - 64) : x + 64]
        before, painted = self.image.data[near].copy(), self.mask.data[near].copy()
        start = time.perf_counter()
        QTest.mouseMove(self.native, self._point(place))
        end = start + PATIENCE_S
        while time.perf_counter() < end:
            rest_until_event()
            if start < self._refreshed < self._drawn and (self.image.data[near] != before).any():
                if np.array_equal(self.mask.data[near], painted):
                    raise Stopped("the mouse did not paint")
                return 1000 * (self._drawn - start)
            if not self.following.busy and time.perf_counter() > start + 1:
                return None
        raise Stopped("the image did not follow")

    def _point(self, place: tuple[float, float]) -> QPoint:
        return on_canvas(self.viewer, self.mask, place)

    def close(self) -> None:
        self.viewer.close()
        QApplication.processEvents()


def places(size: int, count: int) -> list[tuple[float, float]]:
    """Along a zigzag around the middle, each some pixels from the one before."""
    wide = 80
    found = []
    for number in range(count):
        row, along = divmod(number * STEP, wide)
        column = along if row % 2 == 0 else wide - along
        found.append((size / 2 - 60 + 20 * (row % 6), size / 2 - wide / 2 + column))
    return found


def measure(case: Case, moves: int) -> None:
    """One line."""
    painting = Painting(case)
    path = places(case.size, moves + 3)
    painting.press(path[0])
    for place in path[1:3]:
        painting.move(place)
    beat = HeartBeat()
    beat.start()
    times = [painting.move(place) for place in path[3:]]
    gaps, mode = beat.stop(), painting.following.state.text.rsplit(", ", 1)[-1]
    released = painting.release(path[-1])
    taken = [taken for taken in times if taken is not None]
    painting.close()
    line(
        f"stroke-to-pixels-{case.model}-{case.size}",
        mode=mode,
        ms=float(np.median(taken)),
        p95_ms=float(np.percentile(taken, 95)),
        target_ms=case.target_ms,
        release_ms=released,
        moves=len(taken),
        unchanged=len(times) - len(taken),
        longest_gap_ms=max(gap.clock for gap in gaps),
        longest_gap_processor_ms=max(gap.processor for gap in gaps),
    )


def main() -> None:
    """Run all."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.strokes", description=__doc__.splitlines()[0])
    parser.add_argument("--moves", type=int, default=60, help="moves of the mouse per line")
    parser.add_argument("--only", default="", help="lines of models whose id holds this")
    asked = parser.parse_args()
    application = QApplication.instance() or QApplication([])
    for case in CASES:
        if asked.only in case.model:
            measure(case, asked.moves)
    application.quit()


if __name__ == "__main__":
    main()
