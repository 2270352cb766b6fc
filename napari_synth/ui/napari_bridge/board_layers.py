"""A board of images beside each other: one image layer, and their names as points with text."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING

import numpy as np
from napari.layers import Image, Points

from napari_synth.ui.napari_bridge.image_layers import UNFINISHED_KEY
from napari_synth.ui.napari_bridge.layer_list import LayerList

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari.components import ViewerModel

GAP = 6
"""Pixels between two columns."""
WIDE = 1.3
"""Width over height of a board that fills the canvas."""
STAR = "★ "
EMPTY = 60
"""Grey of an image that is not rendered yet."""


class BoardLayers(LayerList):
    """At most one board per viewer; what else the viewer holds is hidden meanwhile and comes back."""

    def __init__(self, viewer: ViewerModel):
        super().__init__(viewer)
        self._image: weakref.ref[Image] | None = None
        self._names: weakref.ref[Points] | None = None
        self._hidden: list[weakref.ref[object]] = []
        self._tile = (1, 1)
        self._columns = 1
        self._count = 0

    @property
    def is_open(self) -> bool:
        """Whether there is a board."""
        return self._layer() is not None

    def open(self, tile: tuple[int, int], names: Sequence[str], title: str) -> None:
        """A new board of grey tiles with names instead of the one before."""
        viewer = self.viewer
        if viewer is None:
            return
        self.close()
        self._tile, self._count = tile, len(names)
        self._columns = columns_for(len(names), tile)
        rows = -(-len(names) // self._columns)
        height, width = rows * self._pitch[0], self._columns * self._pitch[1] - GAP
        pixels = np.zeros((height, width, 3), np.uint8)
        for number in range(len(names)):
            pixels[self._cut(number)] = EMPTY
        self._hidden = [weakref.ref(layer) for layer in viewer.layers if layer.visible]
        active = viewer.layers.selection.active
        for hidden in list(viewer.layers):
            hidden.visible = False
        image = Image(pixels, name=title, rgb=True, metadata={UNFINISHED_KEY: True})
        corners = [np.subtract(self._corner(number), (2, 0)) for number in range(len(names))]
        text = {"string": "{name}", "color": "white", "size": 10, "anchor": "upper_left"}
        points = Points(
            np.array(corners, float), name=f"{title}, names", features={"name": list(names)}, text=text, size=1,
            face_color="transparent", border_color="transparent",
        )  # fmt: skip
        points.editable = False
        viewer.add_layer(image)
        viewer.add_layer(points)
        self._image, self._names = weakref.ref(image), weakref.ref(points)
        if active is not None and active in viewer.layers:
            viewer.layers.selection.active = active
        viewer.reset_view()

    def close(self) -> None:
        """Remove the board, and show again what was hidden for it."""
        viewer = self.viewer
        if viewer is None:
            return
        was_open = self.is_open
        for kept in (self._names, self._image):
            layer = kept() if kept else None
            if layer is not None and layer in viewer.layers:
                viewer.layers.remove(layer)
        self._image = self._names = None
        if was_open:
            for hidden in self._hidden:
                shown = hidden()
                if shown is not None and shown in viewer.layers:
                    shown.visible = True  # type: ignore[attr-defined]
            viewer.reset_view()
        self._hidden = []

    def put(self, number: int, image: np.ndarray) -> None:
        """Show the image of a tile, ``(Y, X)`` or ``(Y, X, 3)`` uint8."""
        layer = self._layer()
        if layer is not None:
            layer.data[self._cut(number)] = image if image.ndim == 3 else image[..., None]
            layer.refresh(highlight=False, extent=False)

    def rename(self, names: Sequence[str]) -> None:
        """Other names of the tiles."""
        points = self._names() if self._names else None
        if points is not None:
            points.features = {"name": list(names)}
            points.refresh_text()

    def tile_at(self, world: Sequence[float]) -> int | None:
        """Number of the tile at a place in the world; None beside all of them."""
        layer = self._layer()
        if layer is None:
            return None
        y, x = (float(value) for value in layer.world_to_data(np.asarray(world)[-2:])[:2])
        if min(y, x) < 0:
            return None
        row, column = int(y // self._pitch[0]), int(x // self._pitch[1])
        number = row * self._columns + column
        top, left = self._corner(number)
        inside = top <= y < top + self._tile[0] and left <= x < left + self._tile[1]
        return number if column < self._columns and number < self._count and inside else None

    @property
    def _pitch(self) -> tuple[int, int]:
        """From one tile to the next; above each there is room for its name."""
        return self._tile[0] + max(self._tile[0] // 8, GAP), self._tile[1] + GAP

    def _layer(self) -> Image | None:
        layer = self._image() if self._image else None
        return layer if layer is not None and self.holds(layer) else None

    def _corner(self, number: int) -> tuple[int, int]:
        row, column = divmod(number, self._columns)
        return row * self._pitch[0] + self._pitch[0] - self._tile[0], column * self._pitch[1]

    def _cut(self, number: int) -> tuple[slice, slice]:
        top, left = self._corner(number)
        return slice(top, top + self._tile[0]), slice(left, left + self._tile[1])


def columns_for(count: int, tile: tuple[int, int]) -> int:
    """How many tiles lie beside each other so that the board is about as wide as a screen and few places are empty."""

    def faults(columns: int) -> float:
        rows = -(-count // columns)
        empty = (rows * columns - count) / count
        return abs(float(np.log(columns * tile[1] / (rows * tile[0]) / WIDE))) + empty / 2

    return min(range(1, count + 1), key=faults)
