"""Pictures of nucleus shapes as widgets: a grid of thumbnails, a preview, sliders that show what they change."""

from __future__ import annotations

from functools import partial

import numpy as np
from qtpy.QtCore import QSize, Qt, Signal
from qtpy.QtGui import QColor, QIcon, QImage, QPixmap
from qtpy.QtWidgets import QGridLayout, QLabel, QListView, QListWidget, QListWidgetItem, QSlider, QWidget
from superqt.utils import signals_blocked

from napari_synth.ui.widgets.panel import described

THUMBNAIL = 44
COLUMNS = 6
ROWS = 3
PREVIEW = 104
END = 22
STEPS = 60


Colours = tuple[str, str]
"""Of shape and background."""


def shape_pixmap(shape: np.ndarray, side: int, colours: Colours) -> QPixmap:
    """A shape in [0, 1] as a picture."""
    rgb = [np.array(QColor(colour).getRgb()[:3], np.float32) for colour in colours]
    image = rgb[1] + np.clip(shape, 0, 1)[..., None] * (rgb[0] - rgb[1])
    data = np.ascontiguousarray(image.astype(np.uint8))
    height, width = data.shape[:2]
    picture = QImage(data.tobytes(), width, height, 3 * width, QImage.Format.Format_RGB888)
    return QPixmap.fromImage(picture).scaled(
        side, side, Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
    )


class ShapeGrid(QListWidget):
    """Thumbnails; choosing one tells its number."""

    chosen = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        described(self, "Shapes", "Click a shape to stamp it")
        self.setViewMode(QListView.ViewMode.IconMode)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setMovement(QListView.Movement.Static)
        self.setUniformItemSizes(True)
        self.setIconSize(QSize(THUMBNAIL, THUMBNAIL))
        self.setGridSize(QSize(THUMBNAIL + 6, THUMBNAIL + 6))
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFixedHeight(ROWS * (THUMBNAIL + 6) + 6)
        self.currentRowChanged.connect(self._choose)

    def show_shapes(self, pictures: np.ndarray, colours: Colours) -> None:
        """Show these shapes ``(N, 64, 64)``, none chosen."""
        self.setStyleSheet(f"QListView::item:selected {{ border: 2px solid {colours[0]}; }}")
        with signals_blocked(self):
            self.clear()
            for number, shape in enumerate(pictures, 1):
                pixmap = shape_pixmap(shape, THUMBNAIL, colours)
                icon = QIcon(pixmap)
                icon.addPixmap(pixmap, QIcon.Mode.Selected)
                item = QListWidgetItem(icon, "")
                item.setData(Qt.ItemDataRole.AccessibleTextRole, f"Shape {number}")
                item.setToolTip(f"Shape {number} of {len(pictures)}")
                self.addItem(item)

    def show_chosen(self, row: int) -> None:
        """Mark a shape without telling anyone; -1: none."""
        with signals_blocked(self):
            self.setCurrentRow(row)
            if row < 0:
                self.clearSelection()

    def _choose(self, row: int) -> None:
        if row >= 0:
            self.chosen.emit(row)


class LatentSliders(QWidget):
    """A slider per latent dimension, between pictures of what its two ends give.

    Attributes
    ----------
    sliders : list of QSlider
    ends : list of (QLabel, QLabel)
        The pictures at the low and the high end of each.
    """

    moved = Signal(int, float)
    """Dimension and value, while a slider moves."""
    picked = Signal(int)
    """The dimension whose slider was touched last."""

    def __init__(self, latent_size: int, reach: float):
        super().__init__()
        self._reach = reach
        self.sliders: list[QSlider] = []
        self.ends: list[tuple[QLabel, QLabel]] = []
        self._names: list[QLabel] = []
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(4)
        grid.setVerticalSpacing(1)
        half = -(-latent_size // 2)
        for dimension in range(latent_size):
            line, side = dimension % half, 4 * (dimension // half)
            name = QLabel(str(dimension + 1))
            slider = described(
                QSlider(Qt.Orientation.Horizontal),
                f"Latent dimension {dimension + 1}",
                f"Latent dimension {dimension + 1}; the pictures at its ends show what it changes",
            )
            slider.setRange(-STEPS, STEPS)
            slider.setMinimumWidth(56)
            slider.valueChanged.connect(partial(self._on_moved, dimension))
            slider.sliderPressed.connect(partial(self.picked.emit, dimension))
            ends = QLabel(), QLabel()
            for column, widget in enumerate((name, ends[0], slider, ends[1])):
                grid.addWidget(widget, line, side + column)
            for label in ends:
                label.setFixedSize(END, END)
            grid.setColumnStretch(side + 2, 1)
            self.sliders.append(slider)
            self.ends.append(ends)
            self._names.append(name)

    def show_code(self, z: tuple[float, ...]) -> None:
        """Move the sliders without telling anyone."""
        for slider, value in zip(self.sliders, z, strict=False):
            with signals_blocked(slider):
                slider.setValue(round(STEPS * value / self._reach))

    def show_ends(self, ends: np.ndarray | None, colours: Colours) -> None:
        """Show what both ends of each slider give, ``(latent, 2, 64, 64)``."""
        for dimension, labels in enumerate(self.ends):
            for side, label in enumerate(labels):
                if ends is None:
                    label.clear()
                else:
                    label.setPixmap(shape_pixmap(ends[dimension, side], END, colours))

    def mark(self, dimension: int) -> None:
        """Show which direction the wheel morphs along."""
        for number, name in enumerate(self._names):
            name.setText(f"<b>{number + 1}▸</b>" if number == dimension else str(number + 1))

    def _on_moved(self, dimension: int, value: int) -> None:
        self.picked.emit(dimension)
        self.moved.emit(dimension, self._reach * value / STEPS)
