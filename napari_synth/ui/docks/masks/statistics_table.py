"""Statistics of real masks beside those of the composed field."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QGridLayout, QLabel, QWidget

from napari_synth.ui.widgets.panel import described, drop

if TYPE_CHECKING:
    from napari_synth.masks.statistics import Compared

COLUMNS = ("real", "composed", "distance")
HEADS = ("real", "sampled", "apart")
TIPS = (
    "Measured on the masks that the field is fitted to: mean ± standard deviation",
    "The field that was sampled last",
    "Kolmogorov-Smirnov distance of the two distributions: 0 alike, 1 nothing in common",
)


SHORT = (("nuclei per", "per"), ("eccentricity", "eccentric."), ("nearest neighbour", "nearest"), (",", ""))
"""Words of the numbers as they have room in the column."""


def short(name: str) -> str:
    """The name of a number, shortened; the tooltip has all of it."""
    for words, fewer in SHORT:
        name = name.replace(words, fewer)
    return name


class StatisticsTable(QWidget):
    """A line for each number, a column each for real and sampled masks; hidden while there is nothing."""

    def __init__(self) -> None:
        super().__init__()
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 2, 0, 0)
        self._grid.setHorizontalSpacing(6)
        self._grid.setVerticalSpacing(0)
        described(self, "Real and sampled masks", "What the real masks and the sampled field have in common")
        self.hide()

    def show_lines(self, lines: list[Compared]) -> None:
        """Show a comparison; nothing with an empty list."""
        while item := self._grid.takeAt(0):
            drop(item.widget())
        for column, (head, tip) in enumerate(zip(HEADS, TIPS, strict=True), 1):
            self._put(0, column, head, tip)
        for place, line in enumerate(lines, 1):
            self._put(place, 0, short(line.name), line.name)
            for column, (name, tip) in enumerate(zip(COLUMNS, TIPS, strict=True), 1):
                self._put(place, column, getattr(line, name) or "–", tip)
        said = (f"{line.name}: real {line.real}, sampled {line.composed or 'none yet'}" for line in lines)
        self.setAccessibleDescription("; ".join(said))
        self.setVisible(bool(lines))

    def texts(self) -> list[list[str]]:
        """What is shown, row by row."""
        found: list[list[str]] = []
        for line in range(self._grid.rowCount()):
            cells = (self._grid.itemAtPosition(line, column) for column in range(self._grid.columnCount()))
            found.append([cell.widget().text() if cell else "" for cell in cells])
        return found

    def _put(self, line: int, column: int, text: str, tip: str) -> None:
        label = QLabel(text)
        label.setStyleSheet("font-size: 8pt;")
        label.setToolTip(tip)
        side = Qt.AlignmentFlag.AlignLeft if column == 0 else Qt.AlignmentFlag.AlignRight
        label.setAlignment(side | Qt.AlignmentFlag.AlignVCenter)
        self._grid.addWidget(label, line, column)
