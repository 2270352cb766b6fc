"""Rendered images of a viewer, beside their masks."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Image, Labels
from psygnal import Signal

from napari_synth.core.recipe import METADATA_KEY
from napari_synth.ui.napari_bridge.image_layers import UNFINISHED_KEY, is_rendered, over_anatomy
from napari_synth.ui.napari_bridge.layer_list import LayersOfMasks
from napari_synth.ui.napari_bridge.placement import lay, placement

if TYPE_CHECKING:
    from napari.components import ViewerModel

    from napari_synth.core.boxes import Box
    from napari_synth.core.recipe import Recipe


class ResultLayers(LayersOfMasks[str]):
    """Rendered images of a viewer: one layer per mask and option, refreshed by later renders."""

    replaced = Signal()
    """A layer was given another image as a whole."""

    def __init__(self, viewer: ViewerModel):
        super().__init__(viewer)
        self._awaited: weakref.ref[Labels] | None = None
        self._hidden: weakref.WeakSet[Image] = weakref.WeakSet()

    def expect(self, mask: Labels | None) -> None:
        """Say that the image of a mask is being rendered as ordered now; None: no longer."""
        self._awaited = None if mask is None else weakref.ref(mask)

    def awaited(self, mask: Labels) -> bool:
        """Whether it is, so that nobody else needs to."""
        return self._awaited is not None and self._awaited() is mask

    def bring_forward(self, mask: Labels) -> None:
        """Let a mask with its own images be what is seen: other masks hide, and what was rendered of them."""
        viewer, own = self.viewer, list(self.of(mask).values())
        if viewer is None:
            return
        for layer in viewer.layers:
            shown = layer.visible
            if layer is mask:
                shown = True
            elif layer in own:
                shown = shown or layer in self._hidden
                self._hidden.discard(layer)
            elif isinstance(layer, Labels):
                shown = False
            elif is_rendered(layer) and layer.ndim == 2 and shown:
                self._hidden.add(layer)
                shown = False
            if shown != layer.visible:  # napari takes the brush away from a layer whose eye is set, be it open already
                layer.visible = shown
        viewer.layers.selection.active = mask

    def refresh(
        self,
        mask: Labels,
        look: str,
        shape: tuple[int, ...],
        parts: list[tuple[Box, np.ndarray]],
        recipe: Recipe | None,
        above: Image | None = None,
        low_high: tuple[float, float] | None = None,
    ) -> Image | None:
        """Put new parts into the image of a mask, which is made where there is none.

        Pixels outside the parts, the contrast limits and the selection stay as they are. The recipe
        is None as long as the edit goes on. A channel of its own lies ``above`` another image; its
        grey values are those from ``low_high``.
        """
        layer = self.find(mask, look)
        if layer is None and not parts:
            return None
        rgb = parts[0][1].ndim == 3 if parts else layer is not None and layer.rgb
        if layer is None or layer.rgb != rgb or layer.data.shape[:2] != shape:
            image = np.zeros((*shape, *parts[0][1].shape[2:]), parts[0][1].dtype)
            paste(image, parts)
            return self.show(mask, look, image, recipe, above, over_anatomy(image, low_high) if low_high else None)
        if parts and not layer.data.flags.writeable:
            layer.data = np.array(layer.data)
        paste(layer.data, parts)
        lay(layer, placement(mask))
        if parts:
            layer.refresh(thumbnail=recipe is not None, highlight=False, extent=False)
        if recipe is not None:
            kept = {key: value for key, value in layer.metadata.items() if key != UNFINISHED_KEY}
            layer.metadata = {**kept, METADATA_KEY: recipe.model_dump()}
        return layer

    def show(
        self,
        mask: Labels,
        look: str,
        image: np.ndarray,
        recipe: Recipe | None,
        above: Image | None = None,
        shown: dict[str, Any] | None = None,
    ) -> Image:
        """Add or refresh the image of a mask below it; the selection stays as it is.

        A channel of its own lies ``above`` the image it was made for and is shown as ``shown`` says.
        An image without a recipe is not finished.
        """
        self.replaced.emit()
        metadata = {UNFINISHED_KEY: True} if recipe is None else {METADATA_KEY: recipe.model_dump()}
        layer = self.find(mask, look)
        if layer is not None and layer.rgb == (image.ndim == 3):
            if layer.metadata.pop(UNFINISHED_KEY, False) and shown and recipe is not None:
                layer.contrast_limits = shown["contrast_limits"]
            layer.metadata.pop(METADATA_KEY, None)
            if layer.data is image:
                layer.refresh(highlight=False, extent=False)
            else:
                layer.data = image
            layer.metadata = {**layer.metadata, **metadata}
            lay(layer, placement(mask))
            return layer
        layer = Image(
            image,
            name=f"{mask.name} · {look}",
            rgb=image.ndim == 3,
            metadata=metadata,
            **(shown or ({} if image.ndim == 3 else {"contrast_limits": (0, 255)})),
            **placement(mask),
        )
        self.insert(mask, look, layer, above)
        return layer

    def show_alone(self, mask: Labels, look: str) -> None:
        """Let the image of a mask in one look be seen: all other rendered images are hidden."""
        viewer, shown = self.viewer, self.find(mask, look)
        if viewer is None or shown is None:
            return
        for layer in viewer.layers:
            if isinstance(layer, Image) and {METADATA_KEY, UNFINISHED_KEY} & layer.metadata.keys():
                layer.visible = layer is shown


def paste(image: np.ndarray, parts: list[tuple[Box, np.ndarray]]) -> None:
    """Put parts into an image in place."""
    for box, pixels in parts:
        image[box.top : box.bottom, box.left : box.right] = pixels
