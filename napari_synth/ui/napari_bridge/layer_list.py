"""The layers of a viewer, seen from outside: which are there, and which belong to a mask."""

from __future__ import annotations

import weakref
from collections.abc import Hashable
from typing import TYPE_CHECKING, Generic, TypeVar

from napari.layers import Image, Labels

if TYPE_CHECKING:
    from napari.components import ViewerModel

K = TypeVar("K", bound=Hashable)


class LayerList:
    """The layer list of a viewer that is not kept alive."""

    def __init__(self, viewer: ViewerModel):
        self._viewer = weakref.ref(viewer)

    @property
    def viewer(self) -> ViewerModel | None:
        """The viewer, while it exists."""
        return self._viewer()

    def holds(self, layer: object) -> bool:
        """Whether a layer is still in the viewer."""
        viewer = self._viewer()
        return viewer is not None and any(layer is other for other in viewer.layers)


class LayersOfMasks(LayerList, Generic[K]):
    """Image layers that were made for masks, one per mask and key."""

    def __init__(self, viewer: ViewerModel):
        super().__init__(viewer)
        self._layers: weakref.WeakKeyDictionary[Labels, dict[K, weakref.ref[Image]]] = weakref.WeakKeyDictionary()

    def find(self, mask: Labels, key: K) -> Image | None:
        """The layer of a mask and key, while it is in the viewer."""
        known = self._layers.get(mask, {}).get(key)
        layer = known() if known is not None else None
        return layer if layer is not None and self.holds(layer) else None

    def of(self, mask: Labels) -> dict[K, Image]:
        """The layers of a mask that are in the viewer."""
        found = {key: self.find(mask, key) for key in self._layers.get(mask, {})}
        return {key: layer for key, layer in found.items() if layer is not None}

    def insert(self, mask: Labels, key: K, layer: Image, above: Image | None = None) -> None:
        """Put a new layer below its mask, and above another one; the selection stays as it is."""
        viewer = self._viewer()
        if viewer is None:
            return
        selected = set(viewer.layers.selection)
        lowest = viewer.layers.index(above) + 1 if above is not None and above in viewer.layers else 0
        viewer.layers.insert(max(viewer.layers.index(mask), lowest), layer)
        viewer.layers.selection = selected
        self._layers.setdefault(mask, {})[key] = weakref.ref(layer)
