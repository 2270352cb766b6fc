"""Layers that are no mask to work on, but could become one: images of labels, stacks, pyramids, outlines."""

from __future__ import annotations

import re
import weakref
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Image, Labels, Shapes
from psygnal import Signal

from napari_synth.core.errors import InputError
from napari_synth.datasets.mask_likeness import Likeness, likeness
from napari_synth.ui.napari_bridge.image_layers import is_source
from napari_synth.ui.napari_bridge.layer_list import LayerList
from napari_synth.ui.napari_bridge.placement import is_stack, placement, plane, plane_shown

if TYPE_CHECKING:
    from napari.components import ViewerModel

    from napari_synth.masks.conversion import How
    from napari_synth.ui.napari_bridge.placement import LayerPlacement


@dataclass(frozen=True)
class Way:
    """A way to make a mask of a layer.

    Attributes
    ----------
    words : str
        What its button says.
    how : How
    """

    words: str
    how: How


@dataclass(frozen=True, eq=False)
class Candidate:
    """A layer that could become a mask.

    Attributes
    ----------
    layer : weakref to Image, Labels or Shapes
    text : str
        What it looks like, after its name.
    ways : tuple of Way
        The first is what most would want.
    """

    layer: weakref.ref[Any]
    text: str
    ways: tuple[Way, ...]


AS_IT_IS, SPLIT, PARTS, COLOURS = (
    Way("Use as mask", "as it is"),
    Way("Split touching nuclei", "split"),
    Way("Number the parts", "parts"),
    Way("A nucleus per colour", "colours"),
)
THE_PLANE = Way("Use the plane shown", "as it is")
WAYS = {"labels": (AS_IT_IS,), "binary": (SPLIT, PARTS), "colours": (COLOURS,)}


class MaskCandidates(LayerList):
    """The layers of a viewer that could become masks."""

    changed = Signal()
    appeared = Signal(object)
    """A `Candidate` whose layer was just added and looks like a mask."""

    def __init__(self, viewer: ViewerModel):
        super().__init__(viewer)
        self._likeness: weakref.WeakKeyDictionary[Any, tuple[object, Likeness]] = weakref.WeakKeyDictionary()
        self._used: weakref.WeakKeyDictionary[Any, dict[How, weakref.ref[Labels]]] = weakref.WeakKeyDictionary()
        events = viewer.layers.events
        events.inserted.connect(self._on_inserted)
        events.removed.connect(self._on_changed)
        for layer in viewer.layers:
            self._watch(layer)

    def offered(self) -> list[Candidate]:
        """Those that are in the viewer, the topmost first, with the ways that made no mask yet which is still there."""
        viewer = self.viewer
        found = []
        for layer in () if viewer is None else reversed(viewer.layers):
            candidate = self.of(layer)
            ways = () if candidate is None else tuple(way for way in candidate.ways if not self._is_used(layer, way))
            if candidate is not None and ways:
                found.append(replace(candidate, ways=ways))
        return found

    def use(self, layer: Any, how: How, mask: Labels) -> None:
        """Take note of the mask that was made of a layer; of a stack there may be one for every plane."""
        if isinstance(layer, Shapes) or not is_stack(layer):
            self._used.setdefault(layer, {})[how] = weakref.ref(mask)
            self.changed.emit()

    def is_source_of(self, layer: Any, mask: Labels) -> bool:
        """Whether a mask was made of this layer."""
        return any(made() is mask for made in self._used.get(layer, {}).values())

    def _is_used(self, layer: Any, way: Way) -> bool:
        viewer, made = self.viewer, self._used.get(layer, {}).get(way.how)
        mask = made() if made is not None else None
        return mask is not None and viewer is not None and mask in viewer.layers

    def of(self, layer: Any) -> Candidate | None:
        """What could be made of a layer; None where that is nothing, or it is a mask already."""
        if isinstance(layer, Shapes):
            areas = sum(kind in AREAS for kind in layer.shape_type)
            text = f"{areas} outline{'s' * (areas != 1)}"
            return Candidate(weakref.ref(layer), text, (Way("A nucleus per outline", "as it is"),)) if areas else None
        if not (isinstance(layer, Labels) or is_source(layer)):
            return None
        if is_stack(layer):
            return Candidate(weakref.ref(layer), "a stack", (THE_PLANE,))
        if isinstance(layer, Labels):
            if layer.multiscale:
                return Candidate(weakref.ref(layer), "several resolutions", (Way("Work on a copy", "as it is"),))
            found = self._look(layer)
            one_number = found.kind == "binary" and (found.nuclei is None or found.nuclei > 1)
            return Candidate(weakref.ref(layer), "one number for all nuclei", WAYS["binary"]) if one_number else None
        found = self._look(layer)
        return Candidate(weakref.ref(layer), _words(found), WAYS[found.kind]) if found.is_mask else None

    def lookalike(self, layer: Any) -> Candidate | None:
        """The candidate of an Image layer that looks like a mask; None for any other layer."""
        if not isinstance(layer, Image) or not is_source(layer) or is_stack(layer):
            return None
        return self.of(layer)

    def _look(self, layer: Any) -> Likeness:
        """What it looks like; found once for an array."""
        known = self._likeness.get(layer)
        if known is not None and known[0] is layer.data:
            return known[1]
        found = likeness(plane(layer))
        self._likeness[layer] = (layer.data, found)
        return found

    def _on_inserted(self, event: Any) -> None:
        self._watch(event.value)
        self.changed.emit()
        candidate = self.lookalike(event.value)
        if candidate is not None:
            self.appeared.emit(candidate)

    def _watch(self, layer: Any) -> None:
        layer.events.name.connect(self._on_changed)
        layer.events.data.connect(self._on_data)

    def _on_data(self, event: Any) -> None:
        self._used.pop(event.source, None)
        self.changed.emit()

    def _on_changed(self) -> None:
        self.changed.emit()


AREAS = ("polygon", "rectangle", "ellipse")
NAMED_MASK = re.compile(r"(^|[ _.-]+)(cp_)?(mask|label)s?$", re.IGNORECASE)
"""The end of a name that says already that this is a mask."""


@dataclass(frozen=True, eq=False)
class Taken:
    """What was taken out of a layer to make a mask of it.

    Attributes
    ----------
    pixels : ndarray, shape (Y, X) or (Y, X, 3 or 4)
    name : str
        For the mask.
    place : dict
        Where the mask lies.
    """

    pixels: np.ndarray
    name: str
    place: LayerPlacement


def taken(viewer: ViewerModel, layer: Any) -> Taken:
    """A copy of the plane of a layer that is shown, or the outlines in it as labels.

    Raises
    ------
    InputError
        If outlines lie on no image.
    """
    if isinstance(layer, Shapes):
        return _outlines(viewer, layer)
    pixels, where = (plane_shown(viewer, layer)) if is_stack(layer) else (np.array(plane(layer)), "")
    return Taken(pixels, f"{layer.name}, {where}" if where else _mask_name(layer.name), placement(layer))


def _mask_name(layer: str) -> str:
    """What the mask of a layer is called: ``cells mask`` for ``cells`` and for ``cells_mask``."""
    return f"{NAMED_MASK.sub('', layer)} mask".strip()


def _outlines(viewer: ViewerModel, shapes: Shapes) -> Taken:
    """The outlines of a Shapes layer on the grid of the lowest image or mask."""
    under = [layer for layer in viewer.layers if isinstance(layer, Image | Labels) and not is_stack(layer)]
    if not under:
        raise InputError(
            f"The outlines in {shapes.name!r} lie on no image.", "Open the image on which they were drawn as well."
        )
    on = under[0]
    height, width = plane(on).shape[:2]
    canvas = Labels(np.zeros((height, width), np.uint8), **placement(on))
    labels = np.zeros((height, width), np.int32)
    for number, corners in enumerate(_corners(shapes), 1):
        world = [shapes.data_to_world(corner) for corner in corners]
        inside = _inside((height, width), np.array([canvas.world_to_data(place[-2:]) for place in world]))
        labels[inside] = number
    return Taken(labels, _mask_name(shapes.name), placement(on))


def _corners(shapes: Shapes) -> list[np.ndarray]:
    """The outline of each shape that has an area; an ellipse as a polygon."""
    found = []
    for corners, kind in zip(shapes.data, shapes.shape_type, strict=True):
        if kind == "ellipse":
            turn = np.linspace(0, 2 * np.pi, 128, endpoint=False)[:, None]
            centre, a, b = corners.mean(0), (corners[1] - corners[0]) / 2, (corners[2] - corners[1]) / 2
            found.append(centre + np.cos(turn) * a + np.sin(turn) * b)
        elif kind in AREAS:
            found.append(np.asarray(corners))
    return found


def _inside(shape: tuple[int, int], outline: np.ndarray) -> np.ndarray:
    from skimage.draw import polygon2mask

    inside: np.ndarray = polygon2mask(shape, outline)
    return inside


def _words(found: Likeness) -> str:
    """What an image looks like, in a few words."""
    many = "" if found.nuclei is None else f", {found.nuclei} {'nucleus' if found.nuclei == 1 else 'nuclei'}"
    parts = "" if found.nuclei is None else f", {found.nuclei} part{'s' * (found.nuclei != 1)}"
    return {
        "labels": f"looks like labels{many}",
        "binary": f"binary{parts}",
        "colours": f"a colour per nucleus{many}",
    }[found.kind]
