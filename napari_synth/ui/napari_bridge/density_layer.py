"""The layer that sampled nuclei follow: they lie where it is bright."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Image, Labels
from psygnal import Signal

from napari_synth.ui.napari_bridge.layer_list import LayerList
from napari_synth.ui.napari_bridge.placement import finest, plane

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer


class DensityLayer(LayerList):
    """A 2-D layer, painted or an image, whose high values attract nuclei; or none."""

    changed = Signal()

    def __init__(self, viewer: ViewerModel):
        super().__init__(viewer)
        self._layer: weakref.ref[Layer] | None = None

    def follow(self, layer: Layer | None) -> None:
        """Let nuclei lie where this layer has high values; None: everywhere alike."""
        self._layer = None if layer is None else weakref.ref(layer)
        self.changed.emit()

    @property
    def layer(self) -> Layer | None:
        """The layer nuclei follow, while it is in the viewer."""
        layer = self._layer() if self._layer else None
        return layer if layer is not None and self.holds(layer) else None

    def values(self, shape: tuple[int, ...]) -> np.ndarray | None:
        """Its numbers for a canvas of this size, ``(Y, X)``; None where there is none of that size."""
        values = density_values(self.layer)
        return values if values is not None and values.shape == tuple(shape) else None

    def candidates(self, mask: Labels | None) -> list[Layer]:
        """The layers of the size of a mask that nuclei could follow."""
        viewer = self.viewer
        if mask is None or viewer is None:
            return []
        found = [(layer, density_values(layer)) for layer in viewer.layers if layer is not mask]
        return [layer for layer, values in found if values is not None and values.shape == plane(mask).shape]


def density_values(layer: Any) -> np.ndarray | None:
    """The numbers of a 2-D image or of labels as a density ``(Y, X)`` from 0 up; None for any other layer."""
    if not isinstance(layer, Image | Labels) or layer.ndim != 2:
        return None
    values = np.asarray(finest(layer), np.float64)
    values = values.mean(-1) if values.ndim == 3 else values
    lowest = float(np.nanmin(values)) if values.size else 0.0
    return values - lowest if isinstance(layer, Image) else values
