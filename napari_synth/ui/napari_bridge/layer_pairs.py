"""Images and masks in the layer list that belong together."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from napari.layers import Image, Labels

from napari_synth.ui.napari_bridge.image_layers import is_source
from napari_synth.ui.napari_bridge.mask_layers import mask_array
from napari_synth.ui.napari_bridge.placement import is_stack, plane

if TYPE_CHECKING:
    from collections.abc import Iterator

    from napari.components import ViewerModel

    from napari_synth.ui.napari_bridge.mask_candidates import MaskCandidates


@dataclass(frozen=True, eq=False)
class LayerPair:
    """An image and the mask of it.

    Attributes
    ----------
    name : str
        Of the image.
    mask : str
        Name of the mask.
    image : array, shape (Y, X) or (Y, X, 3 or 4)
        As the layer holds it.
    labels : ndarray, shape (Y, X)
        A copy.
    """

    name: str
    mask: str
    image: Any
    labels: Any


def layer_pairs(viewer: ViewerModel, candidates: MaskCandidates) -> list[LayerPair]:
    """The pairs among the layers, in the order of the images: of one size, and with names as alike as can be.

    Images that look like masks and rendered ones are left out.
    """
    return [
        LayerPair(image.name, mask.name, plane(image), mask_array(mask)) for image, mask in matched(viewer, candidates)
    ]


def matched(viewer: ViewerModel, candidates: MaskCandidates) -> list[tuple[Image, Labels]]:
    """The layers of these pairs."""
    images = [layer for layer in viewer.layers if is_source(layer) and _flat(layer) and not candidates.of(layer)]
    masks = [layer for layer in viewer.layers if isinstance(layer, Labels) and _flat(layer)]
    alike = sorted(_alike(images, masks), key=lambda one: -one[0])
    found: dict[int, tuple[Image, Labels]] = {}
    taken: set[int] = set()
    for _, number, other in alike:
        if number not in found and other not in taken:
            found[number] = images[number], masks[other]
            taken.add(other)
    return [found[number] for number in sorted(found)]


def _alike(images: list[Image], masks: list[Labels]) -> Iterator[tuple[float, int, int]]:
    """How alike the names of an image and a mask of its size are, and which these are."""
    for number, image in enumerate(images):
        for other, mask in enumerate(masks):
            if plane(image).shape[:2] == plane(mask).shape:
                yield difflib.SequenceMatcher(None, image.name, mask.name).ratio(), number, other


def _flat(layer: Any) -> bool:
    return not is_stack(layer) and plane(layer).ndim >= 2
