"""napari's window: unwrapping what it hands to plugins, docking, closing, picture taking."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QCoreApplication, Qt, QTimer

if TYPE_CHECKING:
    from napari import Viewer
    from napari.components import ViewerModel
    from qtpy.QtWidgets import QDockWidget, QWidget

PLUGIN = "napari-synth"
PANELS = ("Masks", "Synthesize", "Export")


def unwrapped(viewer: ViewerModel) -> ViewerModel:
    """The viewer itself, where napari gave a proxy of it."""
    return getattr(viewer, "__wrapped__", viewer)


def on_close(viewer: ViewerModel, close: Callable[[], None]) -> None:
    """Call the bound method ``close`` when the viewer's window is closed or the program ends."""
    method = weakref.WeakMethod(close)

    def call(*_: object) -> None:
        alive = method()
        if alive is not None:
            alive()

    window = getattr(viewer, "_window", None)
    if window is not None:
        window._qt_window.destroyed.connect(call)
    app = QCoreApplication.instance()
    if app is not None:
        app.aboutToQuit.connect(call)
    weakref.finalize(viewer, call).atexit = False


def dock_panels(viewer: Viewer) -> list[QWidget]:
    """Open the three panels on the right, one below the other, each as high as it needs."""
    docks, panels = zip(*(viewer.window.add_plugin_dock_widget(PLUGIN, name) for name in PANELS), strict=True)
    QTimer.singleShot(0, partial(share_height, viewer, list(docks), list(panels)))
    return list(panels)


def share_height(viewer: Viewer, docks: list[QDockWidget], panels: list[QWidget]) -> None:
    """Give each dock the height its panel asks for; works once the window is laid out."""
    heights = [panel.sizeHint().height() for panel in panels]
    window = viewer.window._qt_window
    window.resizeDocks(docks, heights, Qt.Orientation.Vertical)
    window.resizeDocks(
        docks, [max(panel.sizeHint().width() for panel in panels)] * len(docks), Qt.Orientation.Horizontal
    )


def resize_window(viewer: Viewer, width: int, height: int) -> None:
    """Make the window this large, or as large as the screen allows."""
    window: Any = viewer.window._qt_window
    available = window.screen().availableGeometry()
    window.setGeometry(available.x(), available.y(), min(width, available.width()), min(height, available.height()))
