"""The chosen nuclei on the canvas: their outline, and handles at the corners around them. It is no layer."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_synth.ui.napari_bridge.stamp_preview import StampPreview, node_of

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Labels

HANDLE = 10
"""Side of a handle on the screen, in pixels."""
NEAR = 9
"""So near to a handle a press takes hold of it, in pixels of the screen."""


class NucleusFrame:
    """Shows which nuclei are chosen, until they are hidden.

    Attributes
    ----------
    pixels : (ndarray, ndarray) or None
        Rows and columns that are shown as chosen.
    corners : ndarray, shape (4, 2)
        The handles (y, x), in pixels of the mask; empty while nothing is shown.
    """

    def __init__(self, viewer: ViewerModel):
        self._viewer = weakref.ref(viewer)
        self._outline = StampPreview(viewer)
        self._markers: Any = None
        self._on: weakref.ref[Labels] | None = None
        self.corners = np.zeros((0, 2))

    @property
    def pixels(self) -> tuple[np.ndarray, np.ndarray] | None:
        """Rows and columns that are shown as chosen."""
        return self._outline.pixels

    def show(self, layer: Labels, rows: np.ndarray, columns: np.ndarray, corners: np.ndarray) -> None:
        """Show these pixels of a mask as chosen, with handles at these corners (y, x)."""
        if not rows.size:
            self.hide()
            return
        self._outline.show(layer, rows, columns)
        self.corners = corners
        self._show_handles(layer)

    def hide(self) -> None:
        """Show nothing for now."""
        self._outline.hide()
        self.corners = np.zeros((0, 2))
        if self._markers is not None:
            self._markers.visible = False

    def remove(self) -> None:
        """Take all of it off the canvas."""
        self._outline.remove()
        self.corners = np.zeros((0, 2))
        if self._markers is not None:
            self._markers.parent = None
        self._markers = self._on = None

    def handle_at(self, layer: Labels, y: float, x: float) -> int | None:
        """The handle near a place of a mask; None where there is none."""
        viewer = self._viewer()
        if viewer is None or not len(self.corners):
            return None
        screen = float(viewer.scene.camera.zoom) * np.abs(np.asarray(layer.scale[-2:], float))
        away = np.linalg.norm((self.corners - (y, x)) * screen, axis=1)
        nearest = int(away.argmin())
        return nearest if away[nearest] <= NEAR else None

    def _show_handles(self, layer: Labels) -> None:
        if self._markers is None or self._on is None or self._on() is not layer:
            node = node_of(self._viewer(), layer)
            if node is None:
                return
            from vispy import scene

            if self._markers is not None:
                self._markers.parent = None
            self._markers, self._on = scene.visuals.Markers(parent=node), weakref.ref(layer)
            self._markers.set_gl_state("translucent", depth_test=False)
            self._markers.order = 3
        self._markers.visible = True
        places = (self.corners[:, ::-1] + 0.5).astype(np.float32)
        self._markers.set_data(
            places, size=HANDLE, symbol="square", face_color="white", edge_color="black", edge_width=1.5
        )


def corners_around(rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """The corners (y, x) of the box around some pixels, clockwise from the top left."""
    top, left, bottom, right = rows.min() - 1, columns.min() - 1, rows.max() + 1, columns.max() + 1
    return np.array([(top, left), (top, right), (bottom, right), (bottom, left)], float)
