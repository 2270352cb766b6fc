"""The card *From my data*: layers that look like masks, files and folders of the user."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QFileDialog,
    QGridLayout,
    QHBoxLayout,
    QInputDialog,
    QLabel,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from napari_synth.ui.widgets.drops import accept_files, take_files
from napari_synth.ui.widgets.footer import wrapped_label
from napari_synth.ui.widgets.panel import described, drop, watch

if TYPE_CHECKING:
    import weakref
    from collections.abc import Callable

    from qtpy.QtGui import QDragEnterEvent, QDropEvent

    from napari_synth.masks.conversion import How
    from napari_synth.ui.context.opened_series import OpenSeries
    from napari_synth.ui.docks.masks.actions import MaskActions
    from napari_synth.ui.docks.masks.opening import Opening
    from napari_synth.ui.napari_bridge.mask_candidates import Candidate

EMPTY = "Open or drop here a mask, a folder of masks, or what Cellpose, ImageJ, QuPath, labelme or COCO made."
KINDS = "Masks (*.tif *.tiff *.png *.bmp *.jpg *.npy *.npz *.json *.geojson *.zip *.roi);;All files (*)"
MAPS = "Masks (*.tif *.tiff *.png *.npz);;All files (*)"


class DataCard(QWidget):
    """Ways from the user's data to a mask; files may be dropped on it.

    Attributes
    ----------
    file, folder, mix : QPushButton
    """

    def __init__(self, dock: MaskActions):
        super().__init__()
        self._dock = dock
        self.setAcceptDrops(True)
        self.file = described(QPushButton("Open files…"), "Open mask files", "Masks of this or of other programs")
        self.folder = described(
            QPushButton("Open a folder…"), "Open a folder of masks", "Also of StarDist, Data Science Bowl, OME-Zarr"
        )
        self.mix = described(
            QPushButton("New masks from real ones…"),
            "New masks from real ones",
            "Nuclei of real masks, drawn by chance, mixed, flipped, turned and scaled into new masks",
        )
        buttons = QGridLayout()
        buttons.addWidget(self.file, 0, 0)
        buttons.addWidget(self.folder, 0, 1)
        buttons.addWidget(self.mix, 1, 0, 1, 2)
        self._text = wrapped_label()
        self._text.setText(EMPTY)
        self._series, self._rows = QVBoxLayout(), QVBoxLayout()
        for rows in (self._series, self._rows):
            rows.setSpacing(4)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addLayout(buttons)
        layout.addWidget(self._text)
        layout.addLayout(self._series)
        layout.addLayout(self._rows)
        self.file.clicked.connect(self._ask_files)
        self.folder.clicked.connect(self._ask_folder)
        self.mix.clicked.connect(self._ask_maps)
        watch(self, dock.opening.candidates.changed, self.show_candidates)
        watch(self, dock.context.series.changed, self.show_series)

    def show_series(self) -> None:
        """Follow the open folders."""
        while item := self._series.takeAt(0):
            drop(item.widget())
        for series in self._dock.context.series:
            self._series.addWidget(_series_row(self._dock, series))

    def show_candidates(self) -> None:
        """Follow the layer list."""
        while item := self._rows.takeAt(0):
            drop(item.widget())
        for candidate in self._dock.opening.candidates.offered():
            self._rows.addWidget(_row(self._dock.opening, candidate))

    def dragEnterEvent(self, event: QDragEnterEvent | None) -> None:
        """Files may be dropped."""
        accept_files(event)

    def dropEvent(self, event: QDropEvent | None) -> None:
        """Open what was dropped as masks."""
        take_files(event, self._dock.opening.open)

    def _ask_files(self) -> None:
        paths, _ = QFileDialog.getOpenFileNames(self, "Open masks", "", KINDS)
        if paths:
            self._dock.opening.open(paths)

    def _ask_folder(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, "Folder of masks")
        if folder:
            self._dock.opening.open([folder])

    def _ask_maps(self) -> None:
        paths, _ = QFileDialog.getOpenFileNames(self, "Choose real masks", "", MAPS)
        if not paths:
            return
        count, given = QInputDialog.getInt(self, "New masks", "How many masks shall be made of them?", 1, 1, 1000)
        if given:
            self._dock.recombine(paths, count, self._dock.choices.height, self._dock.choices.width)


def _series_row(dock: MaskActions, series: OpenSeries) -> QWidget:
    """Which mask of a folder is shown, and buttons for the one before and the next."""
    masks, part = series.masks, QWidget()
    layout = QVBoxLayout(part)
    layout.setContentsMargins(0, 2, 0, 0)
    layout.setSpacing(2)
    text = wrapped_label()
    text.setText(f"{masks.name}: mask {series.at + 1} of {len(masks)}, {masks.stems[series.at]}")
    layout.addWidget(text)
    line = QHBoxLayout()
    opening, folders = dock.opening, dock.context.series
    buttons = (
        (
            "Previous",
            "The mask before; one you changed or rendered stays in the layer list",
            (opening.step, series, -1),
        ),
        ("Next", "The next mask; one you changed or rendered stays in the layer list", (opening.step, series, 1)),
        ("Close", "Forget the folder; layers stay, and Export takes only them", (folders.close, series)),
    )
    for words, tip, what in buttons:
        button = described(QPushButton(words), f"{words}: {masks.name}", tip)
        button.clicked.connect(partial(_do, *what))
        line.addWidget(button)
    layout.addLayout(line)
    return part


def _do(action: Callable[..., object], *given: object) -> None:
    """Without the last argument: Qt hands over whether the button is checked."""
    action(*given[:-1])


def _row(opening: Opening, candidate: Candidate) -> QWidget:
    """What a layer looks like, and a button for each way to make a mask of it."""
    layer = candidate.layer()
    name = "" if layer is None else layer.name
    part = QWidget()
    layout = QVBoxLayout(part)
    layout.setContentsMargins(0, 2, 0, 0)
    layout.setSpacing(2)
    text = QLabel()
    text.setTextFormat(Qt.TextFormat.PlainText)
    text.setWordWrap(True)
    text.setText(f"{name}: {candidate.text}")
    layout.addWidget(text)
    line = QHBoxLayout()
    for way in candidate.ways:
        button = described(QPushButton(way.words), f"{way.words}: {name}", f"Make a mask of {name!r}")
        button.clicked.connect(partial(_use, opening, candidate.layer, way.how))
        line.addWidget(button)
    layout.addLayout(line)
    return part


def _use(opening: Opening, layer: weakref.ref[Any], how: How, *_: object) -> None:
    """Qt keeps a partial for as long as the button; one of the card's own methods would keep the card too."""
    there = layer()
    if there is not None:
        opening.use(there, how)
