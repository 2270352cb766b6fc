"""The window's one column: the steps from mask to export, and what was opened beside them as tabs."""

from __future__ import annotations

import weakref
from functools import partial
from typing import TYPE_CHECKING

import napari
from qtpy.QtCore import QSize, Qt, QTimer
from qtpy.QtWidgets import QMenu, QSizePolicy, QTabBar, QTabWidget, QToolButton, QVBoxLayout, QWidget
from superqt.utils import signals_blocked

from napari_synth.ui.column.accordion import Accordion
from napari_synth.ui.column.ahead import load_ahead
from napari_synth.ui.column.commands import commands, run_command
from napari_synth.ui.column.tour import Tour
from napari_synth.ui.docks.registry import DOCKS
from napari_synth.ui.napari_bridge.canvas_room import keep_canvas_wide
from napari_synth.ui.napari_bridge.help_menu import HelpEntries
from napari_synth.ui.napari_bridge.keys import Keys, key_words
from napari_synth.ui.napari_bridge.still_picture import keep_picture_still
from napari_synth.ui.session import session_for
from napari_synth.ui.widgets.panel import WIDTH, described, watch

if TYPE_CHECKING:
    from qtpy.QtGui import QShowEvent

    from napari_synth.ui.session import Session

STEPS_TITLE = "Make"
STEPS_TIP = "From a mask to pairs for training, step by step"
HELP = ("tour", "keys")
"""Commands that are in napari's Help menu."""


class Column(QWidget):
    """All docks of a viewer, in one column that is as wide as ever and moves nothing.

    Parameters
    ----------
    napari_viewer : Viewer

    Attributes
    ----------
    steps : Accordion
    opened : dict of QWidget
        Panels that are open as tabs, by the keys of their docks.
    """

    def __init__(self, napari_viewer: napari.viewer.Viewer):
        super().__init__()
        self._session = session_for(napari_viewer)
        self._choices = self._session.context.column
        self._settled = False
        self.steps = Accordion()
        self.opened: dict[str, QWidget] = {}
        for key, dock in DOCKS.items():
            if dock.area == "section":
                self.steps.add(dock, self._session.docks[key], self._session.panel(key))
        self.tabs = described(QTabWidget(), "Panels", "The steps from mask to export, and what is open beside them")
        self.tabs.setDocumentMode(True)
        self.tabs.setElideMode(Qt.TextElideMode.ElideNone)
        self.tabs.setUsesScrollButtons(True)
        self.tabs.addTab(self.steps, STEPS_TITLE)
        self.tabs.setTabToolTip(0, STEPS_TIP)
        self._build_menu()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        self.tour = Tour(self._choices)
        layout.addWidget(self.tour)
        layout.addWidget(self.tabs, 1)
        self.setFixedWidth(WIDTH)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Expanding)
        self.steps.chosen.connect(self._choices.open_section)
        self.tabs.currentChanged.connect(self._choose_tab)
        watch(self, self._choices.events, self.show_choices)
        self._bind_keys()
        load_ahead()

    def _build_menu(self) -> None:
        self.more = described(QToolButton(), "More panels", "Open another panel beside the steps, as a tab")
        self.more.setText("More ▾")
        self.more.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.more.setStyleSheet("QToolButton::menu-indicator { image: none; } QToolButton { padding: 3px 6px; }")
        self.menu = QMenu(self.more)
        self.menu.addAction(f"{STEPS_TITLE}: {STEPS_TIP[0].lower()}{STEPS_TIP[1:]}").setData("")
        for key, dock in DOCKS.items():
            if dock.area == "tab":
                action = self.menu.addAction(f"{dock.title}: {dock.tip[0].lower()}{dock.tip[1:]}")
                action.setData(key)
        self.menu.triggered.connect(self._open_tab)
        self.more.setMenu(self.menu)
        self.tabs.setCornerWidget(self.more)

    def _bind_keys(self) -> None:
        session = weakref.ref(self._session)
        calls = {
            entry.command.shortcut: partial(_run, key, session)
            for key, entry in commands().items()
            if entry.command.shortcut
        }
        viewer = self._session.context.viewer
        keys = Keys(viewer, calls)
        help_entries = HelpEntries(
            viewer,
            {
                f"{entry.command.title}\t{key_words(entry.command.shortcut)}": partial(_run, key, session)
                for key, entry in commands().items()
                if key in HELP
            },
        )
        self.destroyed.connect(partial(_release, keys, help_entries))

    def sizeHint(self) -> QSize:
        """As wide as ever."""
        return QSize(WIDTH, 600)

    def minimumSizeHint(self) -> QSize:
        """Low enough for a small screen."""
        return QSize(WIDTH, 300)

    def showEvent(self, event: QShowEvent | None) -> None:
        """Once it lies in the window, let the canvas keep its width."""
        super().showEvent(event)
        if not self._settled:
            self._settled = True
            QTimer.singleShot(0, self._settle)

    def _settle(self) -> None:
        keep_canvas_wide(self)
        keep_picture_still(self._session.context.viewer)

    def show_choices(self) -> None:
        """Show what is chosen to be open."""
        choices = self._choices
        wanted = [key for key in choices.tabs if key in DOCKS and DOCKS[key].area == "tab"]
        with signals_blocked(self.tabs):
            for key in [key for key in self.opened if key not in wanted]:
                panel = self.opened.pop(key)
                self.tabs.removeTab(self.tabs.indexOf(panel))
                panel.hide()
                panel.deleteLater()
            for key in [key for key in wanted if key not in self.opened]:
                self.opened[key] = self._session.panel(key)
                place = self.tabs.addTab(self.opened[key], DOCKS[key].title)
                self.tabs.setTabToolTip(place, DOCKS[key].tip)
                self.tabs.tabBar().setTabButton(place, QTabBar.ButtonPosition.RightSide, self._close_button(key))
            self.tabs.setCurrentWidget(self.opened.get(choices.tab, self.steps))
        self.steps.open(choices.section if choices.section in self.steps.panels else next(iter(self.steps.panels)))

    def _open_tab(self, action: object) -> None:
        key = action.data()  # type: ignore[attr-defined]
        if key:
            self._choices.open_tab(key)
        else:
            self._choices.tab = ""

    def _choose_tab(self, place: int) -> None:
        panel = self.tabs.widget(place)
        self._choices.tab = next((key for key, opened in self.opened.items() if opened is panel), "")

    def _close_button(self, key: str) -> QToolButton:
        title = DOCKS[key].title
        button: QToolButton = described(QToolButton(), f"Close {title}", f"Close {title}; nothing of it is lost")
        button.setText("×")
        button.setStyleSheet("border: none; padding: 0px 3px;")
        button.setProperty("key", key)
        button.clicked.connect(self._close_tab)
        return button

    def _close_tab(self) -> None:
        self._choices.close_tab(self.sender().property("key"))


def _run(key: str, session: weakref.ref[Session]) -> None:
    alive = session()
    if alive is not None and not alive.context.closed:
        run_command(key, alive)


def _release(keys: Keys, help_entries: HelpEntries, *_: object) -> None:
    keys.release()
    help_entries.remove()
