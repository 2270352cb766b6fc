"""The picture stays where it is when napari shows or hides its sliders below the canvas."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QEvent, QObject, QTimer

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from qtpy.QtCore import QSize


def keep_picture_still(viewer: ViewerModel) -> None:
    """Let the picture of a viewer stay where it is; nothing without a window, or where it does already."""
    window: Any = getattr(viewer, "window", None)
    if window is not None and window._qt_viewer.canvas.native.findChild(StillPicture) is None:
        StillPicture(viewer, window._qt_viewer)


class StillPicture(QObject):
    """Watches the canvas; owned by it."""

    def __init__(self, viewer: ViewerModel, qt_viewer: Any):
        canvas = qt_viewer.canvas.native
        super().__init__(canvas)
        self._viewer = weakref.ref(viewer)
        self._sliders = qt_viewer.dims
        self._canvas = canvas
        self._before: tuple[float, tuple[float, ...], int] | None = None
        """Zoom, centre and height of the canvas before the sliders came or went."""
        self._slider_height = self._height_of_sliders()
        canvas.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Before the canvas knows of its new size, keep what is seen."""
        if event.type() == QEvent.Type.Resize:
            self._on_resize(event.oldSize(), event.size())  # type: ignore[attr-defined]
        return False

    def _on_resize(self, old: QSize, new: QSize) -> None:
        height, self._slider_height = self._slider_height, self._height_of_sliders()
        viewer = self._viewer()
        by_sliders = old.isValid() and old.width() == new.width() and height != self._slider_height
        if viewer is not None and by_sliders and self._before is None and viewer.dims.ndisplay == 2:
            self._before = viewer.scene.camera.zoom, tuple(viewer.scene.camera.center), old.height()
            QTimer.singleShot(0, self._put_back)

    def _put_back(self) -> None:
        viewer, before = self._viewer(), self._before
        self._before = None
        if viewer is None or before is None:
            return
        zoom, centre, height = before
        viewer.scene.camera.zoom = zoom
        moved = (self._canvas.height() - height) / 2 / zoom
        viewer.scene.camera.center = (*centre[:-2], centre[-2] + moved, centre[-1])

    def _height_of_sliders(self) -> int:
        return int(self._sliders.height()) if self._sliders.isVisible() else 0
