"""Room for the canvas in a small window: napari's layer controls become a tab behind the column, its list gets slim."""

from __future__ import annotations

import weakref
from contextlib import suppress
from typing import Any

from qtpy.QtCore import QEvent, QObject, Qt, QTimer
from qtpy.QtWidgets import QDockWidget, QLayout, QWidget

CANVAS_WIDTH = 700
"""What the canvas gets at least, in pixels, where the screen has 1280."""
NAPARI_WIDTH = 320
"""Of the layer controls and the layer list."""
BORDERS = 26
"""Between the columns."""
SLIM_WIDTH = 204
SLIM = "QtLayerButtons, QtViewerButtons, QtLayerList { min-width: 180px; }"
LEFT = Qt.DockWidgetArea.LeftDockWidgetArea


def keep_canvas_wide(panel: QWidget) -> None:
    """Let the canvas keep its width while the dock of a panel is open; nothing without napari's window around it."""
    dock = panel.parentWidget()
    while dock is not None and not isinstance(dock, QDockWidget):
        dock = dock.parentWidget()
    if dock is not None and hasattr(dock.parentWidget(), "_qt_viewer"):
        CanvasRoom(dock, panel.width())


class CanvasRoom(QObject):
    """Makes room beside one dock, and gives it back when the dock is closed or the window is large enough.

    Owned by the window.
    """

    def __init__(self, dock: QDockWidget, width: int):
        window: Any = dock.parentWidget()
        super().__init__(window)
        self._window = window
        self._viewer = window._qt_viewer
        self._dock = weakref.ref(dock)
        self._needed = width + NAPARI_WIDTH + BORDERS + CANVAS_WIDTH
        self._slim: list[tuple[QLayout, Any, int]] = []
        self._made = self._moved = False
        self._least = self._width = 0
        self._timer = QTimer(self, singleShot=True, interval=0)
        self._timer.timeout.connect(self._arrange)
        window.installEventFilter(self)
        dock.toggleViewAction().toggled.connect(self._timer.start)
        dock.topLevelChanged.connect(self._timer.start)
        dock.destroyed.connect(self._leave)
        self._arrange()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Look again when the window has another size; leave no trace in what napari stores when it is closed."""
        if event.type() == QEvent.Type.Resize:
            self._timer.start()
        elif event.type() == QEvent.Type.Close:
            self._give_back()
            self._timer.start()  # the user may stay
        return False

    def _arrange(self) -> None:
        dock = self._dock()
        if dock is None or not self._window.isVisible():
            return
        shown = not dock.isHidden() and not dock.isFloating()
        if shown and self._window.width() < self._needed:
            self._make(dock)
        else:
            self._give_back()

    def _make(self, dock: QDockWidget) -> None:
        controls, layers = self._viewer.dockLayerControls, self._viewer.dockLayerList
        if self._made or controls.isFloating() or self._window.dockWidgetArea(controls) != LEFT:
            return
        self._made = True
        if not controls.isHidden():
            self._window.tabifyDockWidget(dock, controls)
            self._moved = True
            dock.show()
            dock.raise_()
        self._least, self._width = layers.minimumWidth(), layers.width()
        layers.setStyleSheet(SLIM)
        layers.setMinimumWidth(SLIM_WIDTH)
        for widget, margins, spacing in ((layers.widget(), 4, None), (self._viewer.viewerButtons, None, 2)):
            layout = widget.layout()
            self._slim.append((layout, layout.contentsMargins(), layout.spacing()))
            if margins is not None:
                layout.setContentsMargins(margins, 4, margins, 6)
            if spacing is not None:
                layout.setSpacing(spacing)
        self._viewer.layers.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._window.resizeDocks([layers], [SLIM_WIDTH], Qt.Orientation.Horizontal)

    def _give_back(self) -> None:
        if not self._made:
            return
        controls, layers = self._viewer.dockLayerControls, self._viewer.dockLayerList
        for layout, margins, spacing in self._slim:
            layout.setContentsMargins(margins)
            layout.setSpacing(spacing)
        self._slim = []
        self._viewer.layers.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAsNeeded)
        layers.setStyleSheet("")
        layers.setMinimumWidth(self._least)
        if self._moved and not controls.isFloating() and self._window.dockWidgetArea(controls) != LEFT:
            hidden = controls.isHidden()
            self._window.addDockWidget(LEFT, controls)
            if self._window.dockWidgetArea(layers) == LEFT:
                self._window.splitDockWidget(controls, layers, Qt.Orientation.Vertical)
            controls.setHidden(hidden)
        self._made = self._moved = False
        hints = [controls.sizeHint().height(), layers.sizeHint().height()]
        self._window.resizeDocks([controls, layers], hints, Qt.Orientation.Vertical)
        self._window.resizeDocks([controls], [self._width], Qt.Orientation.Horizontal)

    def _leave(self) -> None:
        """The dock is gone."""
        self._timer.stop()
        with suppress(RuntimeError):  # the window goes with it
            self._window.removeEventFilter(self)
            self._give_back()
            self.deleteLater()
