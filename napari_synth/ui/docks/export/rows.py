"""What can be exported: masks in layers, and the masks of open folders."""

from __future__ import annotations

import math
import weakref
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from napari.layers import Labels

from napari_synth.datasets.foreign_masks import ForeignMask
from napari_synth.ui.context.opened_series import OpenSeries
from napari_synth.ui.napari_bridge.mask_layers import mask_array, pixel_size

if TYPE_CHECKING:
    from pathlib import Path

    from napari_synth.exporting.formats.base import PixelSize
    from napari_synth.ui.context.context import Context

Source: TypeAlias = Labels | OpenSeries


@dataclass(frozen=True, eq=False)
class Row:
    """A line of the table.

    Attributes
    ----------
    source : Labels or OpenSeries
    name : str
    fault : str
        Why it cannot be exported, as a sentence goes on; empty where it can.
    count : int
        Masks.
    on : bool
        Whether it is to be exported.
    """

    source: Source
    name: str
    fault: str
    count: int
    on: bool

    @property
    def shape(self) -> tuple[int, int]:
        """Of one mask; of a folder, as the one that was shown first has."""
        height, width = self.source.shape if isinstance(self.source, OpenSeries) else self.source.data.shape[-2:]
        return int(height), int(width)

    @property
    def pixels(self) -> int:
        """Of one mask."""
        return math.prod(self.shape)

    @property
    def pixel_size(self) -> PixelSize:
        return self.source.pixel_size if isinstance(self.source, OpenSeries) else pixel_size(self.source)


class Rows:
    """The rows of the table, and which of them are left out."""

    def __init__(self, context: Context):
        self._context = context
        self._left_out: weakref.WeakSet[Source] = weakref.WeakSet()

    def include(self, source: Source, on: bool) -> None:
        """Export this mask or folder, or leave it out."""
        (self._left_out.discard if on else self._left_out.add)(source)

    def all(self) -> list[Row]:
        """Masks in layers, the topmost first, then open folders."""
        layers = [self._layer(layer) for layer in self._context.masks.layers]
        return [*layers, *(row for series in self._context.series if (row := self._folder(series)).count)]

    def chosen(self) -> list[Row]:
        """Those to export, the mask that is being worked on first: its image is the one that is seen."""
        current = self._context.masks.current
        return sorted((row for row in self.all() if row.on), key=lambda row: row.source is not current)

    def skipped(self) -> list[tuple[str, str]]:
        """Name and fault of the masks that cannot be exported and are left out."""
        return [(row.name, row.fault) for row in self.all() if row.fault and row.source not in self._left_out]

    def first_name(self, row: Row) -> str:
        """The name of the first mask of a row."""
        return next(name for name, _ in self._masks(row))

    def masks_of(self, rows: list[Row]) -> Iterator[tuple[str, np.ndarray | Path]]:
        """Name and labels of every mask; of one that is in a file alone, that file."""
        for row in rows:
            for name, source in self._masks(row):
                yield name, mask_array(source) if isinstance(source, Labels) else source

    def _masks(self, row: Row) -> Iterator[tuple[str, Labels | np.ndarray | Path]]:
        if isinstance(row.source, Labels):
            yield row.name, row.source
            return
        series = row.source.masks
        for index in self._context.series.without_layer(row.source):
            source = series.sources[index]
            yield series.stems[index], source.labels if isinstance(source, ForeignMask) else source

    def _layer(self, layer: Labels) -> Row:
        fault = self._fault(layer)
        return Row(layer, layer.name, fault, 1, not fault and layer not in self._left_out)

    def _folder(self, series: OpenSeries) -> Row:
        count = len(self._context.series.without_layer(series))
        return Row(series, f"{count} more of {series.masks.name}", "", count, series not in self._left_out)

    def _fault(self, layer: Labels) -> str:
        if layer.ndim != 2:
            return "is a stack of planes"
        return "" if self._may_be_empty or np.any(layer.data) else "is empty"

    @property
    def _may_be_empty(self) -> bool:
        card = self._context.catalogue.card(self._context.look.model)
        return card is not None and bool(card.condition_channels)
