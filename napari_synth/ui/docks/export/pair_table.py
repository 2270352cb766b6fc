"""The table of what is exported: a line for each mask, a column for each look, how many images in the cells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from qtpy.QtCore import QSize, Qt, Signal
from qtpy.QtGui import QIcon
from qtpy.QtWidgets import QAbstractItemView, QHeaderView, QTableWidget, QTableWidgetItem
from superqt.utils import signals_blocked

from napari_synth.models.card import Look
from napari_synth.ui.widgets.controls import SEEN_BOXES, look_icon
from napari_synth.ui.widgets.panel import described, literal

MARK = "▸"
"""Before the number of the cell whose pair is written first."""
NONE = "–"
LINES = 7
HEAD_LINES = 3
WIDE, NARROW = 90, 44
AROUND = 8
"""Pixels beside the longest word of a head."""


@dataclass(frozen=True)
class Line:
    """One line of the table.

    Attributes
    ----------
    name : str
    count : int
        Masks it stands for.
    fault : str
        Why it cannot be exported; empty where it can.
    on : bool or None
        Whether it is ticked; None: it has no tick.
    """

    name: str
    count: int = 1
    fault: str = ""
    on: bool | None = True


class PairTable(QTableWidget):
    """Masks and looks to tick, and the number of images of each mask in each look."""

    mask_ticked = Signal(int, bool)
    """Number of a line, and whether it is ticked now."""
    look_ticked = Signal(str, bool)
    """Name of a look, and whether it is ticked now."""

    def __init__(self) -> None:
        super().__init__()
        described(
            self, "Masks and looks to export",
            "Tick masks (lines) and looks (columns); the numbers are images, the marked one is written first",
        )  # fmt: skip
        self._looks: tuple[str, ...] = ()
        self.setStyleSheet(SEEN_BOXES)
        self.setIconSize(QSize(16, 16))
        self.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAsNeeded)
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.setTabKeyNavigation(False)
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(self.fontMetrics().height() + 8)
        header = self.horizontalHeader()
        header.setMinimumSectionSize(NARROW)
        font = header.font()
        font.setPointSizeF(8)
        header.setFont(font)
        wrapped = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextWordWrap
        header.setDefaultAlignment(wrapped)
        header.setFixedHeight(HEAD_LINES * header.fontMetrics().lineSpacing() + 6)
        self.itemChanged.connect(self._tell)

    def show_pairs(
        self, lines: Sequence[Line], looks: Sequence[Look], chosen: Sequence[str], images: int, first: int | None
    ) -> None:
        """Show what is exported.

        Parameters
        ----------
        lines : sequence of Line
            In the order of the layer list.
        looks : sequence of Look
            Those of the model; empty where it has none.
        chosen : sequence of str
            The looks that are ticked, that which is written first before the others.
        images : int
            Of each mask in each look.
        first : int, optional
            The line of the mask that is written first.
        """
        names = tuple(look.name for look in looks)
        heads = (
            ["Mask", *(look.title.replace(", ", "\n") or look.name for look in looks)] if looks else ["Mask", "images"]
        )
        with signals_blocked(self):
            self._looks = names
            self.setColumnCount(1 + max(len(looks), 1))
            self.setRowCount(self._top + len(lines))
            self.setHorizontalHeaderLabels(heads)
            for column, look in enumerate(looks, 1):
                self.horizontalHeaderItem(column).setToolTip(literal(look.title or look.name))
                self._set(0, column, "", look.title or look.name, look.name in chosen).setIcon(look_icon(look, 16))
            if looks:
                self._set(0, 0, "Looks", "Tick the looks each mask is rendered in")
            for number, line in enumerate(lines):
                self._put(number, line, chosen, images, first == number)
        self._fit(len(looks))

    @property
    def _top(self) -> int:
        """Lines above the first mask."""
        return 1 if self._looks else 0

    def _put(self, number: int, line: Line, chosen: Sequence[str], images: int, first: bool) -> None:
        text = f"{line.name} {line.fault}" if line.fault else line.name
        head = self._set(self._top + number, 0, text, text, line.on)
        if line.fault:
            head.setFlags(head.flags() & ~Qt.ItemFlag.ItemIsEnabled)
        for column, look in enumerate(self._looks or ("",), 1):
            on = line.on is not False and not line.fault and (not self._looks or look in chosen)
            marked = on and first and look == (*chosen, "")[0]
            count = str(line.count * images) if on else NONE
            tip = "The pair that is written first" if marked else text
            cell = self._set(self._top + number, column, f"{MARK} {count}" if marked else count, tip)
            cell.setTextAlignment(Qt.AlignmentFlag.AlignCenter)
            if marked:
                font = cell.font()
                font.setBold(True)
                cell.setFont(font)

    def _fit(self, looks: int) -> None:
        """As many lines as there are, up to `LINES`; names take what the looks leave."""
        header = self.horizontalHeader()
        for column in range(self.columnCount()):
            header.setSectionResizeMode(
                column, QHeaderView.ResizeMode.Stretch if column == 0 else QHeaderView.ResizeMode.Fixed
            )
            if column:
                header.resizeSection(column, max(self._longest_word(column), NARROW if looks > 1 else WIDE))
        height = self.verticalHeader().defaultSectionSize()
        self.setFixedHeight(header.height() + min(max(self.rowCount(), 2), LINES) * height + 4)

    def _longest_word(self, column: int) -> int:
        """Pixels that a head needs so that no word of it is cut."""
        metrics = self.horizontalHeader().fontMetrics()
        words = self.horizontalHeaderItem(column).text().split()
        return max((metrics.horizontalAdvance(word) for word in words), default=0) + AROUND

    def _tell(self, item: QTableWidgetItem) -> None:
        on = item.checkState() == Qt.CheckState.Checked
        if item.column() and item.row() < self._top:
            self.look_ticked.emit(self._looks[item.column() - 1], on)
        elif not item.column():
            self.mask_ticked.emit(item.row() - self._top, on)

    def _set(self, line: int, column: int, text: str, tip: str, on: bool | None = None) -> QTableWidgetItem:
        """What a cell shows, with a tick where ``on`` says which; a cell that is there stays: it may be what tells."""
        item = self.item(line, column)
        if item is None:
            item = QTableWidgetItem()
            self.setItem(line, column, item)
        item.setText(text)
        item.setToolTip(literal(tip))
        item.setIcon(QIcon())
        font = item.font()
        font.setBold(False)
        item.setFont(font)
        flags = Qt.ItemFlag.ItemIsEnabled
        if on is not None:
            flags |= Qt.ItemFlag.ItemIsUserCheckable
        item.setData(Qt.ItemDataRole.CheckStateRole, None if on is None else _state(on))
        item.setFlags(flags)
        return item


def _state(on: bool) -> Qt.CheckState:
    return Qt.CheckState.Checked if on else Qt.CheckState.Unchecked
