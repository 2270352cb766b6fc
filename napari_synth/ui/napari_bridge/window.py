"""napari's window: unwrapping what it hands to plugins, opening the column, closing, picture taking."""

from __future__ import annotations

import atexit
import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QCoreApplication, Qt

if TYPE_CHECKING:
    from napari import Viewer
    from napari.components import ViewerModel
    from qtpy.QtWidgets import QMainWindow, QWidget

PLUGIN = "napari-synth"
SIDES = Qt.DockWidgetArea.LeftDockWidgetArea | Qt.DockWidgetArea.RightDockWidgetArea


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


def open_column(viewer: ViewerModel) -> QWidget | None:
    """Open the column at the side of the window, or show it again; None without a window."""
    window: Any = getattr(viewer, "window", None)
    if window is None:
        return None
    dock, column = window.add_plugin_dock_widget(PLUGIN)
    main = window._qt_window
    dock.setAllowedAreas(SIDES)
    if not dock.isFloating() and not main.dockWidgetArea(dock) & SIDES:
        main.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, dock)  # napari remembers where it was put once
    dock.show()
    dock.raise_()
    return column


def window_of(viewer: ViewerModel) -> QMainWindow | None:
    """The Qt window of a viewer; None where it has none."""
    window: Any = getattr(viewer, "window", None)
    return window._qt_window if window is not None else None


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
