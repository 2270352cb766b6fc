"""Plots of the dock: live losses of the arms, their differences, and a map whose points open the image."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyqtgraph as pg
from qtpy.QtCore import Signal

from napari_synth.ui.widgets.plot import COLOURS, Plot

if TYPE_CHECKING:
    from napari_synth.evaluation.realism.report import MapPoint
    from napari_synth.evaluation.usefulness.tables import Point
    from napari_synth.evaluation.usefulness.verdict import Comparison


class Curves(Plot):
    """Losses of the arms in the repeat that is trained now."""

    def __init__(self) -> None:
        super().__init__("Losses", "Loss of each segmenter in this repeat while it is trained")
        self.name_axes("update", "loss")

    def show_points(self, points: Sequence[Point]) -> None:
        """Those of the last repeat."""
        self.clear()
        last = max((point.repeat for point in points), default=0)
        arms: dict[str, list[Point]] = {}
        for point in points:
            if point.repeat == last:
                arms.setdefault(point.arm, []).append(point)
        for number, (arm, own) in enumerate(arms.items()):
            pen = pg.mkPen(COLOURS[number % len(COLOURS)], width=2)
            self.plot([point.step for point in own], [point.loss for point in own], pen=pen, name=arm)


class Intervals(Plot):
    """Difference of each arm to real pairs alone, with its interval."""

    def __init__(self) -> None:
        super().__init__("Differences", "Difference of each arm to real pairs alone; right of the line is better")
        self.getPlotItem().showAxis("left", False)

    def show_comparisons(self, comparisons: Sequence[Comparison], metric: str) -> None:
        """One below the other."""
        self.clear()
        self.name_axes(f"{metric}: difference to real alone, 95 %", "")
        self.addItem(pg.InfiniteLine(0, angle=90, pen=pg.mkPen("#888888", style=pg.QtCore.Qt.PenStyle.DashLine)))
        for number, one in enumerate(comparisons):
            d, colour = one.difference, COLOURS[number % len(COLOURS)]
            pen = pg.mkPen(colour, width=3)
            self.plot([d.low, d.high], [-number, -number], pen=pen, name=one.arm)
            self.plot([d.mean], [-number], pen=None, symbol="o", symbolBrush=colour)
        self.getViewBox().setYRange(-len(comparisons), 1)


class ImageMap(Plot):
    """Images of both sets in the two directions in which real ones vary most; a click opens one."""

    chosen = Signal(object)
    """The path of an image."""

    def __init__(self) -> None:
        super().__init__(
            "Map of images", "Each point is an image; those that look alike lie together. Click to open it"
        )
        self.name_axes("first component", "second component")

    def show_points(self, points: Sequence[MapPoint]) -> None:
        """Real and synthetic ones."""
        self.clear()
        for number, name in enumerate(("real", "synthetic")):
            own = [point for point in points if point.set == name]
            cloud = pg.ScatterPlotItem(
                np.array([point.x for point in own]),
                np.array([point.y for point in own]),
                data=[point.path for point in own],
                size=9,
                brush=pg.mkBrush(COLOURS[number]),
                pen=None,
                name=name,
                hoverable=True,
                tip=_tip,
            )
            cloud.sigClicked.connect(self._clicked)
            self.addItem(cloud)

    def _clicked(self, _: object, points: Sequence[pg.SpotItem], *__: object) -> None:
        if len(points):
            self.chosen.emit(points[0].data())


def _tip(x: float, y: float, data: Path) -> str:
    return data.name
