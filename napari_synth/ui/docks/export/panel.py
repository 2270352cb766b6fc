"""The Export dock: which pairs, how many, where to."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING

from qtpy.QtCore import QSize, Qt
from qtpy.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QVBoxLayout,
    QWidget,
)
from superqt import QRangeSlider
from superqt.utils import signals_blocked

from napari_synth.exporting.formats import FORMATS
from napari_synth.ui.context.choices import ExportChoices
from napari_synth.ui.docks.export.actions import SAMPLED
from napari_synth.ui.docks.export.done_card import DoneCard
from napari_synth.ui.widgets.controls import look_icon, show_key, wide
from napari_synth.ui.widgets.footer import Foot, wrapped_label
from napari_synth.ui.widgets.forms import Form
from napari_synth.ui.widgets.panel import Panel, beside, described, literal, row

if TYPE_CHECKING:
    from napari.layers import Labels

    from napari_synth.ui.docks.export.actions import ExportActions

FORM = ("variants", "format", "folder", "overwrite")
"""Fields of `ExportChoices` that the panel asks for."""
LIST_HEIGHT = 80


def tick_list(name: str, tip: str) -> QListWidget:
    """A list whose entries can be ticked."""
    ticks = described(QListWidget(), name, tip)
    ticks.setFixedHeight(LIST_HEIGHT)
    ticks.setMinimumWidth(80)
    ticks.setIconSize(QSize(16, 16))
    ticks.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    return ticks


def add_tick(ticks: QListWidget, item: QListWidgetItem, on: bool) -> None:
    """Add an entry that can be ticked."""
    item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
    item.setCheckState(Qt.CheckState.Checked if on else Qt.CheckState.Unchecked)
    item.setToolTip(literal(item.text()))
    ticks.addItem(item)


def is_ticked(item: QListWidgetItem) -> bool:
    """Whether the entry is ticked."""
    return bool(item.checkState() == Qt.CheckState.Checked)


class ExportPanel(Panel):
    """Write image-label pairs for training."""

    def __init__(self, dock: ExportActions):
        super().__init__(dock.context)
        self.dock = dock
        self._layers: list[weakref.ref[Labels]] = []
        self._build_lists()
        self._build_rows()
        self._build_button()
        self.foot = Foot(self.dock.jobs.lane)
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
        titles = [(FORMATS[name].title, name) for name in FORMATS]
        self.form = Form(ExportChoices, self.context.export, FORM, {"format": titles})
        self.browse = described(QPushButton("Browse…"), "Browse for the folder", "Choose the folder")
        self.form.line("folder").setPlaceholderText("choose a folder")
        rows, grid = self.form.rows(), self.grid()
        row(grid, "To train", self.form.controls["format"])
        row(grid, "Variants", rows["Variants"])
        self.split = described(
            QRangeSlider(Qt.Orientation.Horizontal),  # type: ignore[no-untyped-call]
            "Split",
            "Left of the first handle: to train; between them: to validate; right of the second: to test. "
            "All pairs of a mask stay together",
        )
        self.split.setRange(0, 100)
        self.split_words = QLabel()
        row(grid, "Split", self.split)
        row(grid, "", self.split_words)
        row(grid, "Folder", beside(rows["Folder"], self.browse, wide=1))
        self.first = wrapped_label()
        self.body.addWidget(described(self.first, "First pair", "The pair that is written first"))
        self.alike = wrapped_label()
        self.sample = described(
            QPushButton(), "Sample masks", "Sample masks as set under Mask, in place of variants of a few"
        )
        self.body.addWidget(described(self.alike, "Variants are alike", "What more masks would bring"))
        self.body.addWidget(self.sample)
        self.card = DoneCard()
        self.body.addWidget(self.card)

    def _build_button(self) -> None:
        tip = "Render and write the pairs (masks × looks × variants); an export that was stopped goes on"
        self.export_button = wide(described(QPushButton("Export"), "Export", tip))
        show_key(self.export_button, self.dock.commands, "export")
        self.buttons.addWidget(self.export_button, 1)
        self.more.addWidget(self.form.controls["overwrite"])

    def _connect(self) -> None:
        context, dock = self.context, self.dock
        self.masks.itemChanged.connect(self._store_mask)
        self.looks.itemChanged.connect(self._store_looks)
        self.browse.clicked.connect(self._ask_folder)
        self.export_button.clicked.connect(self._export)
        self.split.valueChanged.connect(self._store_split)
        self.sample.clicked.connect(self._sample)
        self.card.more.clicked.connect(dock.add_more)
        self.watch(dock.plan_changed, self._show_masks)
        self.watch(context.look.events.model, self._show_looks)
        self.watch(context.export.events, self._show_choices)
        self.watch(context.notes.changed, self._show_note)
        self.watch(context.rendered, self._show_plan)
        self.watch(context.look.events, self._show_plan)
        self.watch(dock.finished_changed, self._show_finished)
        self.watch(dock.jobs.lane.state.events, self._show_lane)

    def _export(self) -> None:
        self.context.export.folder = self.form.line("folder").text()  # what is typed counts without Enter
        self.dock.export()

    def _store_looks(self) -> None:
        items = [self.looks.item(i) for i in range(self.looks.count())]
        self.context.export.options = tuple(item.data(Qt.ItemDataRole.UserRole) for item in items if is_ticked(item))

    def _store_mask(self, item: QListWidgetItem) -> None:
        layer = self._layers[self.masks.row(item)]()
        if layer is not None:
            self.dock.include(layer, is_ticked(item))

    def _store_split(self, handles: tuple[int, int]) -> None:
        self.context.export.kept_apart = (int(handles[0]), int(handles[1]))

    def _sample(self) -> None:
        if self.context.export.sampled:
            self.dock.use_layers()
        else:
            self.dock.sample_instead()

    def _ask_folder(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, "Export to", self.form.line("folder").text())
        if folder:
            self.context.export.folder = folder

    def _show_masks(self) -> None:
        layers, chosen = self.context.masks.layers, self.dock.masks
        with signals_blocked(self.masks):
            self.masks.clear()
            self._layers = [weakref.ref(layer) for layer in layers]
            for layer in layers:
                fault = self.dock.fault(layer)
                item = QListWidgetItem(f"{layer.name} {fault}" if fault else layer.name)
                add_tick(self.masks, item, any(layer is other for other in chosen))
                if fault:
                    item.setFlags(item.flags() & ~Qt.ItemFlag.ItemIsEnabled)
        self._show_plan()

    def _show_looks(self) -> None:
        card = self.context.catalogue.card(self.context.look.model)
        with signals_blocked(self.looks):
            self.looks.clear()
            for option in card.looks if card else []:
                item = QListWidgetItem(look_icon(option, 16), option.title or option.name)
                item.setData(Qt.ItemDataRole.UserRole, option.name)
                add_tick(self.looks, item, option.name in self.context.export.options)
        self.looks.parentWidget().setVisible(self.looks.count() > 0)
        self._show_plan()

    def _show_choices(self) -> None:
        with signals_blocked(self.looks):
            for item in (self.looks.item(i) for i in range(self.looks.count())):
                on = item.data(Qt.ItemDataRole.UserRole) in self.context.export.options
                item.setCheckState(Qt.CheckState.Checked if on else Qt.CheckState.Unchecked)
        self._show_plan()

    def _show_plan(self) -> None:
        dock, sampled = self.dock, self.context.export.sampled
        self.export_button.setText(f"Export {dock.plan()}")
        self.first.setText(dock.first())
        alike = dock.alike()
        self.alike.setText(
            f"⚠ {alike}" if alike else f"{sampled} masks are sampled as set under Mask." if sampled else ""
        )
        self.alike.setVisible(bool(self.alike.text()))
        self.sample.setText("Use the masks in layers" if sampled else f"Sample {SAMPLED} masks instead")
        self.sample.setVisible(bool(self.alike.text()))
        self.masks.setEnabled(not sampled)
        train, test = self.context.export.kept_apart
        with signals_blocked(self.split):
            self.split.setValue((train, test))
        parts = zip(("train", "validate", "test"), (train, test - train, 100 - test), strict=True)
        self.split_words.setText(" · ".join(f"{share} % {role}" for role, share in parts if share))

    def _show_finished(self) -> None:
        self.card.show_result(self.dock.finished)

    def _show_note(self) -> None:
        self.foot.status.show_note(self.dock.note)

    def _show_lane(self) -> None:
        self.foot.show_lane()
        self.export_button.setEnabled(not self.dock.jobs.lane.state.running)
