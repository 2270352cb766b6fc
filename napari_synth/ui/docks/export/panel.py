"""The Export dock: which pairs, how many, where to."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING

from qtpy.QtCore import QSize, Qt
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from napari_synth.export.formats.base import formats
from napari_synth.ui.widgets.controls import choose, look_icon, whole, wide
from napari_synth.ui.widgets.footer import Foot
from napari_synth.ui.widgets.panel import Panel, described, row

if TYPE_CHECKING:
    import napari

FORMAT_TITLES = {"tiff": "TIFF pairs (ImageJ)"}
LIST_HEIGHT = 80


def tick_list(name: str, tip: str) -> QListWidget:
    """A list whose entries can be ticked."""
    ticks = described(QListWidget(), name, tip)
    ticks.setFixedHeight(LIST_HEIGHT)
    ticks.setIconSize(QSize(16, 16))
    ticks.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    return ticks


def add_tick(ticks: QListWidget, item: QListWidgetItem, on: bool) -> None:
    """Add an entry that can be ticked."""
    item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
    item.setCheckState(Qt.CheckState.Checked if on else Qt.CheckState.Unchecked)
    item.setToolTip(item.text())
    ticks.addItem(item)


def is_ticked(item: QListWidgetItem) -> bool:
    """Whether the entry is ticked."""
    return item.checkState() == Qt.CheckState.Checked


class ExportPanel(Panel):
    """Write image-label pairs for training."""

    def __init__(self, napari_viewer: napari.viewer.Viewer):
        super().__init__(napari_viewer, steps=(4,))
        self._layers: list[weakref.ref] = []
        self._build_lists()
        self._build_rows()
        self._build_button()
        self.foot = Foot(self.session.exporting.lane)
        self.set_foot(self.foot)
        self._connect()

    def _build_lists(self) -> None:
        self.masks = tick_list("Masks to export", "Tick the masks to export")
        self.looks = tick_list("Looks to export", "Tick the looks each mask is rendered in")
        lists = QHBoxLayout()
        for title, ticks in (("Masks", self.masks), ("Looks", self.looks)):
            whole_column = QWidget()
            column = QVBoxLayout(whole_column)
            column.setContentsMargins(0, 0, 0, 0)
            column.setSpacing(2)
            label = QLabel(title)
            label.setBuddy(ticks)
            column.addWidget(label)
            column.addWidget(ticks)
            lists.addWidget(whole_column)
        self.body.addLayout(lists)

    def _build_rows(self) -> None:
        grid = self.grid()
        self.variants = whole(
            1, 100_000, "Variants", "Images per mask and look, each with other noise (seeds follow from that above)"
        )
        self.format = described(
            QComboBox(), "Format", "How the pairs are stored: images/ and masks/ with the same names"
        )
        for name in sorted(formats()):
            self.format.addItem(FORMAT_TITLES.get(name, name), name)
        row(grid, "Variants", self.variants, self.format)
        self.folder = described(QLineEdit(), "Folder", "The folder the pairs are written to; made when missing")
        self.folder.setPlaceholderText("choose a folder")
        self.browse = described(QPushButton("Browse…"), "Browse for the folder", "Choose the folder")
        row(grid, "Folder", self.folder, self.browse)

    def _build_button(self) -> None:
        self.overwrite = described(
            QCheckBox("replace other pairs"),
            "Replace other pairs",
            "Allow replacing the pairs of another export in this folder",
        )
        tip = "Render and write the pairs (masks × looks × variants); an export that was stopped goes on"
        self.export_button = wide(described(QPushButton("Export"), "Export", tip))
        self.buttons.addWidget(self.overwrite)
        self.buttons.addWidget(self.export_button, 1)

    def _connect(self) -> None:
        session = self.session
        self.masks.itemChanged.connect(self._store_mask)
        self.looks.itemChanged.connect(self._store)
        self.variants.valueChanged.connect(self._store)
        self.format.activated.connect(self._store)
        self.folder.editingFinished.connect(self._store)
        self.overwrite.toggled.connect(self._store)
        self.browse.clicked.connect(self._ask_folder)
        self.export_button.clicked.connect(self._export)
        self.watch(session.exporting.plan_changed, self._show_masks)
        self.watch(session.look.events.model, self._show_looks)
        self.watch(session.export.events, self._show_choices)
        self.watch(session.notes.events.export, self._show_note)
        self.watch(session.notes.events.synthesize, self._show_plan)
        self.watch(session.exporting.lane.state.events, self._show_lane)

    def _export(self) -> None:
        self._store()
        self.session.exporting.export()

    def _store(self) -> None:
        choices = self.session.export
        items = [self.looks.item(i) for i in range(self.looks.count())]
        options = tuple(item.data(Qt.ItemDataRole.UserRole) for item in items if is_ticked(item))
        variants, folder = self.variants.value(), self.folder.text()
        format_name, overwrite = self.format.currentData(), self.overwrite.isChecked()
        choices.options, choices.variants, choices.folder = options, variants, folder
        choices.format, choices.overwrite = format_name, overwrite

    def _store_mask(self, item: QListWidgetItem) -> None:
        layer = self._layers[self.masks.row(item)]()
        if layer is not None:
            self.session.exporting.include(layer, is_ticked(item))

    def _ask_folder(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, "Export to", self.folder.text())
        if folder:
            self.session.export.folder = folder

    def _show_masks(self) -> None:
        layers, chosen = self.session.masks.layers, self.session.exporting.masks
        blocked = self.masks.blockSignals(True)
        self.masks.clear()
        self._layers = [weakref.ref(layer) for layer in layers]
        for layer in layers:
            add_tick(self.masks, QListWidgetItem(layer.name), any(layer is other for other in chosen))
        self.masks.blockSignals(blocked)
        self._show_plan()

    def _show_looks(self) -> None:
        card = self.session.catalogue.card(self.session.look.model)
        blocked = self.looks.blockSignals(True)
        self.looks.clear()
        for option in card.looks if card else []:
            item = QListWidgetItem(look_icon(option, 16), option.title or option.name)
            item.setData(Qt.ItemDataRole.UserRole, option.name)
            add_tick(self.looks, item, option.name in self.session.export.options)
        self.looks.blockSignals(blocked)
        self.looks.parentWidget().setVisible(self.looks.count() > 0)
        self._show_plan()

    def _show_choices(self) -> None:
        choices = self.session.export
        controls = (self.looks, self.variants, self.folder, self.overwrite)
        blocked = [control.blockSignals(True) for control in controls]
        for i in range(self.looks.count()):
            on = self.looks.item(i).data(Qt.ItemDataRole.UserRole) in choices.options
            self.looks.item(i).setCheckState(Qt.CheckState.Checked if on else Qt.CheckState.Unchecked)
        self.variants.setValue(choices.variants)
        self.folder.setText(choices.folder)
        self.overwrite.setChecked(choices.overwrite)
        for control, before in zip(controls, blocked, strict=True):
            control.blockSignals(before)
        choose(self.format, choices.format)
        self._show_plan()

    def _show_plan(self) -> None:
        self.export_button.setText(f"Export {self.session.exporting.plan()}")

    def _show_note(self) -> None:
        self.foot.status.show_note(self.session.notes.export)

    def _show_lane(self) -> None:
        self.foot.show_lane()
        self.export_button.setEnabled(not self.session.exporting.lane.state.running)
