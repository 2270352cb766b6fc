"""Stacks of a network as layers: capsules, lengths, routing, walks, and the difference of two images.

All stacks of a viewer end in the same axes, ``iteration, input, alpha, capsule, pose, y, x``, so that
one slider moves all of them; an axis that a stack does not have is repeated without a copy.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from napari.layers import Image
from napari.utils import Colormap
from napari.utils.transforms import Affine
from psygnal import Signal

from napari_synth.core.recipe import METADATA_KEY
from napari_synth.ui.napari_bridge.layer_list import LayersOfMasks
from napari_synth.ui.napari_bridge.placement import lay, placement

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Labels

    from napari_synth.core.recipe import Recipe

AXES = ("iteration", "input", "alpha", "capsule", "pose", "y", "x")
CAPSULES, LENGTHS, ROUTING, WALK, DIFFERENCE = "capsules", "lengths", "routing", "walk", "difference"
"""What a stack shows."""
BLUE, ORANGE = (0.20, 0.55, 1.0), (1.0, 0.50, 0.0)
PERCENTILES = (0.5, 99.5)


def difference_colours() -> Colormap:
    """Blue where the image became darker, orange where brighter, nothing where it stayed."""
    colours = [(*BLUE, alpha) for alpha in (1.0, 0.7, 0.0)] + [(*ORANGE, alpha) for alpha in (0.0, 0.7, 1.0)]
    return Colormap(colours, controls=[0, 0.35, 0.5, 0.5, 0.65, 1], name="darker or brighter")


class StackKey(NamedTuple):
    """What a layer of the microscope shows: a stage of the network, or the whole image where it is empty."""

    stage: str
    what: str

    @property
    def title(self) -> str:
        """How the layer is called after its mask."""
        words = (self.what, self.stage) if self.what == WALK else (self.stage, self.what)
        return " ".join(word for word in words if word)


IMAGE_DIFFERENCE = StackKey("", DIFFERENCE)


class StackLayers(LayersOfMasks[StackKey]):
    """The layers of the microscope, by mask and key; refreshed when made again.

    Contrast follows the sliders where one range for all capsules and channels would show nothing.
    """

    looked_at = Signal()
    """The eye of a layer was switched on that shows an earlier image's stack."""

    def __init__(self, viewer: ViewerModel):
        super().__init__(viewer)
        self._fitted: weakref.WeakSet[Image] = weakref.WeakSet()
        self._stale: weakref.WeakSet[Image] = weakref.WeakSet()
        viewer.dims.events.current_step.connect(self.fit)

    def visible(self, mask: Labels) -> list[StackKey]:
        """The layers of a mask whose eye is on."""
        return [key for key, layer in self.of(mask).items() if layer.visible]

    def outdate(self, mask: Labels, keys: list[StackKey]) -> None:
        """Say that layers show what was before; `looked_at` tells when one of them is looked at."""
        self._stale.update(layer for key, layer in self.of(mask).items() if key in keys)

    def put(
        self,
        mask: Labels,
        key: StackKey,
        stack: Any,
        recipe: Recipe,
        factor: int = 1,
        *,
        fitted: bool = False,
        **settings: Any,
    ) -> Image:
        """Add or refresh a stack below its mask and above the image; the selection stays as it is.

        Parameters
        ----------
        mask : Labels
        key : StackKey
        stack : array, shape (…, y, x)
            NumPy or dask; its axes are the last of `AXES`.
        recipe : Recipe
        factor : int
            Size of a pixel of the stack in pixels of the mask.
        fitted : bool
            Fit the contrast to what is shown, again when a slider is moved.
        settings : dict
            Further arguments of the layer.
        """
        place = _placement(mask, stack.ndim, factor)
        metadata = {METADATA_KEY: recipe.model_dump()}
        layer = self.find(mask, key)
        if layer is not None and layer.data.ndim == stack.ndim:
            layer.data = stack
            layer.metadata = {**layer.metadata, **metadata}
            lay(layer, place)
            if "contrast_limits" in settings:
                layer.contrast_limits = settings["contrast_limits"]
        else:
            if fitted:
                settings |= {"contrast_limits": (0, 1)}
            layer = Image(
                stack, name=f"{mask.name} · {key.title}", metadata=metadata, cache=False, **(place | settings)
            )
            self.insert(mask, key, layer)
            layer.events.visible.connect(self._on_eye)
        self._stale.discard(layer)
        if fitted:
            self._fitted.add(layer)
            self.fit()
        return layer

    def show_difference(self, mask: Labels, difference: np.ndarray, recipe: Recipe) -> Image:
        """Add or refresh the difference of two images, with the same room for darker and brighter."""
        most = max(1, int(np.abs(difference).max(initial=0)))
        layer = self.put(
            mask, IMAGE_DIFFERENCE, difference, recipe, contrast_limits=(-most, most), colormap=difference_colours()
        )
        layer.contrast_limits_range = (-255, 255)
        layer.contrast_limits = (-most, most)
        return layer

    def hide(self, mask: Labels, keys: Iterable[StackKey]) -> None:
        """Switch the eye of some layers off."""
        for key in keys:
            layer = self.find(mask, key)
            if layer is not None:
                layer.visible = False

    def reveal(self, mask: Labels, key: StackKey) -> None:
        """Switch the eye of a layer on, where there is one."""
        layer = self.find(mask, key)
        if layer is not None:
            layer.visible = True

    def fit(self) -> None:
        """Fit the contrasts to what is shown: a slider was moved, or a stack was filled."""
        viewer = self.viewer
        for layer in list(self._fitted):
            if viewer is not None and layer.visible and self.holds(layer):
                fit_contrast(layer, viewer.dims.point)

    def step(self, axis: str) -> int:
        """Where a slider stands; 0 where there is none."""
        viewer = self.viewer
        number = AXES.index(axis) - len(AXES)
        return round(viewer.dims.point[number]) if viewer is not None and viewer.dims.ndim >= -number else 0

    def go_to(self, **steps: int) -> None:
        """Move sliders, ``go_to(capsule=3, pose=5)``."""
        viewer = self.viewer
        if viewer is None:
            return
        for axis, step in steps.items():
            number = viewer.dims.ndim + AXES.index(axis) - len(AXES)
            if number >= 0:
                viewer.dims.set_point(number, step)

    def _on_eye(self, event: Any) -> None:
        if event.source.visible and event.source in self._stale:
            self.looked_at.emit()
        self.fit()


def fit_contrast(layer: Image, point: tuple[float, ...]) -> None:
    """Set the contrast to the range of the slice at a point of the viewer, without its outermost values."""
    index = tuple(round(value) for value in point[len(point) - layer.ndim : len(point) - 2])
    if any(not 0 <= i < side for i, side in zip(index, layer.data.shape, strict=False)):
        return
    low, high = (float(value) for value in np.percentile(np.asarray(layer.data[index]), PERCENTILES))
    if high <= low:
        high = low + 1
    layer.contrast_limits_range = (low - (high - low), high + (high - low))
    layer.contrast_limits = (low, high)


def _placement(mask: Labels, ndim: int, factor: int) -> dict[str, Any]:
    """Where a stack lies so that each of its pixels covers ``factor`` × ``factor`` pixels of the mask."""
    place = placement(mask)
    scale = np.array(place["scale"])
    turn = Affine(scale=scale, rotate=place["rotate"], shear=place["shear"], ndim=2).linear_matrix
    translate = np.array(place["translate"]) + turn @ np.full(2, (factor - 1) / 2)
    more = ndim - 2
    rotate, shear = np.eye(ndim), np.eye(ndim)
    rotate[more:, more:] = place["rotate"]
    shear[-2, -1] = place["shear"][0]
    return place | {
        "scale": (*[1.0] * more, *(scale * factor)),
        "translate": (*[0.0] * more, *translate),
        "rotate": rotate,
        "shear": shear[np.triu_indices(ndim, 1)],
        "affine": place["affine"] if not more else place["affine"].expand_dims(range(more)),
        "units": (*["pixel"] * more, *place["units"]),
        "axis_labels": AXES[-ndim:],
    }
