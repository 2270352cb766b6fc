"""Cards, of which one is open, and parts that fold."""

from __future__ import annotations

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QButtonGroup, QHBoxLayout, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from napari_synth.ui.widgets.panel import described

TAB_HEIGHT = 30
MARKS = {True: "▾", False: "▸"}


class Cards(QWidget):
    """Tabs as wide as each other, and the open card below them, no higher than it needs to be.

    Parameters
    ----------
    cards : dict of (str, str, QWidget)
        Title, tooltip and card, by key.
    """

    chosen = Signal(str)
    """The key of the card that the user opened."""

    def __init__(self, cards: dict[str, tuple[str, str, QWidget]]):
        super().__init__()
        self.tabs: dict[str, QPushButton] = {}
        self.cards = {key: card for key, (_, _, card) in cards.items()}
        group = QButtonGroup(self)
        line = QHBoxLayout()
        line.setSpacing(3)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addLayout(line)
        for key, (title, tip, card) in cards.items():
            tab = described(QPushButton(title), title, tip)
            tab.setCheckable(True)
            tab.setMinimumHeight(TAB_HEIGHT)
            tab.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
            group.addButton(tab)
            line.addWidget(tab, 1)
            layout.addWidget(card)
            self.tabs[key] = tab
        group.buttonClicked.connect(self._on_tab)
        self.open(next(iter(cards)))

    def open(self, key: str) -> None:
        """Show a card."""
        for name, tab in self.tabs.items():
            tab.setChecked(name == key)
            tab.setStyleSheet(f"font-weight: {'bold' if name == key else 'normal'};")
            self.cards[name].setVisible(name == key)

    def offer(self, key: str, on: bool) -> None:
        """Show the tab of a card or not; another card opens in place of one that is no longer offered."""
        self.tabs[key].setVisible(on)
        if not on and self.tabs[key].isChecked():
            self.open(next(name for name in self.tabs if name != key))

    def _on_tab(self, tab: QPushButton) -> None:
        key = next(name for name, other in self.tabs.items() if other is tab)
        self.open(key)
        self.chosen.emit(key)


class Fold(QWidget):
    """A title that a click folds and unfolds what is below it.

    Attributes
    ----------
    body : QVBoxLayout
    head : QPushButton
    """

    def __init__(self, title: str, tip: str):
        super().__init__()
        self._title = title
        self.head = described(QPushButton(), title, tip)
        self.head.setCheckable(True)
        self.head.setStyleSheet("text-align: left; padding: 3px 6px;")
        self.head.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)  # a long title widens nothing
        self._inside = QWidget()
        self.body = QVBoxLayout(self._inside)
        self.body.setContentsMargins(4, 0, 0, 0)
        self.body.setSpacing(3)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(3)
        layout.addWidget(self.head)
        layout.addWidget(self._inside)
        self.head.toggled.connect(self.unfold)
        self.unfold(False)

    def retitle(self, title: str) -> None:
        """Say something else beside the mark."""
        self._title = title
        self.head.setText(f"{MARKS[self.head.isChecked()]} {title}".replace("&", "&&"))

    def unfold(self, on: bool) -> None:
        """Show or hide what is inside."""
        self.head.setChecked(on)
        self.head.setText(f"{MARKS[on]} {self._title}")
        self._inside.setVisible(on)
