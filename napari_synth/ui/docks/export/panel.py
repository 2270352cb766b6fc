"""The Export dock: which pairs, how many, where to."""

from __future__ import annotations

import weakref
from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QFileDialog, QPushButton
from superqt import QRangeSlider
from superqt.utils import signals_blocked

from napari_synth.exporting.formats import FORMATS
from napari_synth.exporting.shard_plan import SHARDS, SHARDS_TITLE
from napari_synth.ui.context.choices import ExportChoices
from napari_synth.ui.docks.export.actions import SAMPLED
from napari_synth.ui.docks.export.done_card import DoneCard
from napari_synth.ui.docks.export.pair_table import Line, PairTable
from napari_synth.ui.widgets.controls import show_key, wide
from napari_synth.ui.widgets.footer import Foot, wrapped_label
from napari_synth.ui.widgets.forms import Form
from napari_synth.ui.widgets.panel import Panel, beside, described, row

if TYPE_CHECKING:
    from napari_synth.ui.docks.export.actions import ExportActions
    from napari_synth.ui.docks.export.rows import Source

FORM = ("variants", "format", "folder", "overwrite", "strict")
"""Fields of `ExportChoices` that the panel asks for."""


class ExportPanel(Panel):
    """Write image-label pairs for training."""

    def __init__(self, dock: ExportActions):
        super().__init__(dock.context)
        self.dock = dock
        self._sources: list[weakref.ref[Source]] = []
        self._build_table()
        self._build_rows()
        self._build_button()
        self.foot = Foot(self.dock.jobs.lane)
        self.set_foot(self.foot)
        self._connect()

    def _build_table(self) -> None:
        self.table = PairTable()
        self.body.addWidget(self.table)

    def _build_rows(self) -> None:
        titles = [*((FORMATS[name].title, name) for name in FORMATS), (SHARDS_TITLE, SHARDS)]
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
        self.split_words = wrapped_label()
        row(grid, "Split", self.split)
        row(grid, "", beside(self.split_words, self.form.controls["strict"], wide=1))
        self.real = described(
            QPushButton(),
            "Real pairs",
            "Split your real pairs instead: synthetic ones only train, real ones validate and test",
        )
        self.without_real = described(QPushButton("Without"), "Without real pairs", "Export synthetic pairs alone")
        row(grid, "", beside(self.real, self.without_real, wide=1))
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
        self.table.mask_ticked.connect(self._store_mask)
        self.table.look_ticked.connect(dock.include_look)
        self.browse.clicked.connect(self._ask_folder)
        self.export_button.clicked.connect(self._export)
        self.split.valueChanged.connect(self._store_split)
        self.sample.clicked.connect(self._sample)
        self.real.clicked.connect(self._ask_real)
        self.without_real.clicked.connect(self._leave_real_out)
        self.card.more.clicked.connect(dock.add_more)
        self.watch(dock.plan_changed, self._show_plan)
        self.watch(context.masks.current_changed, self._show_other_mask)
        self.watch(context.export.events, self._show_plan)
        self.watch(context.notes.changed, self._show_note)
        self.watch(context.rendered, self._show_plan)
        self.watch(context.look.events, self._show_plan)
        self.watch(dock.finished_changed, self._show_finished)
        self.watch(dock.jobs.lane.state.events, self._show_lane)

    def _export(self) -> None:
        self.context.export.folder = self.form.line("folder").text()  # what is typed counts without Enter
        self.dock.export()

    def _store_mask(self, line: int, on: bool) -> None:
        source = self._sources[line]()
        if source is not None:
            self.dock.include(source, on)

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

    def _ask_real(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, "Folder of images/ and masks/", self.context.export.real)
        if folder:
            self.context.export.real = folder

    def _leave_real_out(self) -> None:
        self.context.export.real = ""

    def _show_table(self) -> None:
        dock, choices = self.dock, self.context.export
        rows = dock.rows.all()
        self._sources = [weakref.ref(row.source) for row in rows]
        lines = [Line(row.name, row.count, row.fault, row.on) for row in rows]
        first = next((row.source for row in dock.rows.chosen()), None)
        place = next((number for number, row in enumerate(rows) if row.source is first), None)
        images = choices.variants * choices.rounds
        if choices.sampled:
            lines, place, images = [Line("sampled masks", choices.sampled, on=None)], 0, choices.rounds
        self.table.show_pairs(lines, dock.card_looks, dock.looks, images, place)

    def _show_plan(self) -> None:
        dock, sampled = self.dock, self.context.export.sampled
        self._show_table()
        self.export_button.setText(f"Export {dock.plan()}")
        self.first.setText(dock.first())
        alike = dock.alike()
        self.alike.setText(
            f"⚠ {alike}" if alike else f"{sampled} masks are sampled as set under Mask." if sampled else ""
        )
        self.alike.setVisible(bool(self.alike.text()))
        self.sample.setText("Use the masks in layers" if sampled else f"Sample {SAMPLED} masks instead")
        self.sample.setVisible(bool(self.alike.text()))
        choices = self.context.export
        self.real.setText(f"With {Path(choices.real).name}" if choices.real else "With my real pairs…")
        self.without_real.setVisible(bool(choices.real))
        train, test = choices.kept_apart
        self.form.controls["strict"].setEnabled(train < 100)
        with signals_blocked(self.split):
            self.split.setValue((train, test))
        parts = zip(("train", "validate", "test"), (train, test - train, 100 - test), strict=True)
        self.split_words.setText(" · ".join(f"{share} % {role}" for role, share in parts if share))

    def _show_other_mask(self) -> None:
        """What is exported now is chosen in the table, however far somebody scrolled."""
        self._show_plan()
        self.bring_into_view(self.table)

    def _show_finished(self) -> None:
        self.card.show_result(self.dock.finished, may_grow=self.context.export.format != SHARDS)
        if not self.card.isHidden():
            self.bring_into_view(self.card)

    def _show_note(self) -> None:
        self.foot.status.show_note(self.dock.note)

    def _show_lane(self) -> None:
        self.foot.show_lane()
        self.export_button.setEnabled(not self.dock.jobs.lane.state.running)
