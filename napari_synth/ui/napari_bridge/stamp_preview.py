"""What a click would put on a mask, drawn on the canvas under the cursor. It is no layer."""

from __future__ import annotations

import weakref
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Labels

FILL = (128, 128, 128, 110)
EDGES = (("black", 4.0), ("white", 2.0))
"""Colour and width on the screen of the lines along the outline, the lowest first: seen on dark and on light."""


class StampPreview:
    """Pixels of a mask, filled and with an outline, until they are hidden.

    They hang on the node that draws the mask: they follow its scale and place, its eye, and go with it.

    Attributes
    ----------
    pixels : (ndarray, ndarray) or None
        Rows and columns that are shown; None while nothing is.
    """

    def __init__(self, viewer: ViewerModel):
        self._viewer = weakref.ref(viewer)
        self._target: Target | None = None
        self.pixels: tuple[np.ndarray, np.ndarray] | None = None

    def show(self, layer: Labels, rows: np.ndarray, columns: np.ndarray) -> None:
        """Show these pixels of a 2-D mask; nothing where there are none."""
        if not rows.size:
            self.hide()
            return
        target = self._target
        if target is None or target.layer() is not layer:
            self.remove()
            node = node_of(self._viewer(), layer)
            target = self._target = Target(weakref.ref(layer), Drawing(node) if node is not None else None)
        self.pixels = rows, columns
        if target.drawing is not None:
            target.drawing.show(rows, columns)

    def hide(self) -> None:
        """Show nothing for now."""
        self.pixels = None
        if self._target is not None and self._target.drawing is not None:
            self._target.drawing.hide()

    def remove(self) -> None:
        """Take all of it off the canvas."""
        if self._target is not None and self._target.drawing is not None:
            self._target.drawing.remove()
        self._target = self.pixels = None


@dataclass(frozen=True, eq=False)
class Target:
    """The mask that is drawn on, and what is drawn; None without a window."""

    layer: weakref.ref[Labels]
    drawing: Drawing | None


def node_of(viewer: ViewerModel | None, layer: Labels) -> Any:
    """The vispy node that draws a layer; None without a window."""
    canvas = getattr(getattr(getattr(viewer, "window", None), "_qt_viewer", None), "canvas", None)
    visual = getattr(canvas, "layer_to_visual", {}).get(layer)
    return getattr(visual, "node", None)


class Drawing:
    """A filled tile and its outline below a vispy node whose units are pixels of the mask."""

    def __init__(self, node: Any):
        from vispy import scene
        from vispy.visuals.transforms import MatrixTransform, STTransform

        self._root = scene.Node(parent=node)
        self._root.transform = MatrixTransform()  # napari writes into it when the mask moves
        self._root.transform.translate((0.5, 0.5))
        self._place = STTransform()
        tile = np.zeros((1, 1, 4), np.uint8)
        self._fill = scene.visuals.Image(tile, interpolation="nearest", parent=self._root)
        self._lines = [
            scene.visuals.Line(np.zeros((2, 2), np.float32), color, width, "segments", parent=self._root)
            for color, width in EDGES
        ]
        for order, visual in enumerate((self._fill, *self._lines)):
            visual.set_gl_state("translucent", depth_test=False)
            visual.transform, visual.order = self._place, order
        self._tile = np.zeros((0, 0), bool)

    def show(self, rows: np.ndarray, columns: np.ndarray) -> None:
        """Move to these pixels, and draw them anew where they have another shape."""
        top, left = int(rows.min()), int(columns.min())
        tile = np.zeros((int(rows.max()) - top + 1, int(columns.max()) - left + 1), bool)
        tile[rows - top, columns - left] = True
        self._root.visible = True
        self._place.translate = (left - 0.5, top - 0.5)
        if not np.array_equal(tile, self._tile):
            self._tile = tile
            self._fill.set_data(tile[..., None] * np.array(FILL, np.uint8))
            segments = edges(tile)
            for line in self._lines:
                line.set_data(segments)

    def hide(self) -> None:
        """Stay, unseen."""
        self._root.visible = False

    def remove(self) -> None:
        """Take it off the canvas."""
        self._root.parent = None


def edges(tile: np.ndarray) -> np.ndarray:
    """The sides of pixels between inside and outside.

    Parameters
    ----------
    tile : ndarray of bool, shape (h, w)

    Returns
    -------
    ndarray, shape (2 N, 2), float32
        Start and end (x, y) of each side, one after the other, from the corner of the first pixel.
    """
    padded = np.pad(tile, 1)
    down = np.argwhere(padded[1:, 1:-1] != padded[:-1, 1:-1])
    right = np.argwhere(padded[1:-1, 1:] != padded[1:-1, :-1])
    horizontal = np.stack([down, np.add(down, (0, 1))], 1)
    vertical = np.stack([right, np.add(right, (1, 0))], 1)
    return np.concatenate([horizontal, vertical]).reshape(-1, 2)[:, ::-1].astype(np.float32)
