"""A map of the network: one box per layer, from the mask down to the bottleneck and up to the image."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QPoint, Qt, Signal
from qtpy.QtGui import QPainter, QPen
from qtpy.QtWidgets import QButtonGroup, QGridLayout, QLabel, QPushButton, QSizePolicy, QWidget

from napari_synth.ui.widgets.panel import described

if TYPE_CHECKING:
    from qtpy.QtGui import QPaintEvent

    from napari_synth.nets.capsule_stages import Stage

BOX = "font-size: 7pt; padding: 2px 0px; min-width: 0px;"
LEAST_WIDTH = 40
FIRST_COLUMN = {"encoder": 1, "bottleneck": 2, "decoder": 3}
"""Where the layers of a part begin; those of one size stand side by side."""


class NetworkMap(QWidget):
    """Boxes that can be clicked, or walked through with Tab and the arrow keys.

    Each names its layer, capsules × channels and, to the left of its row, the size.
    """

    chosen = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.boxes: dict[str, QPushButton] = {}
        self._stages: tuple[Stage, ...] = ()
        self._sizes: dict[int, QLabel] = {}
        self._group = QButtonGroup(self)
        self._group.buttonClicked.connect(self._on_click)
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(4)
        self._grid.setVerticalSpacing(6)
        self.setAccessibleName("Map of the network")
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)

    def show_stages(self, stages: tuple[Stage, ...]) -> None:
        """Draw the boxes of a network."""
        if stages == self._stages:
            return
        for widget in (*self.boxes.values(), *self._sizes.values()):
            self._grid.removeWidget(widget)
            widget.deleteLater()
        self.boxes, self._sizes, self._stages = {}, {}, stages
        factors = sorted({stage.factor for stage in stages})
        for line, factor in enumerate(factors):
            label = described(QLabel(), f"Size at 1/{factor}", "Height × width of the layers of this row, in pixels")
            label.setStyleSheet("font-size: 7pt;")
            self._sizes[factor] = label
            self._grid.addWidget(label, line, 0)
        for stage, column in zip(stages, _columns(stages), strict=True):
            box = QPushButton(f"{stage.name}\n{stage.capsules} × {stage.channels}")
            box.setCheckable(True)
            box.setStyleSheet(BOX)
            box.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
            box.setMinimumWidth(LEAST_WIDTH)
            self.boxes[stage.name] = box
            self._group.addButton(box)
            self._grid.addWidget(box, factors.index(stage.factor), column)
            self._grid.setColumnStretch(column, 1)
        self.show_size((256, 256))
        self.update()

    def show_size(self, size: tuple[int, int]) -> None:
        """Say how large the layers are for a mask of this height and width."""
        height, width = size
        for factor, label in self._sizes.items():
            label.setText(f"{-(-height // factor)}×\n{-(-width // factor)}")
        for stage in self._stages:
            y, x = -(-height // stage.factor), -(-width // stage.factor)
            inputs = f"; reads {' and '.join(stage.inputs)}" if stage.inputs else "; reads mask and latent plane"
            described(
                self.boxes[stage.name],
                f"{stage.name}, {stage.part}, {stage.capsules} capsules of {stage.channels} channels, {y} by {x}",
                f"{stage.name} ({stage.part}): {stage.capsules} capsules × {stage.channels} of {y}×{x}{inputs}",
            )

    def choose(self, name: str) -> None:
        """Mark a layer as the chosen one."""
        box = self.boxes.get(name)
        if box is not None:
            box.setChecked(True)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Lines from each box to those that read it; skips are dashed."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        colour = self.palette().text().color()
        colour.setAlpha(150)
        order = [stage.name for stage in self._stages]
        for stage in self._stages:
            for source in stage.inputs:
                skip = order.index(stage.name) - order.index(source) > 1
                painter.setPen(QPen(colour, 1.2, Qt.PenStyle.DashLine if skip else Qt.PenStyle.SolidLine))
                painter.drawLine(self._middle(source), self._middle(stage.name))
        painter.end()

    def _middle(self, name: str) -> QPoint:
        return self.boxes[name].geometry().center()

    def _on_click(self, box: QPushButton) -> None:
        self.chosen.emit(next(name for name, other in self.boxes.items() if other is box))


def _columns(stages: tuple[Stage, ...]) -> list[int]:
    """The encoder goes down on the left, the decoder up on the right."""
    columns = []
    for stage in stages:
        alike = [other for other in stages if (other.factor, other.part) == (stage.factor, stage.part)]
        columns.append(FIRST_COLUMN[stage.part] + alike.index(stage))
    return columns
