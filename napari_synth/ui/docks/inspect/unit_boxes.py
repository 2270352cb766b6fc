"""Capsules and channels: the table of those that answer to a structure, and the changes made to them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QSize, Qt, Signal
from qtpy.QtWidgets import (
    QAbstractItemView,
    QCheckBox,
    QGridLayout,
    QHBoxLayout,
    QHeaderView,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QSlider,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)
from superqt.utils import signals_blocked

from napari_synth.ui.context.network_changes import change_words, unit_of, unit_words
from napari_synth.ui.widgets.binding import bind, set_value
from napari_synth.ui.widgets.controls import number, show_key, whole
from napari_synth.ui.widgets.footer import JobBar, wrapped_label
from napari_synth.ui.widgets.panel import beside, described, row

if TYPE_CHECKING:
    from qtpy.QtGui import QKeyEvent

    from napari_synth.evaluation.ranking import UnitScore
    from napari_synth.ui.context.network_changes import Unit
    from napari_synth.ui.docks.inspect.actions import InspectActions
    from napari_synth.ui.docks.inspect.jobs import Ranked
    from napari_synth.ui.jobs.lanes import Lane

COLUMNS = ("Answers", "Layer", "Capsule", "AUC")
LAYER_COLUMN = 1
SHOWN_ROWS = 200
TABLE_HEIGHT = 126
LIST_LINES = 2
SMALL_BUTTON = 40
SCALE_STEPS = 100
"""Steps of the slider for a factor of 1."""
MOST = 3
MOST_CHANNELS = 10_000
"""More than a capsule has; capsules are sorted by number, then by channel."""


class LaneBar(JobBar):
    """A job bar that is there only while its lane runs."""

    def __init__(self, lane: Lane):
        super().__init__(lane)
        self.show_lane()

    def show_lane(self) -> None:
        """Follow the lane."""
        self.show_state(self._lane.state)
        self.setVisible(self._lane.state.running)


class _Number(QTableWidgetItem):
    """A cell that is sorted by its number."""

    def __init__(self, text: str, value: float):
        super().__init__(text)
        self.value = value

    def __lt__(self, other: QTableWidgetItem) -> bool:
        return self.value < other.value if isinstance(other, _Number) else super().__lt__(other)


class RankTable(QTableWidget):
    """Capsules and channels with their AUC; double click or Enter shows one."""

    unit_chosen = Signal(object)
    unit_opened = Signal(object)

    def __init__(self) -> None:
        super().__init__(0, len(COLUMNS))
        self.setHorizontalHeaderLabels(COLUMNS)
        self.verticalHeader().hide()
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setTabKeyNavigation(False)
        self.setMinimumHeight(TABLE_HEIGHT)
        self.setWordWrap(False)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        lines = self.verticalHeader()
        lines.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        lines.setDefaultSectionSize(self.fontMetrics().lineSpacing() + 6)
        header = self.horizontalHeader()
        header.setMinimumSectionSize(20)
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        self.itemSelectionChanged.connect(self._on_selected)
        self.itemActivated.connect(self._on_opened)
        self.itemDoubleClicked.connect(self._on_opened)

    def sizeHint(self) -> QSize:
        """Low enough for a small screen; it takes what is left."""
        return QSize(super().sizeHint().width(), TABLE_HEIGHT)

    def show_ranking(self, ranking: Ranked | None, structure: str) -> None:
        """List the scores, the best answer first."""
        scores = ranking.scores[:SHOWN_ROWS] if ranking else []
        self.setSortingEnabled(False)
        with signals_blocked(self):
            self._fill(scores, structure)
        self.setSortingEnabled(bool(scores))
        self.horizontalHeader().setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        self.clearSelection()

    def _fill(self, scores: list[UnitScore], structure: str) -> None:
        self.setColumnHidden(LAYER_COLUMN, len({score.layer for score in scores}) < 2)
        self.setRowCount(len(scores))
        for line, score in enumerate(scores):
            channel, place = ("length", -1) if score.channel is None else (f"ch. {score.channel}", score.channel)
            cells = (
                QTableWidgetItem(score.name(structure)),
                QTableWidgetItem(score.layer),
                _Number(f"{score.capsule}, {channel}", score.capsule + (place + 1) / MOST_CHANNELS),
                _Number(f"{score.auc:.3f}", score.auc),
            )
            unit = (score.layer, score.capsule, score.channel)
            cells[0].setData(Qt.ItemDataRole.UserRole, unit)
            for column, cell in enumerate(cells):
                cell.setToolTip(f"{score.name(structure)}: {unit_words(unit)}, AUC {score.auc:.3f}")
                self.setItem(line, column, cell)

    def unit(self, line: int) -> Unit:
        """What a row is about."""
        return tuple(self.item(line, 0).data(Qt.ItemDataRole.UserRole))

    def _on_selected(self) -> None:
        if self.selectedItems():
            self.unit_chosen.emit(self.unit(self.currentRow()))

    def _on_opened(self, item: QTableWidgetItem) -> None:
        self.unit_opened.emit(self.unit(item.row()))


class RankBox(QWidget):
    """Buttons to say which structure, and the table."""

    def __init__(self, dock: InspectActions):
        super().__init__()
        self._dock = dock
        self.pick = described(
            QPushButton("Pick on image"),
            "Pick a structure on the image",
            "Then point at a structure or the background to rank for it, and click to stay with it",
        )
        show_key(self.pick, dock.commands, "rank")
        self.pick.setCheckable(True)
        self.label = described(
            QPushButton("Selected label"),
            "Rank for the selected label",
            "Rank for the label selected in the mask layer",
        )
        self.everywhere = described(
            QCheckBox("all layers"),
            "Rank all layers",
            "Rank the capsules of all layers; off: of the chosen layer alone",
        )
        self.title = described(wrapped_label(), "What is ranked", "Which structure and which layers the table is about")
        self.table = described(
            RankTable(),
            "Capsules and channels by how they answer",
            "AUC of each channel, and of each capsule's length, against the structure, in the unchanged network: "
            "1 is high on the structure alone, 0 on the background alone. Double click shows it",
        )
        self.bar = LaneBar(dock.ranking.jobs.lane)
        line, said = QHBoxLayout(), QHBoxLayout()
        for widget in (self.pick, self.label):
            line.addWidget(widget)
        said.addWidget(self.title, 1)
        said.addWidget(self.everywhere, 0, Qt.AlignmentFlag.AlignTop)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addLayout(line)
        layout.addLayout(said)
        layout.addWidget(self.table, 1)
        layout.addWidget(self.bar)
        self.pick.clicked.connect(self._toggle_pick)
        self.label.clicked.connect(dock.ranking.rank_label)
        bind(dock.choices, "everywhere", self.everywhere)
        self.table.unit_chosen.connect(dock.choose)
        self.table.unit_opened.connect(dock.show_unit)

    def show_waiting(self) -> None:
        """Say whether a click is waited for."""
        waiting = self._dock.ranking.picker.waiting
        self.pick.setChecked(waiting)
        self.pick.setText("Point, then click…" if waiting else "Pick on image")

    def show_ranking(self) -> None:
        """Show the last ranking."""
        self.title.setText(self._dock.ranking.title)
        self.table.show_ranking(self._dock.ranking.last, self._dock.structure)

    def _toggle_pick(self, on: bool) -> None:
        picker = self._dock.ranking.picker
        picker.start() if on else picker.stop()


class ChangeList(QListWidget):
    """What is changed in the network."""

    removed = Signal(object)
    """Delete was pressed on the change of this unit."""

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Delete takes the selected change back."""
        unit = self.currentItem().data(Qt.ItemDataRole.UserRole) if self.currentItem() else None
        if event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace) and unit is not None:
            self.removed.emit(tuple(unit))
        else:
            super().keyPressEvent(event)


class ChangeBox(QWidget):
    """Switch off, scale or set a capsule or channel; the list of what is changed."""

    def __init__(self, dock: InspectActions):
        super().__init__()
        self._dock = dock
        self.capsule = whole(0, 0, "Capsule", "The capsule of the chosen layer that is changed")
        self.channel = whole(-1, 0, "Channel", "The pose channel that is changed, or all of the capsule")
        self.channel.setSpecialValueText("all")
        self.channel.setPrefix("ch. ")
        self.off = described(QPushButton("Off"), "Switch off", "Switch this capsule or channel off")
        self.factor = described(
            QSlider(Qt.Orientation.Horizontal), "Scale", "Multiply the activation; 1 leaves it as it is"
        )
        self.factor.setRange(-MOST * SCALE_STEPS, MOST * SCALE_STEPS)
        self.factor.setSingleStep(SCALE_STEPS // 10)
        self.factor.setPageStep(SCALE_STEPS // 2)
        self.factor_box = number(-MOST, MOST, 0.1, 2, "Scale by", "The number the activation is multiplied by")
        self.value = number(-100, 100, 0.1, 2, "Value", "The number the activation is set to")
        self.set_button = described(QPushButton("Set"), "Set", "Set the activation to this number everywhere")
        self.reset = described(QPushButton("Reset"), "Reset", "Take the change of this capsule or channel back")
        self.reset_all = described(
            QPushButton("Reset all"), "Reset all", "Take all changes back: the image is exactly what it was"
        )
        self.active = described(
            ChangeList(),
            "Active changes",
            "What is changed in the network, also for Synthesize and Export; Delete takes the selected one back",
        )
        self.active.setFixedHeight(LIST_LINES * (self.active.fontMetrics().lineSpacing() + 4) + 4)
        self.active.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._lay_out()
        self._connect()

    def _lay_out(self) -> None:
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(6)
        grid.setVerticalSpacing(3)
        row(grid, "Capsule", beside(self.capsule, self.channel))
        row(grid, "Scale", beside(self.factor, self.factor_box, wide=1))
        both = QHBoxLayout()
        for button in (self.set_button, self.off):
            button.setMinimumWidth(SMALL_BUTTON)
            both.addWidget(button)
        buttons = QWidget()
        both.setContentsMargins(0, 0, 0, 0)
        both.setSpacing(6)
        buttons.setLayout(both)
        row(grid, "Set to", beside(self.value, buttons))
        grid.addWidget(self.active, grid.rowCount(), 0, 1, 4)
        back = QHBoxLayout()
        back.setSpacing(6)
        for button in (self.reset, self.reset_all):
            back.addWidget(button)
        grid.addLayout(back, grid.rowCount(), 0, 1, 4)

    def _connect(self) -> None:
        dock = self._dock
        self._shown = [bind(dock.choices, "capsule", self.capsule), bind(dock.choices, "channel", self.channel)]
        self.off.clicked.connect(self._switch_off)
        self.factor.valueChanged.connect(self._scale_by_slider)
        self.factor_box.valueChanged.connect(self._scale)
        self.set_button.clicked.connect(self._set)
        self.reset.clicked.connect(self._reset)
        self.reset_all.clicked.connect(dock.reset_all)
        self.active.removed.connect(dock.reset)
        self.active.itemClicked.connect(self._choose)
        self.active.itemActivated.connect(self._choose)

    def show_unit(self) -> None:
        """Follow the chosen unit; the slider shows what it is scaled by."""
        stage, change = self._dock.stage(), self._dock.active_change
        scale = change.scale if change is not None and change.value is None else 1.0
        set_value(self.factor, round(scale * SCALE_STEPS))
        set_value(self.factor_box, scale)
        if change is not None and change.value is not None:
            set_value(self.value, change.value)
        if stage is not None:
            with signals_blocked(self.capsule), signals_blocked(self.channel):
                self.capsule.setRange(0, stage.capsules - 1)
                self.channel.setRange(-1, stage.channels - 1)
            for binding in self._shown:
                binding.show()

    def show_changes(self) -> None:
        """List what is changed."""
        changes = self._dock.active_changes
        self.active.clear()
        for change in changes:
            item = QListWidgetItem(change_words(change))
            item.setData(Qt.ItemDataRole.UserRole, unit_of(change))
            self.active.addItem(item)
        if not changes:
            item = QListWidgetItem("Nothing is changed.")
            item.setFlags(Qt.ItemFlag.ItemIsEnabled)  # read, not chosen
            self.active.addItem(item)
        self.reset_all.setEnabled(bool(changes))
        self.show_unit()

    def _switch_off(self) -> None:
        self._dock.change(scale=0.0)

    def _scale_by_slider(self, value: int) -> None:
        self._scale(value / SCALE_STEPS)

    def _scale(self, factor: float) -> None:
        self._dock.change(scale=factor)

    def _set(self) -> None:
        self._dock.change(value=self.value.value())

    def _reset(self) -> None:
        self._dock.reset()

    def _choose(self, item: QListWidgetItem) -> None:
        unit = item.data(Qt.ItemDataRole.UserRole)
        if unit is not None:
            self._dock.choose(tuple(unit))
