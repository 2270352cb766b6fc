"""Copies of masks for autosaving: when one is due, taken in small parts, and made a layer again."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from napari.layers import Labels

from napari_synth.core.errors import InputError
from napari_synth.ui.autosave.store import Column, Description, KeptMask, Placement, band_rows
from napari_synth.ui.napari_bridge.label_edits import was_edited
from napari_synth.ui.napari_bridge.mask_layers import put_on_top
from napari_synth.ui.napari_bridge.placement import placement

if TYPE_CHECKING:
    from napari.components import ViewerModel

PLAIN = "biuf"
"""Kinds of columns that come back with their dtype, as text does; others come back as Python objects."""


def keepable(layer: Any) -> bool:
    """Whether a layer is a mask in memory."""
    return (
        isinstance(layer, Labels)
        and not layer.multiscale
        and isinstance(layer.data, np.ndarray)
        and layer.data.ndim == 2
        and layer.data.size > 0
    )


class WatchedMask:
    """Whether a mask was touched since it was copied last.

    Parameters
    ----------
    layer : Labels
    key : int
        Its number among the masks of the window.
    on_touch : callable
        Called without arguments at each change.

    Attributes
    ----------
    dirty : bool
        Touched since it was copied last.
    touched : bool
        Touched at all.
    """

    def __init__(self, layer: Labels, key: int, on_touch: Callable[[], None]):
        self._layer = weakref.ref(layer)
        self._on_touch = on_touch
        self.key = key
        self.dirty = self.touched = was_edited(layer)
        self._copy: np.ndarray | None = None
        self._source: np.ndarray | None = None
        self._stale: set[int] = set()
        self._connect(layer, True)

    @property
    def layer(self) -> Labels | None:
        return self._layer()

    def leave(self) -> None:
        """Watch no longer."""
        layer = self._layer()
        if layer is not None:
            self._connect(layer, False)

    def begin(self) -> None:
        """Begin a copy; `advance` goes on with it."""
        self.dirty = False
        self._source = None

    def advance(self) -> Snapshot | None:
        """Copy one more part; the copy, once it shows the mask as it is at this moment.

        Parts that are edited in between are copied again, so the UI thread is held up for a moment
        only however large the mask, and still no copy shows half an edit.
        """
        layer = self._layer()
        if self._source is not getattr(layer, "data", None):
            self._source = self._copy = None
            self._stale.clear()
        if layer is None or not keepable(layer):
            return None
        if self._source is None or self._copy is None:
            self._source, self._copy = layer.data, np.empty(layer.data.shape, layer.data.dtype)
            self._soil()
        if self._stale:
            rows = band_rows(self._source)
            top = self._stale.pop() * rows
            self._copy[top : top + rows] = self._source[top : top + rows]
        if self._stale:
            return None
        labels, self._copy, self._source = self._copy, None, None
        return snapshot(layer, labels)

    @property
    def copying(self) -> bool:
        """Whether parts of the copy are left."""
        layer = self._layer()
        return bool(self._stale) and layer is not None and keepable(layer)

    def _soil(self, top: int = 0, bottom: int | None = None) -> None:
        if self._source is not None:
            last = (len(self._source) if bottom is None else bottom) - 1
            rows = band_rows(self._source)
            self._stale.update(range(top // rows, max(last, top) // rows + 1))

    def _connect(self, layer: Labels, on: bool) -> None:
        events = layer.events
        for emitter, slot in (
            (events.labels_update, self._on_step),
            *((emitter, self._on_edit) for emitter in (events.paint, events.set_data, events.data)),
            *((getattr(events, name), self._touch) for name in ("name", "features", *Placement.model_fields)),
        ):
            (emitter.connect if on else emitter.disconnect)(slot)

    def _on_step(self, event: Any) -> None:
        self._soil(event.offset[-2], event.offset[-2] + event.data.shape[0])
        self._touch()

    def _on_edit(self) -> None:
        self._soil()
        self._touch()

    def _touch(self) -> None:
        self.dirty = self.touched = True
        self._on_touch()


@dataclass(frozen=True, eq=False)
class Snapshot:
    """A mask at one moment, as it left the UI thread."""

    labels: np.ndarray
    name: str
    place: dict[str, Any]
    features: pd.DataFrame

    def kept(self) -> KeptMask:
        """In the form of a file."""
        plain = {
            name: [str(unit) for unit in value] if name in ("units", "axis_labels") else np.asarray(value).tolist()
            for name, value in self.place.items()
        }
        columns = [_column(str(name), self.features[name]) for name in self.features]
        about = Description(
            napari_synth_mask=1, name=self.name, placement=Placement.model_validate(plain), features=columns
        )
        return KeptMask(self.labels, about)


def snapshot(layer: Labels, labels: np.ndarray) -> Snapshot:
    """All of a layer that is kept, with these labels."""
    place = placement(layer)
    return Snapshot(labels, layer.name, {**place, "affine": place["affine"].affine_matrix}, layer.features.copy())


def add_kept(viewer: ViewerModel, mask: KeptMask) -> Labels:
    """Make a kept mask a layer again, on top.

    Raises
    ------
    InputError
        If napari takes no such layer.
    """
    about = mask.about
    try:
        table = pd.DataFrame({column.name: _series(column) for column in about.features})
        layer = Labels(mask.labels, name=about.name, features=table, **about.placement.model_dump())
    except Exception as error:  # what a hostile file makes napari, NumPy or the units raise is not to be foreseen
        raise InputError(
            f"The autosaved mask {about.name!r} cannot be shown.",
            "It stays where it is until you discard it.",
        ) from error
    put_on_top(viewer, layer)
    layer.selected_label = int(mask.labels.max(initial=0)) + 1
    return layer


def _column(name: str, series: pd.Series) -> Column:
    plain = (bool, int, float, str, type(None))
    values = [value if isinstance(value, plain) else str(value) for value in series.tolist()]
    return Column(name=name, dtype=str(series.dtype), values=values)


def _series(column: Column) -> pd.Series:
    dtype = pd.api.types.pandas_dtype(column.dtype)
    plain = dtype.kind in PLAIN or isinstance(dtype, pd.StringDtype)
    return pd.Series(column.values, dtype=dtype if plain else object)
