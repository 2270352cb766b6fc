"""A person whose window is filmed: what the moving pictures of the documentation are taken with."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from captions import captions_in, keep_captions
from person import Person  # a module beside this script
from PIL import Image, ImageDraw

if TYPE_CHECKING:
    from qtpy.QtCore import QPoint
    from qtpy.QtWidgets import QWidget

    from napari_synth.ui.jobs.delivery import Jobs

WIDTH = 960
STEP_MS = 90
RING = 14
RING_COLOUR = (255, 193, 7)


class Recorder(Person):
    """A person whose window is looked at after every movement.

    Parameters
    ----------
    viewer : Viewer
    rest : int, optional
        Milliseconds for which the window is looked at before a click, with a ring where it will be, and after waiting;
        0: these are not looked at.
    more
        As those of `Person`.

    Attributes
    ----------
    frames : list of Image
    times : list of int
        Milliseconds that each frame is shown for.
    """

    def __init__(self, viewer: Any, *more: Any, rest: int = 0, **named: Any):
        self.frames: list[Image.Image] = []
        self.times: list[int] = []
        self._captions: set[str] = set()
        self._rest = rest
        super().__init__(viewer, *more, **named)

    def frame(self, milliseconds: int = STEP_MS, ring: tuple[int, int] | None = None) -> None:
        """Keep a picture of the window, unless nothing changed."""
        from napari_synth.ui.napari_bridge.window import main_window

        self._captions |= captions_in(main_window(self.viewer))
        picture = Image.fromarray(self.viewer.screenshot(canvas_only=False, flash=False)[..., :3])
        if ring is not None:
            x, y = ring
            box = (x - RING, y - RING, x + RING, y + RING)
            ImageDraw.Draw(picture).ellipse(box, outline=RING_COLOUR, width=4)
        small = picture.resize((WIDTH, round(WIDTH * picture.height / picture.width)), Image.Resampling.LANCZOS)
        if self.frames and np.array_equal(np.asarray(small), np.asarray(self.frames[-1])):
            self.times[-1] += milliseconds
            return
        self.frames.append(small)
        self.times.append(milliseconds)

    def look_around(self, seconds: float = 0.3) -> None:
        """Let the window draw, and look at it."""
        super().look_around(seconds)
        if hasattr(self, "column"):
            self.frame()

    def wait(self, *running: Jobs, **how: float) -> None:
        """Wait until these jobs are done, and rest."""
        super().wait(*running, **how)
        if self._rest:
            self.frame(self._rest)

    def click(self, widget: QWidget) -> None:
        """Show where, and click."""
        if self._rest:
            self._point_at(widget, widget.rect().center())
        super().click(widget)

    def click_on_canvas(self, layer: Any, position: tuple[float, float]) -> None:
        """Show where, and click on a place of a layer."""
        from napari_synth.ui.napari_bridge.window import canvas_widget

        if self._rest:
            self._point_at(canvas_widget(self.viewer), self.place(layer, position))
        super().click_on_canvas(layer, position)

    def _point_at(self, widget: QWidget, place: QPoint) -> None:
        from napari_synth.ui.napari_bridge.window import main_window

        there = widget.mapTo(main_window(self.viewer), place)
        self.frame(self._rest, (there.x(), there.y()))

    def save(self, path: Path, say: Callable[[str], object] = print) -> None:
        """Write the frames as a moving picture."""
        first, *others = self.frames
        first.save(path, save_all=True, append_images=others, duration=self.times, loop=0, quality=70, method=4)
        keep_captions(path, self._captions)
        say(f"{path}: {len(self.frames)} frames, {sum(self.times) / 1e3:.0f} s, {path.stat().st_size / 1e6:.2f} MB")
