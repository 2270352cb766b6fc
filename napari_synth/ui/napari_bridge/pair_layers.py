"""A pair of files as layers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from napari.layers import Image, Labels
from napari.utils.colormaps import DirectLabelColormap

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer

LABELLED, FOUND = (40 / 255, 170 / 255, 1, 1), (1, 160 / 255, 0, 1)
"""Blue and orange, as in the reports."""
NEAR = 6.0
"""Zoom at which a place is looked at."""


def show_pair(
    viewer: ViewerModel, name: str, image: np.ndarray, labels: np.ndarray | None, found: np.ndarray | None = None
) -> list[Layer]:
    """Add an image ``(Y, X)`` or ``(Y, X, 3)`` on top, over it the outlines of its labels and of what was found."""
    layers: list[Layer] = [Image(image, name=name, rgb=image.ndim == 3)]
    if labels is not None:
        layers.append(_outlines(labels, f"{name} labels", None if found is None else LABELLED))
    if found is not None:
        layers.append(_outlines(found, f"{name} found", FOUND))
    for layer in layers:
        viewer.add_layer(layer)
    return layers


def _outlines(labels: np.ndarray, name: str, colour: tuple[float, ...] | None) -> Labels:
    layer = Labels(labels, name=name)
    layer.contour = 1
    if colour is not None:
        layer.colormap = DirectLabelColormap(color_dict={None: colour, 0: (0, 0, 0, 0)})
    return layer


def look_at(viewer: ViewerModel, layer: Layer, row: float, column: float) -> None:
    """Bring a point of a layer into the middle of the canvas, near enough to see an object."""
    camera = viewer.scene.camera
    y, x = layer.data_to_world((row, column))[:2]
    camera.center = (*tuple(camera.center)[:-2], y, x)
    camera.zoom = max(float(camera.zoom), NEAR / float(layer.scale[-1]))
