"""Per-nucleus tables that follow undo and redo of their mask."""

from __future__ import annotations

import weakref
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from napari.layers import Labels

    from napari_synth.masks.nucleus_moves import Change, Motion


class NucleusTables:
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
    return zlib.crc32(np.ascontiguousarray(layer.data).data)


def nucleus_row(layer: Labels, label: int) -> dict[str, float] | None:
    """The row of a nucleus, or None where the table has none."""
    table = layer.features
    if "index" not in table or "z0" not in table:
        return None
    rows = table[(table["index"] == label) & table["z0"].notna()]
    return None if rows.empty else {str(name): float(value) for name, value in rows.iloc[-1].items()}


def put_rows(layer: Labels, columns: dict[str, np.ndarray]) -> None:
    """Add rows to the table of a mask; a nucleus that has one already gets the new one."""
    import pandas as pd

    new = pd.DataFrame(columns)
    old = layer.features
    if "index" not in old:
        old = pd.DataFrame({name: [0 if new[name].dtype.kind in "iu" else np.nan] for name in new})
    kept = old[~old["index"].isin(new["index"])]
    layer.features = pd.concat([kept, new], ignore_index=True).sort_values("index", ignore_index=True)


def move_rows(layer: Labels, change: Change, motion: Motion, about: tuple[float, float]) -> None:
    """Let the rows of nuclei that were turned and scaled about a place, then moved, say where they are now."""
    if "index" not in layer.features:
        return
    table, angle = layer.features.copy(), np.deg2rad(motion.turn)
    for number, area in zip(change.numbers, change.areas, strict=True):
        row = table["index"] == number
        if {"y", "x"} <= set(table):
            y, x = table.loc[row, "y"] - about[0], table.loc[row, "x"] - about[1]
            table.loc[row, "y"] = about[0] + motion.dy + motion.factor * (np.cos(angle) * y - np.sin(angle) * x)
            table.loc[row, "x"] = about[1] + motion.dx + motion.factor * (np.sin(angle) * y + np.cos(angle) * x)
        if {"angle", "scale"} <= set(table):
            table.loc[row, "angle"] = (table.loc[row, "angle"] + motion.turn) % 360
            table.loc[row, "scale"] *= motion.factor
        if "area" in table:
            table.loc[row, "area"] = area
    layer.features = table


def copy_rows(layer: Labels, sources: Sequence[int], change: Change, dy: float, dx: float) -> None:
    """Give copies of nuclei the rows of their originals, with their own numbers and places."""
    import pandas as pd

    if "index" not in layer.features:
        return
    table = layer.features
    new = []
    for source, number, area in zip(sources, change.numbers, change.areas, strict=True):
        row = table[table["index"] == source].copy()
        row["index"] = number
        for name, value in (("y", dy), ("x", dx)):
            if name in row:
                row[name] += value
        if "area" in row:
            row["area"] = area
        new.append(row)
    layer.features = pd.concat([table, *new], ignore_index=True).sort_values("index", ignore_index=True)


def drop_rows(layer: Labels, numbers: Sequence[int]) -> None:
    """Forget the rows of nuclei that are gone."""
    if "index" in layer.features:
        layer.features = layer.features[~layer.features["index"].isin(numbers)].reset_index(drop=True)
