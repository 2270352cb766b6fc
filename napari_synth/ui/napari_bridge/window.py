"""napari's window: unwrapping what it hands to plugins, docking, closing, picture taking."""

from __future__ import annotations

import atexit
import itertools
import weakref
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QCoreApplication, QEvent, QObject, Qt, QTimer
from qtpy.QtWidgets import QDockWidget

if TYPE_CHECKING:
    from napari import Viewer
    from napari.components import ViewerModel
    from qtpy.QtWidgets import QMainWindow, QWidget

PLUGIN = "napari-synth"
SIZING = (QEvent.Type.Resize, QEvent.Type.Show)


def unwrapped(viewer: ViewerModel) -> ViewerModel:
    """The viewer itself, where napari gave a proxy of it."""
    return getattr(viewer, "__wrapped__", viewer)


def on_close(viewer: ViewerModel, close: Callable[[], None]) -> None:
    """Call ``close`` once: when the viewer's window is closed, the viewer is gone, or the program ends.

    What ``close`` belongs to is kept alive until then, so it must not keep the viewer alive.
    """
    left = [close]

    def call(*_: object) -> None:
        atexit.unregister(call)
        while left:
            left.pop()()

    window = getattr(viewer, "_window", None)
    if window is not None:
        window._qt_window.destroyed.connect(call)
        weakref.finalize(window._qt_window, call).atexit = False  # Python deleted it, and Qt told no one
    app = QCoreApplication.instance()
    if app is not None:
        app.aboutToQuit.connect(call)
    weakref.finalize(viewer, call).atexit = False
    atexit.register(call)  # without an event loop nothing else tells, and later Qt is gone


def dock_panels(viewer: Viewer, titles: Sequence[str]) -> list[QWidget]:
    """Open some panels on the right, one below the other, each as high as it needs."""
    docks, panels = zip(*(viewer.window.add_plugin_dock_widget(PLUGIN, title) for title in titles), strict=True)
    HeightSharer(main_window(viewer), list(docks), list(panels))
    return list(panels)


def open_panel(viewer: ViewerModel, name: str) -> QWidget | None:
    """Open a panel as a tab beside the layer controls, or bring it to the front; None without a window."""
    window: Any = getattr(viewer, "window", None)
    if window is None:
        return None
    dock, panel = window.add_plugin_dock_widget(PLUGIN, name)
    main, controls = window._qt_window, window._qt_viewer.dockLayerControls
    if main.dockWidgetArea(dock) != Qt.DockWidgetArea.LeftDockWidgetArea and not dock.isFloating():
        main.tabifyDockWidget(controls, dock)
        size = panel.sizeHint()
        main.resizeDocks([dock, window._qt_viewer.dockLayerList], [size.height() + 40, 200], Qt.Orientation.Vertical)
        main.resizeDocks([dock], [size.width()], Qt.Orientation.Horizontal)
    dock.show()
    dock.raise_()
    return panel


def join_tabs(panel: QWidget, kind: type[QWidget]) -> None:
    """Put the dock of a panel and those on the same side that hold panels of a kind into one column of tabs."""
    docks = [dock for dock in panel.window().findChildren(QDockWidget) if dock.findChild(kind) is not None]
    own = next((dock for dock in docks if dock.isAncestorOf(panel)), None)
    if own is None or own.isFloating():
        return
    window: Any = own.parent()
    side = window.dockWidgetArea(own)
    beside = [d for d in docks if d is not own and not d.isFloating() and window.dockWidgetArea(d) == side]
    for first, second in itertools.pairwise([*beside, own]):
        window.tabifyDockWidget(first, second)
    own.raise_()


class HeightSharer(QObject):
    """Gives each dock the height its panel asks for, until the user moves a dock border himself.

    Lives as long as the window. The window gets its size only after it is shown, so sharing once
    would come too early.
    """

    def __init__(self, window: QMainWindow, docks: list[QDockWidget], panels: list[QWidget]):
        super().__init__(window)
        self._window = window
        self._docks = docks
        self._panels = panels
        self._timer = QTimer(self, singleShot=True, interval=0)
        self._timer.timeout.connect(self._share)
        for watched in (window, *panels):
            watched.installEventFilter(self)
        self._timer.start()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Share again when the window or a message changes its size; stop when the user drags a border."""
        kind = event.type()
        if kind == QEvent.Type.LayoutRequest or (watched is self._window and kind in SIZING):
            self._timer.start()
        elif watched is self._window and kind == QEvent.Type.MouseButtonPress:  # borders belong to the window itself
            self._stop()
        return False

    def _share(self) -> None:
        if any(dock not in self._window.findChildren(QDockWidget) for dock in self._docks):
            self._stop()  # the user closed one
            return
        hints = [panel.sizeHint() for panel in self._panels]
        widths = [max(hint.width() for hint in hints)] * len(hints)
        self._window.resizeDocks(self._docks, [hint.height() for hint in hints], Qt.Orientation.Vertical)
        self._window.resizeDocks(self._docks, widths, Qt.Orientation.Horizontal)

    def _stop(self) -> None:
        self._timer.stop()
        for watched in (self._window, *self._panels):
            watched.removeEventFilter(self)


def main_window(viewer: Viewer) -> QMainWindow:
    """The Qt window of a viewer."""
    window: QMainWindow = viewer.window._qt_window
    return window


def canvas_widget(viewer: Viewer) -> QWidget:
    """The Qt widget that the layers are drawn on."""
    canvas: QWidget = viewer.window._qt_viewer.canvas.native
    return canvas


def resize_window(viewer: Viewer, width: int, height: int) -> None:
    """Make the window this large, or as large as the screen allows."""
    window: Any = main_window(viewer)
    available = window.screen().availableGeometry()
    window.setGeometry(available.x(), available.y(), min(width, available.width()), min(height, available.height()))
