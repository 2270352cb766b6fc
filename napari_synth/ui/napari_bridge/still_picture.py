"""The picture stays where it is when napari shows or hides its sliders below the canvas."""

from __future__ import annotations

import weakref
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import QEvent, QObject, QTimer

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from qtpy.QtCore import QSize


def keep_picture_still(viewer: ViewerModel) -> None:
    """Let the picture of a viewer stay where it is; nothing without a window, or where it does already."""
    window: Any = getattr(viewer, "window", None)
    if window is not None and window._qt_viewer.canvas.native.findChild(StillPicture) is None:
        StillPicture(viewer, window._qt_viewer)


@dataclass(frozen=True)
class View:
    """What is seen.

    Attributes
    ----------
    zoom : float
        Pixels of the canvas per unit.
    centre : tuple of float
    extent : ndarray, shape (2, 2)
        Corners of all layers in the plane.
    """

    zoom: float
    centre: tuple[float, ...]
    extent: np.ndarray


class StillPicture(QObject):
    """Watches the canvas; owned by it.

    napari fits the view again when a layer brings more axes, and the sliders for them take height from the canvas.
    Where all layers lie in the plane as before, both are taken back.
    """

    def __init__(self, viewer: ViewerModel, qt_viewer: Any):
        canvas = qt_viewer.canvas.native
        super().__init__(canvas)
        self._viewer = weakref.ref(viewer)
        self._sliders, self._canvas = qt_viewer.dims, canvas
        self._slider_height = self._height_of_sliders()
        self._rested = _view(viewer)
        self._resized: tuple[View, int] | None = None
        """The view and the height of the canvas before the sliders came or went."""
        self._rest = QTimer(self, singleShot=True, interval=0)
        self._rest.timeout.connect(self._on_rest)
        canvas.installEventFilter(self)
        camera = viewer.scene.camera.events
        for signal in (camera.zoom, camera.center, viewer.layers.events.inserted, viewer.layers.events.removed):
            signal.connect(self._on_change)
        viewer.dims.events.order.connect(self._on_other_axes)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Before the canvas knows of its new size, keep what is seen."""
        if event.type() == QEvent.Type.Resize:
            self._on_resize(event.oldSize(), event.size())
        return False

    def _on_change(self) -> None:
        self._rest.start()

    def _on_rest(self) -> None:
        viewer = self._viewer()
        if viewer is not None:
            self._rested = _view(viewer)

    def _on_other_axes(self) -> None:
        """Napari has just fitted the view."""
        viewer, before = self._viewer(), self._rested
        if viewer is None or viewer.dims.ndisplay != 2 or not viewer.layers:
            return
        if np.array_equal(_view(viewer).extent, before.extent):
            _show(viewer, before, 0.0)

    def _on_resize(self, old: QSize, new: QSize) -> None:
        height, self._slider_height = self._slider_height, self._height_of_sliders()
        viewer = self._viewer()
        by_sliders = old.isValid() and old.width() == new.width() and height != self._slider_height
        if viewer is not None and by_sliders and self._resized is None and viewer.dims.ndisplay == 2:
            self._resized = _view(viewer), old.height()
            QTimer.singleShot(0, self._put_back)

    def _put_back(self) -> None:
        viewer, resized = self._viewer(), self._resized
        self._resized = None
        if viewer is not None and resized is not None:
            before, height = resized
            _show(viewer, before, (self._canvas.height() - height) / 2 / before.zoom)

    def _height_of_sliders(self) -> int:
        return int(self._sliders.height()) if self._sliders.isVisible() else 0


def _view(viewer: ViewerModel) -> View:
    camera = viewer.scene.camera
    extent = np.asarray(viewer.layers.extent.world)[:, -2:] if viewer.layers else np.zeros((2, 2))
    return View(float(camera.zoom), tuple(camera.center), extent)


def _show(viewer: ViewerModel, view: View, down: float) -> None:
    """Show a view again, with the middle of the canvas so many units further down."""
    camera = viewer.scene.camera
    camera.zoom = view.zoom
    camera.center = (*tuple(camera.center)[:-2], view.centre[-2] + down, view.centre[-1])
