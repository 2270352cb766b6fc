"""The card *Paint*: an empty mask, and the brush for the next nucleus."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtWidgets import QGridLayout, QPushButton, QVBoxLayout, QWidget

from napari_synth.ui.docks.masks.size_boxes import SizeBoxes
from napari_synth.ui.widgets.footer import wrapped_label
from napari_synth.ui.widgets.panel import described, row

if TYPE_CHECKING:
    from napari_synth.ui.docks.masks.actions import MaskActions

HELP = "Paint nuclei with napari's brush: each nucleus has its own number, and M takes the next one."


class PaintCard(QWidget):
    """New masks, the next nucleus, clearing.

    Attributes
    ----------
    size : SizeBoxes
    new, next, single, clear : QPushButton
    """

    def __init__(self, dock: MaskActions):
        super().__init__()
        self._dock = dock
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        grid = QGridLayout()
        self.size = SizeBoxes(dock.choices)
        row(grid, "Size (px)", self.size)
        layout.addLayout(grid)
        self.new = described(QPushButton("New mask"), "New mask", "Add an empty mask of this size, ready to paint")
        self.next = described(
            QPushButton("Paint next nucleus"), "Paint next nucleus", "Take the brush with a number no nucleus has yet"
        )
        self.single = described(
            QPushButton("Stamp, move, reshape…"), "Single nuclei", "Open the tab with tools for single nuclei"
        )
        self.clear = described(QPushButton("Clear"), "Clear", "Remove all nuclei; Ctrl+Z brings them back")
        buttons = QGridLayout()
        for place, button in enumerate((self.new, self.next, self.single, self.clear)):
            buttons.addWidget(button, place // 2, place % 2)
        layout.addLayout(buttons)
        text = wrapped_label()
        text.setText(HELP)
        layout.addWidget(text)
        self.new.clicked.connect(self._new_mask)
        self.next.clicked.connect(dock.next_nucleus)
        self.clear.clicked.connect(dock.clear)

    def _new_mask(self) -> None:
        self._dock.new_mask(self._dock.choices.height, self._dock.choices.width)
