"""Statistics of real masks beside those of the composed field."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QGridLayout, QLabel, QWidget

from napari_synth.ui.widgets.panel import described

if TYPE_CHECKING:
    from napari_synth.masks.statistics import Compared

ROWS = ("real", "composed", "distance")
TIPS = (
    "Measured on the masks that the field is fitted to: mean ± standard deviation",
    "The field that was sampled last",
    "Kolmogorov-Smirnov distance of the two distributions: 0 alike, 1 nothing in common",
)
SHORT = {
    "nuclei per 256²": "per 256²",
    "area, px²": "area px²",
    "eccentricity": "eccentric.",
    "nearest neighbour, px": "nearest px",
}


class StatisticsTable(QWidget):
    """A column for each number, a line each for real and composed masks; hidden while there is nothing."""

    def __init__(self) -> None:
        super().__init__()
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(12, 2, 12, 0)
        self._grid.setHorizontalSpacing(8)
        self._grid.setVerticalSpacing(0)
        described(self, "Real and composed masks", "What the real masks and the sampled field have in common")
        self.hide()

    def show_lines(self, lines: list[Compared]) -> None:
        """Show a comparison; nothing with an empty list."""
        while item := self._grid.takeAt(0):
            item.widget().deleteLater()
        for place, (name, tip) in enumerate(zip(ROWS, TIPS, strict=True), 1):
            self._put(place, 0, name, tip)
        for column, line in enumerate(lines, 1):
            self._put(0, column, SHORT.get(line.name, line.name), line.name)
            for place, (name, tip) in enumerate(zip(ROWS, TIPS, strict=True), 1):
                self._put(place, column, getattr(line, name) or "–", tip)
        said = (f"{line.name}: real {line.real}, composed {line.composed or 'none yet'}" for line in lines)
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
        label.setToolTip(tip)
        side = Qt.AlignmentFlag.AlignLeft if column == 0 else Qt.AlignmentFlag.AlignRight
        label.setAlignment(side | Qt.AlignmentFlag.AlignVCenter)
        self._grid.addWidget(label, line, column)
