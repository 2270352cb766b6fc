"""How a training goes: where it is, pictures of held-out crops, curves, and what came out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyqtgraph as pg
from qtpy.QtCore import Qt
from qtpy.QtGui import QImage, QPixmap
from qtpy.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QVBoxLayout, QWidget

from napari_synth.core.quantities import duration_text
from napari_synth.ui.docks.train.run_state import HELD_OUT
from napari_synth.ui.napari_bridge.theme import follow_theme, theme_colours
from napari_synth.ui.widgets.cards import Fold
from napari_synth.ui.widgets.footer import wrapped_label
from napari_synth.ui.widgets.panel import described, watch
from napari_synth.ui.widgets.plot import COLOURS, Plot

if TYPE_CHECKING:
    from napari_synth.ui.docks.train.actions import TrainActions
    from napari_synth.ui.docks.train.run_state import Run

PICTURE_WIDTH = 304
COLUMNS = ("mask", "real", "before", "now")
LOW = 1e-4
"""Losses below are drawn here: they may be negative, and the axis is logarithmic."""
HEIGHT = 140


class Pictures(QWidget):
    """Mask, real image, before and now of some crops."""

    def __init__(self) -> None:
        super().__init__()
        self._titles = QWidget()
        line = QHBoxLayout(self._titles)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(0)
        for title in COLUMNS:
            label = QLabel(title)
            label.setFixedWidth(PICTURE_WIDTH // len(COLUMNS))
            line.addWidget(label)
        line.addStretch(1)
        self.picture = described(QLabel(), "Pictures", "Crops that are not trained on: mask, real image, before, now")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(1)
        layout.addWidget(self._titles)
        layout.addWidget(self.picture)

    def show_picture(self, picture: np.ndarray | None, titled: bool) -> None:
        """Show a sheet, which may bear its titles; None: nothing."""
        self.setVisible(picture is not None)
        if picture is None:
            return
        self._titles.setVisible(not titled)
        self.picture.setPixmap(
            pixmap_of(picture).scaledToWidth(PICTURE_WIDTH, Qt.TransformationMode.SmoothTransformation)
        )


class Curve(Plot):
    """How far what is held out is from the real images, as a part of that at the start."""

    def __init__(self) -> None:
        super().__init__(
            "Distance", "How far renderings of what is held out are from the real images; 1: as at the start"
        )
        self.setFixedHeight(HEIGHT)
        self.name_axes("step", "distance, 1 at the start")

    def show_run(self, run: Run) -> None:
        """Draw its curve."""
        self.clear()
        points = run.curves.get(HELD_OUT, [])
        self.addItem(pg.InfiniteLine(1, angle=0, pen=pg.mkPen("#888888", style=Qt.PenStyle.DashLine)))
        self.plot(*_xy(points), pen=pg.mkPen(COLOURS[0], width=2))


class Losses(Plot):
    """All losses."""

    def __init__(self) -> None:
        super().__init__("Losses", "All terms that are trained by, on a logarithmic axis")
        self.name_axes("step", "loss")
        self.getPlotItem().setLogMode(y=True)

    def show_run(self, run: Run) -> None:
        """Draw all curves."""
        self.clear()
        names = [name for name in run.curves if name != HELD_OUT]
        for number, name in enumerate(names):
            steps, values = _xy(run.curves[name])
            pen = pg.mkPen(COLOURS[number % len(COLOURS)], width=1.5)
            self.plot(steps, np.maximum(values, LOW), pen=pen, name=name)


class RunBox(QWidget):
    """The training that is shown.

    Attributes
    ----------
    words, answer : QLabel
    bar : QProgressBar
    pictures : Pictures
    curve : Curve
    losses : Losses
    """

    def __init__(self, dock: TrainActions):
        super().__init__()
        self._dock = dock
        self.words = described(wrapped_label(), "Training", "Where the training is")
        self.bar = described(QProgressBar(), "Training so far", "How much of the planned training is done")
        self.plan = described(wrapped_label(), "Plan of the training", "What it takes, and what is held out")
        self.answer = described(wrapped_label(), "Outcome", "Whether it helped")
        self.pictures, self.curve, self.losses = Pictures(), Curve(), Losses()
        self._fold = Fold("All losses", "Show every term that is trained by")
        self._fold.body.addWidget(self.losses)
        self._fold.head.toggled.connect(self._show_losses)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 4, 0, 4)
        layout.setSpacing(4)
        for part in (self.words, self.bar, self.answer, self.pictures, self.curve, self._fold, self.plan):
            layout.addWidget(part)
        watch(self, dock.watching.changed, self.show_run)
        watch(self, dock.watching.picture_changed, self._show_picture)
        follow_theme(dock.context.viewer, self, self._show_colours)

    def show_run(self) -> None:
        """Show where it is."""
        watching = self._dock.watching
        run = watching.run
        self.setVisible(run is not None)
        if run is None:
            return
        more = " Stopping…" if watching.stopping else " Pausing…" if watching.pausing and run.phase != "paused" else ""
        self.words.setText(run.words + more)
        self.bar.setRange(0, 0 if run.running and run.phase in ("starting", "judging") else 1000)
        self.bar.setValue(round(1000 * run.share))
        self.bar.setFormat(f"{100 * run.share:.0f} % · {duration_text(run.seconds_left)} left")
        self.bar.setVisible(run.running)
        self.plan.setText(" ".join([run.plan, *run.remarks]))
        self.plan.setVisible(bool(run.plan))
        self.answer.setText(run.sentence if run.phase == "done" else " ".join([run.problem, run.action]).strip())
        self.answer.setVisible(bool(self.answer.text()))
        self.curve.setVisible(len(run.curves.get(HELD_OUT, [])) > 1)
        self._fold.setVisible(bool(run.curves))
        self.curve.show_run(run)
        self._show_losses()

    def _show_losses(self) -> None:
        run = self._dock.watching.run
        if run is not None and self._fold.head.isChecked():
            self.losses.show_run(run)

    def _show_picture(self) -> None:
        watching = self._dock.watching
        run = watching.run
        self.pictures.show_picture(watching.picture, titled=run is not None and bool(run.sheet))

    def _show_colours(self) -> None:
        for plot in (self.curve, self.losses):
            plot.show_colours(theme_colours(self._dock.context.viewer)[0])


def pixmap_of(picture: np.ndarray) -> QPixmap:
    """An image ``(Y, X, 3)`` uint8 for the screen."""
    rgb = np.ascontiguousarray(picture)
    height, width = rgb.shape[:2]
    return QPixmap.fromImage(QImage(rgb.data, width, height, 3 * width, QImage.Format.Format_RGB888))


def _xy(points: list[tuple[int, float]]) -> tuple[np.ndarray, np.ndarray]:
    array = np.array(points, float).reshape(-1, 2)
    return array[:, 0], array[:, 1]
