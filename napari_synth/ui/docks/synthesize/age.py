"""Whether the image of the current mask is older than the mask."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING

from psygnal import Signal

if TYPE_CHECKING:
    from napari.layers import Labels

    from napari_synth.ui.context.context import Context


class ImageAge:
    """Counts the versions of masks, and remembers which of them an image shows.

    Parameters
    ----------
    context : Context
    """

    changed = Signal()

    def __init__(self, context: Context):
        self._context = context
        self._version: weakref.WeakKeyDictionary[Labels, int] = weakref.WeakKeyDictionary()
        self._shown: weakref.WeakKeyDictionary[Labels, int] = weakref.WeakKeyDictionary()

    def version(self, layer: Labels) -> int:
        """Of a mask as it is now."""
        return self._version.get(layer, 0)

    def edited(self, layer: Labels) -> None:
        """The mask is another one now."""
        self._version[layer] = self.version(layer) + 1
        self.changed.emit()

    def shown(self, layer: Labels, version: int) -> None:
        """The image shows this version of the mask."""
        self._shown[layer] = version
        self.changed.emit()

    @property
    def is_old(self) -> bool:
        """Whether there is an image of the current mask that shows an earlier version."""
        layer = self._context.masks.current
        if layer is None or layer not in self._shown or not self._context.results.of(layer):
            return False
        return self._shown[layer] != self.version(layer)
