"""Pictures of the latent space as layers: a walk between two codes, a sheet of traversals."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_synth.masks.shape_codes import straight_walk, traversals
from napari_synth.ui.napari_bridge.mask_layers import add_stack

if TYPE_CHECKING:
    import numpy as np
    from napari.components import ViewerModel
    from napari.layers import Image

    from napari_synth.masks.shape_model import ShapeModel

WALK_STEPS = 25
TRAVERSAL_STEPS = 9


def add_walk(viewer: ViewerModel, shapes: ShapeModel, start: np.ndarray, end: np.ndarray) -> Image:
    """Add the shapes from one code to another, ``(latent,)`` each, as a layer ``(alpha, 64, 64)``."""
    alpha, codes = straight_walk(start, end, WALK_STEPS)
    layer = add_stack(viewer, shapes.decode(codes), "walk", ("alpha", "y", "x"))
    layer.metadata["alpha"] = alpha.tolist()
    return layer


def add_traversals(viewer: ViewerModel, shapes: ShapeModel, z: np.ndarray, reach: float) -> Image:
    """Add a sheet with a row of shapes for each latent dimension, which goes from -reach to reach while others stay."""
    codes = traversals(z, reach, TRAVERSAL_STEPS)
    rows, columns, size = codes.shape
    pictures = shapes.decode(codes.reshape(-1, size))
    side = pictures.shape[1]
    sheet = pictures.reshape(rows, columns, side, side).swapaxes(1, 2).reshape(rows * side, columns * side)
    return add_stack(viewer, sheet, "traversals", ("y", "x"))
