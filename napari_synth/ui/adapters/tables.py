"""Per-nucleus tables that follow undo and redo of their mask."""

from __future__ import annotations

import weakref
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd
    from napari.layers import Labels


class FieldTables:
    """Remembers which `Labels.features` belong to which state of a mask.

    Ctrl+Z changes the labels alone; without this the table of a field would stay beside the nuclei
    that were there before.
    """

    def __init__(self) -> None:
        self._tables: weakref.WeakKeyDictionary[Labels, dict[int, pd.DataFrame]] = weakref.WeakKeyDictionary()
        self._shown: weakref.WeakKeyDictionary[Labels, int] = weakref.WeakKeyDictionary()

    def remember(self, layer: Labels) -> None:
        """Tie the present table to the present labels."""
        if layer not in self._tables:
            self._tables[layer] = {}
            layer.events.set_data.connect(self._on_set_data)
        key = _fingerprint(layer)
        self._tables[layer][key] = layer.features.copy()
        self._shown[layer] = key

    def _on_set_data(self, event: Any) -> None:
        """Undo and redo fire only this event."""
        layer = event.source
        if layer not in self._tables:
            return
        key = _fingerprint(layer)
        if key != self._shown[layer] and key in self._tables[layer]:
            self._shown[layer] = key
            layer.features = self._tables[layer][key]


def _fingerprint(layer: Labels) -> int:
    return zlib.crc32(np.ascontiguousarray(layer.data))
