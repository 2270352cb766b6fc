"""Edits of a mask as dirty boxes, however they were made.

During a stroke napari announces each step by ``labels_update`` and the end by ``paint``. Undo and redo
announce only that all of the data may be new; their boxes are found in the history. Anything else
that says so is compared with what was known. Arrays written to without an announcement are noticed
at the next one.
"""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

import numpy as np
from psygnal import Signal
from qtpy.QtCore import QTimer

from napari_synth.core.boxes import Box, full_box

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from napari.layers import Labels

REST_MS = 250
"""A brush that has not painted for so long rests."""


class Edits:
    """Watches one Labels layer at a time."""

    edited = Signal(object, object)
    """A box and a copy of its labels."""
    replaced = Signal(object)
    """A copy of all labels: a new array."""
    settled = Signal()
    """A stroke or another edit has ended."""

    def __init__(self) -> None:
        self._layer: weakref.ref[Labels] | None = None
        self._known = np.zeros((0, 0), np.int32)
        self._history = (0, 0)
        self._end = QTimer(singleShot=True, interval=0)
        self._end.timeout.connect(self._finish)
        self._rest = QTimer(singleShot=True, interval=REST_MS)
        self._rest.timeout.connect(self._finish)

    def watch(self, layer: Labels | None) -> bool:
        """Watch this layer instead; False where its edits cannot be followed."""
        self._connect(False)
        self._rest.stop()
        self._layer = None
        self._known = np.zeros((0, 0), np.int32)
        if layer is None or layer.ndim != 2 or layer.multiscale:
            return False
        self._layer = weakref.ref(layer)
        self._connect(True)
        self._on_new_array()
        return True

    def close(self) -> None:
        """Stop for good."""
        self.watch(None)
        for timer in (self._end, self._rest):
            timer.deleteLater()

    @property
    def painting(self) -> bool:
        """Whether a stroke is under way."""
        layer = self._layer() if self._layer else None
        return layer is not None and is_painted(layer)

    def settle_soon(self) -> None:
        """Announce an end after the events at hand."""
        self._end.start()

    def settle_at_rest(self) -> None:
        """Announce an end as soon as nothing has been edited for a moment, be the stroke over or not."""
        self._rest.start()

    def _connect(self, on: bool) -> None:
        layer = self._layer() if self._layer else None
        if layer is None:
            return
        slots: dict[str, Callable[..., object]] = {
            "labels_update": self._on_step,
            "paint": self._on_paint,
            "set_data": self._on_refresh,
            "data": self._on_new_array,
        }
        listen(layer, slots, on)

    def _on_step(self, event: Any) -> None:
        (top, left), (height, width) = event.offset, event.data.shape[:2]
        self._tell(Box(top, left, top + height, left + width))
        self._remember_history()
        if not self.painting:
            self._end.start()

    def _on_paint(self) -> None:
        # A single edit is announced before it is made, and without a step where it is not shown at once.
        self._end.start()

    def _finish(self) -> None:
        self._rest.stop()
        layer = self._layer() if self._layer else None
        if layer is None:
            return
        if layer._undo_history:
            for atom in layer._undo_history[-1]:
                self._tell(_atom_box(atom))
        self._remember_history()
        self.settled.emit()

    def _on_refresh(self) -> None:
        layer = self._layer() if self._layer else None
        if layer is None:
            return
        boxes = self._from_history(layer)
        data = np.asarray(layer.data)
        if data.shape != self._known.shape:
            self._on_new_array()
            return
        if boxes is None:
            boxes = _differing(data, self._known)
        told = [self._tell(box) for box in boxes]
        if any(told) and not self.painting:
            self._end.start()

    def _from_history(self, layer: Labels) -> list[Box] | None:
        """Boxes of what was just undone or redone; None where it was something else."""
        before, now = self._history, self._remember_history()
        if now[0] == before[0] - 1 and now[1] == before[1] + 1:
            atoms = layer._redo_history[-1]
        elif now[0] == before[0] + 1 and now[1] == before[1] - 1:
            atoms = layer._undo_history[-1]
        else:
            return None
        return [_atom_box(atom) for atom in atoms]

    def _remember_history(self) -> tuple[int, int]:
        layer = self._layer() if self._layer else None
        if layer is not None:
            self._history = len(layer._undo_history), len(layer._redo_history)
        return self._history

    def _on_new_array(self) -> None:
        layer = self._layer() if self._layer else None
        if layer is None or layer.ndim != 2 or layer.multiscale:
            return
        self._remember_history()
        data = np.array(layer.data)
        if data.shape == self._known.shape and np.array_equal(data, self._known):
            return
        self._known = data
        self.replaced.emit(data.copy())
        self._end.start()

    def _tell(self, box: Box) -> bool:
        """Pass on what is new in a box; whether anything is."""
        layer = self._layer() if self._layer else None
        box = box.within(full_box(*self._known.shape))
        if layer is None or not box.area:
            return False
        part = box.seen_from(full_box(*self._known.shape))
        labels = np.array(layer.data[part])
        if np.array_equal(labels, self._known[part]):
            return False
        self._known[part] = labels
        self._rest.stop()
        self.edited.emit(box, labels)
        return True


def is_painted(layer: Labels) -> bool:
    """Whether a stroke on it is under way."""
    return bool(layer._block_history)


def was_edited(layer: Labels) -> bool:
    """Whether there is something to undo."""
    return bool(layer._undo_history)


def _atom_box(atom: Any) -> Box:
    """Where one entry of napari's history lies: slices of a painted box, or index arrays."""
    place = getattr(atom, "slice_key", None)
    if place is None:
        rows, columns = (np.asarray(axis) for axis in atom[0])
        return Box(int(rows.min()), int(columns.min()), int(rows.max()) + 1, int(columns.max()) + 1)
    rows, columns = place
    return Box(rows.start, columns.start, rows.stop, columns.stop)


def _differing(one: np.ndarray, two: np.ndarray) -> list[Box]:
    """The box around all differences; none where there are none."""
    different = one != two
    rows = np.flatnonzero(different.any(1))
    if not len(rows):
        return []
    columns = np.flatnonzero(different[rows[0] : rows[-1] + 1].any(0))
    return [Box(int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1)]


def listen(layer: Labels, slots: Mapping[str, Callable[..., object]], on: bool) -> None:
    """Connect functions to events of a layer, by the events' names, or disconnect them."""
    for name, slot in slots.items():
        emitter = getattr(layer.events, name)
        (emitter.connect if on else emitter.disconnect)(slot)
