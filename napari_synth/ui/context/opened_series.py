"""Folders of more masks than the layer list can hold: one mask at a time is a layer, all of them can be exported."""

from __future__ import annotations

import weakref
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from psygnal import Signal

if TYPE_CHECKING:
    from napari.layers import Labels

    from napari_synth.datasets.image_files import PixelSize
    from napari_synth.datasets.mask_sources import MaskSeries
    from napari_synth.ui.napari_bridge.mask_layers import MaskLayers


@dataclass(eq=False)
class OpenSeries:
    """A series of masks that was opened.

    Attributes
    ----------
    masks : MaskSeries
    shape : tuple of int
    pixel_size : PixelSize
        Both of the mask that was shown first.
    at : int
        Which one is shown, from 0.
    """

    masks: MaskSeries
    shape: tuple[int, ...]
    pixel_size: PixelSize
    at: int = 0
    _layers: dict[int, tuple[weakref.ref[Labels], str, int]] = field(default_factory=dict)

    def put(self, index: int, layer: Labels) -> None:
        """Remember the layer of a mask, as it was read."""
        self._layers[index] = (weakref.ref(layer), layer.name, _checksum(layer))

    def layer(self, index: int) -> Labels | None:
        """The layer of a mask, while it exists."""
        known = self._layers.get(index)
        return None if known is None else known[0]()

    def untouched(self, index: int) -> bool:
        """Whether the layer of a mask is as it was read, so that nothing is lost with it."""
        known, layer = self._layers.get(index), self.layer(index)
        return known is not None and layer is not None and (layer.name, _checksum(layer)) == known[1:]


class OpenedSeries:
    """The series that are open in a window, the newest last."""

    changed = Signal()
    """Series were opened or closed, or another mask of one is shown."""

    def __init__(self, masks: MaskLayers):
        self._masks = masks
        self._series: list[OpenSeries] = []

    def __iter__(self) -> Iterator[OpenSeries]:
        return iter(self._series)

    def __len__(self) -> int:
        return len(self._series)

    def add(self, series: OpenSeries) -> None:
        """Open a series; one of the same files is replaced."""
        self._series = [other for other in self._series if other.masks.paths != series.masks.paths]
        self._series.append(series)
        self.changed.emit()

    def close(self, series: OpenSeries) -> None:
        """Forget a series; its layers stay."""
        self._series = [other for other in self._series if other is not series]
        self.changed.emit()

    def layer(self, series: OpenSeries, index: int) -> Labels | None:
        """The layer of a mask, while it is in the viewer."""
        layer = series.layer(index)
        return layer if layer is not None and self._masks.holds(layer) else None

    def of(self, layer: Labels | None) -> OpenSeries | None:
        """The series whose mask a layer shows now; None where it is of none."""
        shown = (series for series in self._series if layer is not None and self.layer(series, series.at) is layer)
        return next(shown, None)

    def without_layer(self, series: OpenSeries) -> list[int]:
        """The masks that are in no layer of the viewer: they are as their files have them."""
        return [index for index in range(len(series.masks)) if self.layer(series, index) is None]


def _checksum(layer: Labels) -> int:
    return zlib.crc32(np.ascontiguousarray(layer.data).data)
