"""Image layers that objects are put into, and how the signal made for them is shown."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Image
from psygnal import Signal

from napari_synth.core.recipe import METADATA_KEY
from napari_synth.ui.napari_bridge.layer_list import LayerList
from napari_synth.ui.napari_bridge.placement import plane

if TYPE_CHECKING:
    from napari.components import ViewerModel

SIGNAL_COLOUR = "green"
TISSUE = 90
"""So many per cent of the pixels show no object, and their brightness is shown as dark."""
UNFINISHED_KEY = f"{METADATA_KEY} unfinished"
"""Marks a rendered image that has no recipe yet."""


class ImageLayers(LayerList):
    """The Image layers of a viewer that were not rendered here, and the one that objects are put into."""

    changed = Signal()
    """The layers, a name, the pixels of one or the chosen one changed."""

    def __init__(self, viewer: ViewerModel):
        super().__init__(viewer)
        self._chosen: weakref.ref[Image] | None = None
        self._pixels: weakref.WeakKeyDictionary[Image, np.ndarray] = weakref.WeakKeyDictionary()
        events = viewer.layers.events
        events.inserted.connect(self._on_inserted)
        events.removed.connect(self._on_removed)
        events.reordered.connect(self._on_changed)
        events.moved.connect(self._on_changed)
        for layer in self.layers:
            self._watch(layer)

    @property
    def layers(self) -> list[Image]:
        """All of them, the lowest first: anatomy lies under what is shown over it."""
        viewer = self._viewer()
        return [layer for layer in viewer.layers if is_source(layer)] if viewer else []

    @property
    def current(self) -> Image | None:
        """The chosen one; else the lowest."""
        chosen = self._chosen() if self._chosen else None
        layers = self.layers
        return chosen if any(chosen is layer for layer in layers) else next(iter(layers), None)

    @current.setter
    def current(self, layer: Image | None) -> None:
        self._chosen = None if layer is None else weakref.ref(layer)
        self.changed.emit()

    def pixels(self, layer: Image) -> np.ndarray:
        """A copy of an image that later changes of the layer do not touch; the same array as long as its pixels are."""
        pixels, known = image_array(layer), self._pixels.get(layer)
        if known is not None and pixels.dtype == known.dtype and np.array_equal(pixels, known):
            return known
        self._pixels[layer] = pixels
        return pixels

    def _on_inserted(self, event: Any) -> None:
        if is_source(event.value):
            self._watch(event.value)
            self.changed.emit()

    def _on_removed(self, event: Any) -> None:
        if is_source(event.value):
            for emitter in (event.value.events.name, event.value.events.data):
                emitter.disconnect(self._on_changed)
            self.changed.emit()

    def _watch(self, layer: Image) -> None:
        for emitter in (layer.events.name, layer.events.data):
            emitter.connect(self._on_changed)

    def _on_changed(self) -> None:
        self.changed.emit()


def is_source(layer: Any) -> bool:
    """Whether a layer is an image that was not rendered here."""
    return isinstance(layer, Image) and not is_rendered(layer)


def is_rendered(layer: Any) -> bool:
    """Whether a layer is an image, or a stack of a network, that was made here."""
    return isinstance(layer, Image) and bool({METADATA_KEY, UNFINISHED_KEY} & layer.metadata.keys())


def image_array(layer: Image) -> np.ndarray:
    """A copy of an image that later changes of the layer do not touch; not 2-D ones come uncopied."""
    data = plane(layer)
    return np.array(data) if data.ndim == 2 else data


def over_anatomy(image: np.ndarray, limits: tuple[float, float]) -> dict[str, Any]:
    """How a signal is shown, so that the anatomy is seen through it: what all tissue gives off is dark."""
    top = max(float(np.percentile(image, 99.8)), limits[0] + 0.2 * (limits[1] - limits[0]))
    bottom = min(float(np.percentile(image, TISSUE)), (limits[0] + top) / 2)
    return {"colormap": SIGNAL_COLOUR, "blending": "additive", "contrast_limits": (max(bottom, limits[0]), top)}
