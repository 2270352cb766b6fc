"""Thumbnails to choose from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from qtpy.QtCore import QModelIndex, QSize, Qt, Signal
from qtpy.QtGui import QColor, QFont, QFontMetrics, QIcon, QImage, QPainter, QPixmap
from qtpy.QtWidgets import QListView, QListWidget, QListWidgetItem, QStyledItemDelegate, QStyleOptionViewItem
from superqt.utils import signals_blocked

from napari_synth.ui.widgets.panel import literal

SIDE = 64
IN_A_ROW = 4
CELL_WIDTH = 75
BESIDE_WORDS = 8
"""Pixels that Qt leaves free beside the words of a cell."""
SHARES = (0.85, 0.8, 0.75, 0.7)
"""Of the size of the window's letters, the largest first."""


@dataclass(frozen=True)
class Tile:
    """One thumbnail.

    Attributes
    ----------
    key : object
        What is chosen with it.
    title, tip : str
    """

    key: Any
    title: str
    tip: str


class _SmallWords(QStyledItemDelegate):
    """Draws titles in letters so small that no word is cut, as far as they can be read, whatever the theme."""

    def __init__(self, tiles: QListWidget):
        super().__init__(tiles)
        self._tiles = tiles
        self._words: list[str] = []

    def fit(self, words: list[str]) -> None:
        """The words that are to be seen whole."""
        self._words = words

    @property
    def font(self) -> QFont:
        """The largest that fits."""
        font, size = QFont(self._tiles.font()), self._tiles.font().pointSizeF()
        for share in SHARES:
            font.setPointSizeF(share * size)
            metrics = QFontMetrics(font)
            if max(map(metrics.horizontalAdvance, self._words), default=0) <= CELL_WIDTH - BESIDE_WORDS:
                break
        return font

    def initStyleOption(self, option: QStyleOptionViewItem | None, index: QModelIndex) -> None:
        """As always, but for the letters."""
        super().initStyleOption(option, index)
        if option is not None:
            option.font = self.font
            option.fontMetrics = QFontMetrics(option.font)


class TileList(QListWidget):
    """A row of thumbnails with titles, four beside each other.

    Parameters
    ----------
    lines : int
        Lines of the titles.
    """

    chose = Signal(object)
    """The key of the tile that the user clicked or went to by keyboard."""

    def __init__(self, lines: int):
        super().__init__()
        self._tiles: tuple[Tile, ...] = ()
        self._blank = _blank_icon()
        self._cell = QSize(CELL_WIDTH, SIDE + 10 + lines * self.fontMetrics().lineSpacing())
        self.setViewMode(QListView.ViewMode.IconMode)
        self.setMovement(QListView.Movement.Static)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setIconSize(QSize(SIDE, SIDE))
        self.setGridSize(self._cell)
        self.setWordWrap(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._small = _SmallWords(self)
        self.setItemDelegate(self._small)
        self.currentRowChanged.connect(self._on_row)

    def minimumSizeHint(self) -> QSize:
        """Four cells."""
        return QSize(IN_A_ROW * CELL_WIDTH + 4, self._cell.height() + 4)

    @property
    def chosen(self) -> Any:
        """The key of the chosen tile; None where there is none."""
        row = self.currentRow()
        return self._tiles[row].key if row >= 0 else None

    def show_tiles(self, tiles: Sequence[Tile], chosen: Any) -> None:
        """Show these; the pictures of those that were there stay."""
        with signals_blocked(self):
            self._show(tiles, chosen)

    def _show(self, tiles: Sequence[Tile], chosen: Any) -> None:
        if tuple(tiles) != self._tiles:
            icons = {tile.key: self.item(place).icon() for place, tile in enumerate(self._tiles)}
            self.clear()
            self._tiles = tuple(tiles)
            self._small.fit([word for tile in tiles for word in tile.title.split()])
            for tile in tiles:
                item = QListWidgetItem(icons.get(tile.key) or self._blank, tile.title)
                item.setToolTip(literal(tile.tip))
                item.setData(Qt.ItemDataRole.UserRole, tile.key)
                self.addItem(item)
            rows = -(-len(tiles) // IN_A_ROW)
            self.setFixedHeight(max(rows, 1) * self._cell.height() + 4)
        places = [place for place, tile in enumerate(tiles) if tile.key == chosen]
        self.setCurrentRow(places[0] if places else -1)

    def show_icon(self, key: Any, icon: QIcon) -> None:
        """Another picture of a tile, where there is one of this key."""
        for place, tile in enumerate(self._tiles):
            if tile.key == key:
                self.item(place).setIcon(icon)

    def _on_row(self, row: int) -> None:
        if row >= 0:
            self.chose.emit(self._tiles[row].key)


def _blank_icon() -> QIcon:
    """What keeps the place of a picture that is still to come."""
    picture = QPixmap(SIDE, SIDE)
    picture.fill(QColor(128, 128, 128, 60))
    painter = QPainter(picture)
    painter.setPen(QColor(128, 128, 128))
    painter.drawText(picture.rect(), Qt.AlignmentFlag.AlignCenter, "…")
    painter.end()
    icon = QIcon(picture)
    icon.addPixmap(picture, QIcon.Mode.Selected)
    return icon


def icon_of(picture: np.ndarray) -> QIcon:
    """The icon of an image ``(Y, X)`` or ``(Y, X, 3)`` uint8; the same where it is chosen, else Qt tints it."""
    rgb = picture if picture.ndim == 3 else np.repeat(picture[..., None], 3, -1)
    rgb = np.ascontiguousarray(rgb)
    height, width = rgb.shape[:2]
    shown = QPixmap.fromImage(QImage(rgb.data, width, height, 3 * width, QImage.Format.Format_RGB888))
    shown = shown.scaled(
        2 * SIDE,
        2 * SIDE,
        Qt.AspectRatioMode.KeepAspectRatioByExpanding,
        Qt.TransformationMode.SmoothTransformation,
    )
    icon = QIcon(shown)
    icon.addPixmap(shown, QIcon.Mode.Selected)
    return icon
