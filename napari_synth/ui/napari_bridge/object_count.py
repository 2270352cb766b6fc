"""How many objects the current mask has, counted beside the window's own work whenever the mask rests."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

import numpy as np
from psygnal import Signal
from qtpy.QtCore import QTimer

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari.layers import Labels

    from napari_synth.ui.napari_bridge.mask_layers import MaskLayers

REST_MS = 300
"""A mask that was not changed for so long is counted."""
ROWS = 256
"""Rows counted at a time, so that nobody waits for Python."""


class ObjectCount:
    """Counts the objects of the current mask when another one is chosen or this one was changed.

    Attributes
    ----------
    count : int or None
        None: there is no mask, or it is not counted yet.
    up_to_date : bool
        Whether the mask was not changed since it was counted.
    """

    changed = Signal()

    def __init__(self, masks: MaskLayers, submit: Callable[..., object]):
        self._masks, self._submit = masks, submit
        self.count: int | None = None
        self._changes = self._counted_changes = 0
        self._watched: weakref.ref[Labels] | None = None
        self._timer = QTimer(singleShot=True, interval=REST_MS)
        self._timer.timeout.connect(self._begin)
        masks.current_changed.connect(self._on_current)
        masks.changed.connect(self._on_current)
        self._on_current()

    @property
    def up_to_date(self) -> bool:
        return self.count is not None and self._counted_changes == self._changes

    def close(self) -> None:
        """Count no more."""
        self._timer.stop()
        self._watch(None)

    def _on_current(self) -> None:
        layer = self._masks.current
        before = self._watched() if self._watched is not None else None
        if layer is not before:
            self._watch(layer)
            self.count = None
            self.changed.emit()
            self._begin()

    def _watch(self, layer: Labels | None) -> None:
        before = self._watched() if self._watched is not None else None
        if before is not None:
            for event in _edits(before):
                event.disconnect(self._on_edit)
        self._watched = None if layer is None else weakref.ref(layer)
        if layer is not None:
            for event in _edits(layer):
                event.connect(self._on_edit)

    def _on_edit(self) -> None:
        self._changes += 1
        self._timer.start()

    def _begin(self) -> None:
        layer = self._watched() if self._watched is not None else None
        if layer is None:
            return
        data = layer.data[0] if layer.multiscale else layer.data
        if isinstance(data, np.ndarray):
            watched, changes = self._watched, self._changes
            self._submit(
                "Counting", lambda: count_objects(data), lambda outcome: self._counted(watched, changes, outcome)
            )

    def _counted(self, watched: weakref.ref[Labels] | None, changes: int, outcome: object) -> None:
        count = getattr(outcome, "result", None)
        if watched is not self._watched or not isinstance(count, int):
            return
        self._counted_changes = changes
        if count != self.count:
            self.count = count
            self.changed.emit()


def count_objects(labels: np.ndarray) -> int:
    """Number of different labels that are not 0."""
    rows = labels.reshape(-1, labels.shape[-1]) if labels.ndim > 1 else labels[None]
    found: set[int] = set()
    for first in range(0, len(rows), ROWS):
        found.update(np.unique(rows[first : first + ROWS]).tolist())
    return len(found - {0})


def _edits(layer: Labels) -> tuple[Any, ...]:
    events = layer.events
    return events.labels_update, events.paint, events.set_data, events.data
