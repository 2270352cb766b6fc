"""The sheet of all keys."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QDialog, QDialogButtonBox, QGridLayout, QLabel, QVBoxLayout

from napari_synth.ui.napari_bridge.keys import key_words
from napari_synth.ui.napari_bridge.window import window_of
from napari_synth.ui.widgets.panel import described

if TYPE_CHECKING:
    from napari.components import ViewerModel

OF_NAPARI = (
    ("2", "Paint"),
    ("1", "Erase"),
    ("4", "Fill"),
    ("6", "Move the picture"),
    ("M", "Number of the next object"),
    ("[ ]", "Smaller or larger brush"),
    ("Ctrl+Z", "Take back"),
    ("V", "Hide or show the layer"),
    ("Ctrl+R", "See all"),
)
"""Keys of napari that a painter needs."""


class CheatSheet(QDialog):
    """Keys and what they do.

    Parameters
    ----------
    parent : QWidget or None
    keys : iterable of (str, str, str)
        The step or panel it belongs to, the shortcut as Qt writes it, what it does.
    """

    def __init__(self, parent: Any, keys: Iterable[tuple[str, str, str]]):
        super().__init__(parent)
        self.setWindowTitle("Keys")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        lines = [(group, key_words(shortcut), title) for group, shortcut, title in keys]
        lines += [("Painting in napari", *line) for line in OF_NAPARI]
        grid = QGridLayout()
        grid.setHorizontalSpacing(24)
        last = ""
        for group, key, title in lines:
            if group != last:
                grid.addWidget(QLabel(f"<b>{group}</b>"), grid.rowCount(), 0, 1, 2)
                last = group
            line = grid.rowCount()
            grid.addWidget(QLabel(key), line, 0)
            grid.addWidget(QLabel(title), line, 1)
        close = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        close.rejected.connect(self.close)
        described(close.button(QDialogButtonBox.StandardButton.Close), "Close", "Close this sheet (Esc)")
        layout = QVBoxLayout(self)
        layout.addLayout(grid)
        layout.addWidget(QLabel("Everything is in the command palette too: Ctrl+Shift+P."))
        layout.addWidget(close)


def show_cheat_sheet(viewer: ViewerModel, keys: Iterable[tuple[str, str, str]]) -> None:
    """Show the sheet over the window of a viewer."""
    CheatSheet(window_of(viewer), keys).show()
