"""Whether a mask is another than it was, told once when the brush rests."""

from __future__ import annotations

import weakref
import zlib
from typing import TYPE_CHECKING

import numpy as np
from psygnal import Signal
from qtpy.QtCore import QTimer

from napari_synth.ui.napari_bridge.label_edits import listen
from napari_synth.ui.napari_bridge.placement import finest

if TYPE_CHECKING:
    from napari.layers import Labels

REST_MS = 300
"""A mask that has not changed for so long rests."""
COMPARED_PIXELS = 2048 * 2048
"""Up to so many pixels a mask is compared with what it was; of a larger one each announcement counts."""


class MaskChanges:
    """Watches one Labels layer at a time.

    napari announces that data may be new when a mask is shown another way too, so the pixels are compared.
    """

    begun = Signal()
    """The mask was edited, a moment ago."""
    rested = Signal()
    """The mask is another one, and rests."""

    def __init__(self) -> None:
        self._layer: weakref.ref[Labels] | None = None
        self._print = 0
        self._timer = QTimer(singleShot=True, interval=REST_MS)
        self._timer.timeout.connect(self._compare)

    def watch(self, layer: Labels | None) -> None:
        """Watch this layer instead."""
        self._timer.stop()
        self._connect(False)
        self._layer = None if layer is None else weakref.ref(layer)
        self._print = fingerprint(layer)
        self._connect(True)

    def close(self) -> None:
        """Stop for good."""
        self.watch(None)
        self._timer.deleteLater()

    def _connect(self, on: bool) -> None:
        layer = self._layer() if self._layer else None
        if layer is None:
            return
        edits = dict.fromkeys(("labels_update", "paint"), self._on_edit)
        listen(layer, edits | dict.fromkeys(("set_data", "data"), self._on_refresh), on)

    def _on_edit(self) -> None:
        self.begun.emit()
        self._timer.start()

    def _on_refresh(self) -> None:
        self._timer.start()

    def _compare(self) -> None:
        layer = self._layer() if self._layer else None
        now = fingerprint(layer)
        if layer is not None and (now != self._print or finest(layer).size > COMPARED_PIXELS):
            self._print = now
            self.rested.emit()


def fingerprint(layer: Labels | None) -> int:
    """A number that is another one for other pixels; 0 for a mask too large for that, or read while it is shown."""
    if layer is None:
        return 0
    data = finest(layer)
    if not isinstance(data, np.ndarray) or data.size > COMPARED_PIXELS:
        return 0
    return zlib.crc32(data.tobytes()) ^ hash(data.shape)
