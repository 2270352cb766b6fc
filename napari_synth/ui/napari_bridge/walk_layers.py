"""A walk between pairs as layers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from napari.layers import Image, Labels

from napari_synth.core.recipe import METADATA_KEY

if TYPE_CHECKING:
    import numpy as np
    from napari.components import ViewerModel

    from napari_synth.core.recipe import Recipe


class Walk(Protocol):
    """Images and labels ``(step, Y, X)``, images also in colours, and the recipe of the first."""

    @property
    def images(self) -> np.ndarray: ...
    @property
    def labels(self) -> np.ndarray: ...
    @property
    def recipe(self) -> Recipe: ...


def show_walk(viewer: ViewerModel, name: str, walk: Walk) -> None:
    """Add the images of a walk on top, and the outlines of their labels over them; one slider moves both.

    The layer that was worked on stays the selected one.
    """
    axes: dict[str, Any] = {"axis_labels": ("alpha", "y", "x"), "metadata": {METADATA_KEY: walk.recipe.model_dump()}}
    active, rgb = viewer.layers.selection.active, walk.images.ndim == 4
    grey: dict[str, Any] = {} if rgb else {"contrast_limits": (0, 255)}
    viewer.add_layer(Image(walk.images, name=name, rgb=rgb, **grey, **axes))
    layer = Labels(walk.labels, name=f"{name} · masks", **axes)
    layer.contour = 1
    viewer.add_layer(layer)
    viewer.dims.set_current_step(0, 0)
    if active is not None:
        viewer.layers.selection.active = active
