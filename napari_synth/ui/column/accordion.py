"""The steps from mask to export below each other: one is open, the headers of all say how things stand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QResizeEvent
from qtpy.QtWidgets import QPushButton, QSizePolicy, QVBoxLayout, QWidget

from napari_synth.ui.widgets.panel import described, watch

if TYPE_CHECKING:
    from napari_synth.ui.docks.dock import Dock, DockActions

MARKS = {True: "▾", False: "▸"}


class Header(QPushButton):
    """Title and state of a section; a click opens it."""

    def __init__(self, dock: Dock, actions: DockActions):
        super().__init__()
        self._dock, self._actions = dock, actions
        self.setCheckable(True)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        watch(self, actions.headline_changed, self.show_state)

    def show_open(self, on: bool) -> None:
        """Show whether the section is open."""
        self.setChecked(on)
        weight = "bold" if on else "normal"
        self.setStyleSheet(f"text-align: left; padding: 6px 8px; font-weight: {weight};")
        self.show_state()

    def show_state(self) -> None:
        """Show the state of the section in words, shortened where there is no room."""
        whole = f"{self._dock.title}: {self._actions.headline}" if self._actions.headline else self._dock.title
        room = self.width() - 20
        mark = MARKS[self.isChecked()]
        self.setText(
            self.fontMetrics().elidedText(f"{mark} {whole}", Qt.TextElideMode.ElideRight, room).replace("&", "&&")
        )
        described(self, whole, f"{self._dock.tip}.\n{whole}")

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        """More or less of the state has room."""
        super().resizeEvent(event)
        self.show_state()


class Accordion(QWidget):
    """Sections of which one is open.

    Attributes
    ----------
    headers, panels : dict of QWidget
        By the keys of their docks.
    """

    chosen = Signal(str)
    """The user opens the section of this key."""

    def __init__(self) -> None:
        super().__init__()
        self.headers: dict[str, Header] = {}
        self.panels: dict[str, QWidget] = {}
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 2, 0, 0)
        self._layout.setSpacing(2)

    def add(self, dock: Dock, actions: DockActions, panel: QWidget) -> None:
        """Add a section below the others, closed."""
        header = Header(dock, actions)
        header.setProperty("key", dock.key)
        header.clicked.connect(self._choose)
        self.headers[dock.key], self.panels[dock.key] = header, panel
        self._layout.addWidget(header)
        self._layout.addWidget(panel, 1)
        panel.hide()
        header.show_open(False)

    def open(self, key: str) -> None:
        """Open one section and close the others."""
        for other, header in self.headers.items():
            header.show_open(other == key)
        for other, panel in self.panels.items():
            panel.setVisible(other == key)

    def _choose(self) -> None:
        header = self.sender()
        header.setChecked(True)  # a click on the open one closes nothing
        self.chosen.emit(header.property("key"))
