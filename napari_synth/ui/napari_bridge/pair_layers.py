"""A pair of files as layers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from napari.layers import Image, Labels

if TYPE_CHECKING:
    from napari.components import ViewerModel


def show_pair(viewer: ViewerModel, name: str, image: np.ndarray, labels: np.ndarray | None) -> None:
    """Add an image ``(Y, X)`` or ``(Y, X, 3)`` on top, and the outlines of its labels over it."""
    viewer.add_layer(Image(image, name=name, rgb=image.ndim == 3))
    if labels is not None:
        layer = Labels(labels, name=f"{name} labels")
        layer.contour = 1
        viewer.add_layer(layer)
