"""The latent space as a map: real shapes as dots, a cross that decodes where it is dragged to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyqtgraph as pg
from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QColor, QFont, QMouseEvent

from napari_synth.masks.shape_codes import Latents, Plane
from napari_synth.ui.widgets.plot import PlainPlot

DOTS = 1200
NEAR_PIXELS = 6
BELOW = 6
"""Pixels below the name of the lower axis, which reaches out of it."""
LETTERS = QFont("", 13, QFont.Weight.Bold)


@dataclass(frozen=True, eq=False)
class Dots:
    """Some codes of a library, ``(N, latent)``, and where they lie in its plane, ``(N, 2)``."""

    plane: Plane
    codes: np.ndarray
    places: np.ndarray

    @classmethod
    def of(cls, latents: Latents) -> Dots:
        """Evenly chosen ones, no more than can be told apart."""
        codes = latents.codes[:: -(-len(latents) // DOTS)]
        return cls(latents.plane, codes, latents.plane.project(codes))


class LatentMap(PlainPlot):
    """Dots of a library in its plane of largest variation; click or drag to choose a code."""

    picked = Signal(object)
    """A code, shape (latent,)."""

    def __init__(self, latents: Latents):
        super().__init__("Latent map", "Each dot is a real shape. Click or drag to decode the shape at that place")
        self.dots = pg.ScatterPlotItem(size=4, pen=None)
        self._shown = Dots.of(latents)
        self.dots.setData(*self._shown.places.T)
        self.cross = pg.ScatterPlotItem(size=16, symbol="+")
        self.path = pg.PlotDataItem()
        self.letters = [pg.TextItem(name, anchor=(0.5, 1.5)) for name in "AB"]
        for letter in self.letters:
            letter.setFont(LETTERS)
        for item in (self.dots, self.path, self.cross, *self.letters):
            self.addItem(item)
        plot = self.getPlotItem()
        plot.setAspectLocked(True)
        for side, name in (("bottom", "shapes differ most this way"), ("left", "and then this way")):
            plot.getAxis(side).setLabel(name, **{"font-size": "7pt"})
        plot.setContentsMargins(0, 0, 0, BELOW)
        self.getViewBox().setMouseEnabled(x=False, y=False)
        self.setMinimumHeight(220)

    def show_latents(self, latents: Latents) -> None:
        """Show the dots of a library; cross and marks follow with `show_code` and `show_marks`."""
        self._shown = Dots.of(latents)
        self.dots.setData(*self._shown.places.T)

    def show_colours(self, text: str) -> None:
        """Draw in the text colour of the theme."""
        faint = QColor(text)
        faint.setAlpha(110)
        self.dots.setBrush(faint)
        self.cross.setPen(pg.mkPen(text, width=2))
        self.cross.setBrush(text)
        self.path.setPen(pg.mkPen(text, width=2, style=Qt.PenStyle.DashLine))
        for letter in self.letters:
            letter.setColor(text)
        for side in ("bottom", "left"):
            axis = self.getPlotItem().getAxis(side)
            axis.setPen(faint)
            axis.setTextPen(text)

    def show_code(self, z: tuple[float, ...]) -> None:
        """Move the cross to a code."""
        if z:
            x, y = self._shown.plane.project(np.array(z))[0]
            self.cross.setData([x], [y])

    def show_marks(self, marks: tuple[np.ndarray | None, np.ndarray | None]) -> None:
        """Show start and end of a walk."""
        places = [None if mark is None else self._shown.plane.project(mark)[0] for mark in marks]
        for letter, place in zip(self.letters, places, strict=True):
            letter.setVisible(place is not None)
            if place is not None:
                letter.setPos(*place)
        known = [place for place in places if place is not None]
        self.path.setData(*np.array(known).T) if len(known) == 2 else self.path.setData([], [])

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Decode at the place that was clicked."""
        self._pick(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Decode along a drag."""
        if event.buttons() & Qt.MouseButton.LeftButton:
            self._pick(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Nothing: the press and the moves said it all."""

    def _pick(self, event: QMouseEvent) -> None:
        box, shown = self.getViewBox(), self._shown
        at = box.mapSceneToView(event.position())
        place = np.array([at.x(), at.y()])
        pixel = np.abs(np.array(box.viewPixelSize()))
        distance = np.linalg.norm((shown.places - place) / pixel, axis=1)
        nearest = int(distance.argmin())
        # a dot is a real shape, in all dimensions
        self.picked.emit(shown.codes[nearest] if distance[nearest] <= NEAR_PIXELS else shown.plane.lift(place))
