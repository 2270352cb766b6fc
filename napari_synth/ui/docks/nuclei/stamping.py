"""Stamping the chosen shape on a mask, shown beforehand under the cursor. Knows no widget."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from napari_synth.core.errors import InputError
from napari_synth.core.seeds import numpy_rng
from napari_synth.masks.outlines import scale_for_area
from napari_synth.masks.single_nucleus import Nucleus, free_pixels, outline_of, stamp
from napari_synth.ui.context.notes import Note
from napari_synth.ui.docks.nuclei.work_mask import put_nucleus, work_mask
from napari_synth.ui.napari_bridge.stamp_preview import StampPreview

if TYPE_CHECKING:
    from napari_synth.masks.outlines import Outline
    from napari_synth.ui.context.context import Context
    from napari_synth.ui.docks.nuclei.choices import NucleusChoices
    from napari_synth.ui.docks.nuclei.shape_choice import ShapeChoice
    from napari_synth.ui.docks.nuclei.shape_loader import ShapeLoader
    from napari_synth.ui.napari_bridge.canvas_tool import CanvasTool, Point


class Stamping:
    """Puts the chosen shape on the mask, and shows what a click would put.

    Parameters
    ----------
    context : Context
    choices : NucleusChoices
    shapes : ShapeChoice
    loader : ShapeLoader
    tool : CanvasTool
        Tells where the cursor is.
    say : callable
        Takes a `Note`.

    Attributes
    ----------
    ghost : StampPreview
        What a click would stamp.
    """

    def __init__(
        self,
        context: Context,
        choices: NucleusChoices,
        shapes: ShapeChoice,
        loader: ShapeLoader,
        tool: CanvasTool,
        say: Callable[[Note], object],
    ):
        self._context = context
        self._choices = choices
        self._shapes = shapes
        self._loader = loader
        self._tool = tool
        self._say = say
        self._count = 0
        self._cursor: Point | None = None
        self._turned: tuple[np.ndarray, tuple[float, float], Outline] | None = None
        self.ghost = StampPreview(context.viewer)
        tool.hovered.connect(self.hover)
        for changed in (shapes.changed, choices.events, context.field.events):
            changed.connect(self.show_ghost)

    def stamp_at(self, y: float, x: float) -> None:
        """Put the chosen shape there, as a nucleus of its own.

        Raises
        ------
        InputError
            If there is no mask, no shape or no room.
        """
        layer, shape = work_mask(self._context.masks), self._shapes.picture
        if shape is None:
            raise InputError("No shape is chosen.", "Choose one of the thumbnails.")
        nucleus = self._next_nucleus(shape, y, x)
        patch = stamp(np.asarray(layer.data), shape, nucleus)
        if not patch.area:
            raise InputError("There is no free place for a nucleus here.", "Click beside the other nuclei.")
        put_nucleus(self._context.masks, layer, nucleus, patch)
        self._count += 1
        self.show_ghost()
        text = f"Stamped nucleus {patch.label} with {patch.area} pixels."
        self._say(Note("done", text, "Ctrl+Z takes it back."))

    def hover(self, point: Point | None) -> None:
        """Show what a click at a place of the mask would stamp; None: the cursor is elsewhere."""
        self._cursor = point
        self.show_ghost()

    def show_ghost(self) -> None:
        """Show what a click would stamp now, while the stamp is the tool in use."""
        layer = self._tool.layer
        if self._choices.tool != "stamp" or layer is None:
            self.ghost.remove()
            return
        shape = self._shapes.picture
        if self._cursor is None or shape is None or self._loader.shapes is None:
            self.ghost.hide()  # without the shape model in memory, torch would be loaded here
            return
        y, x = (float(np.round(value)) for value in self._cursor)
        outline = self._outline_of(shape, self._next_nucleus(shape, y, x))
        self.ghost.show(layer, *free_pixels(np.asarray(layer.data), outline, y, x))

    def _outline_of(self, shape: np.ndarray, nucleus: Nucleus) -> Outline:
        """The outline of the chosen shape; the cursor moves more often than the shape changes."""
        turned = nucleus.angle, nucleus.scale
        if self._turned is None or self._turned[0] is not shape or self._turned[1] != turned:
            self._turned = shape, turned, outline_of(shape, nucleus)
        return self._turned[2]

    def _next_nucleus(self, shape: np.ndarray, y: float, x: float) -> Nucleus:
        """What the next stamp puts there; angle and area by chance stay the same until it is put."""
        choices, field = self._choices, self._context.field
        rng = numpy_rng(field.seed, "stamp", self._count + 1)
        angle = float(rng.uniform(0, 360)) if choices.turn_random else choices.angle
        area = choices.area
        if choices.stamps_true_size:
            area = choices.true_area
        elif choices.size_random:
            area = float(np.clip(rng.normal(field.area_mean, field.area_sd), field.area_mean / 4, field.area_mean * 4))
        scale = float(scale_for_area(shape[None], np.array([area]))[0])
        return Nucleus(np.array(choices.z, np.float32), angle, scale, y, x, choices.member)
