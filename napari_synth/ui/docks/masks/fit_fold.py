"""Fit: number, size, elongation and distances of the nuclei as in real masks."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtWidgets import QComboBox, QFileDialog, QGridLayout, QPushButton

from napari_synth.ui.docks.masks.statistics_table import StatisticsTable
from napari_synth.ui.widgets.binding import set_value
from napari_synth.ui.widgets.cards import Fold
from napari_synth.ui.widgets.panel import described, row, watch
from napari_synth.ui.widgets.units import unit_of

if TYPE_CHECKING:
    from napari_synth.ui.docks.masks.actions import MaskActions

START, FITTED = "", "fit"
PRESETS = (("number goes with the area", START), ("46 ± 7 on 350², by side", "thesis"))
"""Words and names of the presets."""


class FitFold(Fold):
    """Fits the field to the chosen mask or a folder, and shows real and sampled nuclei side by side.

    Attributes
    ----------
    mask, folder, forget : QPushButton
    like : QComboBox
        What the numbers follow.
    statistics : StatisticsTable
    """

    def __init__(self, dock: MaskActions):
        super().__init__("Fit to my masks", "Take number, size, elongation and distances from real masks")
        self._dock = dock
        self.like = described(QComboBox(), "Numbers", "Where number and size of the nuclei come from")
        self.like.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.like.setMinimumContentsLength(10)
        self.mask = described(QPushButton("The chosen mask"), "Fit to the chosen mask", "Measure the nuclei in it")
        self.folder = described(
            QPushButton("A folder…"), "Fit to a folder of masks", "Measure the nuclei in all masks of a folder"
        )
        self.forget = described(
            QPushButton("Forget the fit"), "Forget the fit", "Number and size follow the boxes again"
        )
        self.statistics = StatisticsTable()
        grid = QGridLayout()
        row(grid, "Numbers", self.like)
        buttons = QGridLayout()
        buttons.addWidget(self.mask, 0, 0)
        buttons.addWidget(self.folder, 0, 1)
        self.body.addLayout(grid)
        self.body.addLayout(buttons)
        self.body.addWidget(self.statistics)
        self.body.addWidget(self.forget)
        self.like.activated.connect(self._use)
        self.mask.clicked.connect(partial(_fit, dock))
        self.folder.clicked.connect(self._ask_folder)
        self.forget.clicked.connect(dock.forget_fit)
        watch(self, dock.statistics_changed, self._show)
        watch(self, dock.context.field.events, self._show)
        watch(self, dock.context.masks.current_changed, self._show)

    def _use(self) -> None:
        name = self.like.currentData()
        if name != FITTED:
            self._dock.use_preset(name)

    def _ask_folder(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, "Folder of real masks")
        if folder:
            self._dock.fit(Path(folder))

    def _show(self) -> None:
        dock = self._dock
        entries = [*PRESETS, *([("as measured on real masks", FITTED)] if dock.real is not None else [])]
        if [self.like.itemData(i) for i in range(self.like.count())] != [name for _, name in entries]:
            self.like.clear()
            for words, name in entries:
                self.like.addItem(words, name)
        set_value(self.like, FITTED if dock.real is not None else dock.context.field.preset)
        self.mask.setEnabled(dock.context.masks.current is not None)
        self.forget.setVisible(dock.real is not None)
        if dock.real is None:
            self.statistics.show_lines([])
            return
        from napari_synth.masks.statistics import side_by_side

        self.statistics.show_lines(side_by_side(dock.real, dock.composed, *unit_of(dock.context.masks.current)))


def _fit(dock: MaskActions, *_: object) -> None:
    """Qt keeps a partial for as long as the button; one of the fold's own methods would keep the fold too."""
    dock.fit(None)
