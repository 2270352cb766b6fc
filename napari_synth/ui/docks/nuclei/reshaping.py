"""One nucleus of a mask taken up and changed in place. Knows no widget."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from napari_synth.core.errors import InputError
from napari_synth.masks.nucleus_table import feature_names
from napari_synth.masks.outlines import SHAPE_THRESHOLD, scale_for_area
from napari_synth.masks.single_nucleus import Nucleus, nucleus_at, picture, stamp
from napari_synth.ui.context.notes import Note
from napari_synth.ui.docks.nuclei.work_mask import put_nucleus, work_mask
from napari_synth.ui.napari_bridge.nucleus_table import nucleus_row

if TYPE_CHECKING:
    from napari.layers import Labels

    from napari_synth.masks.shape_model import ShapeModel
    from napari_synth.ui.docks.nuclei.choices import NucleusChoices
    from napari_synth.ui.docks.nuclei.libraries import Libraries
    from napari_synth.ui.docks.nuclei.shape_choice import ShapeChoice
    from napari_synth.ui.docks.nuclei.shape_loader import ShapeLoader
    from napari_synth.ui.napari_bridge.mask_layers import MaskLayers

EDIT_HINT = Note(
    "hint",
    "Click on a nucleus: drag it, or a corner to turn and scale it; Shift+click chooses several.",
    "Arrow keys nudge, Delete removes, Ctrl+D copies.",
)


KEYS = "Arrow keys nudge, Delete removes, Ctrl+D copies; angle and area can be typed."


class Reshaping:
    """Takes up a nucleus of the mask, and redraws it with the chosen shape, angle and area.

    Parameters
    ----------
    masks : MaskLayers
    choices : NucleusChoices
        Name the nucleus that is edited, and what it shall be.
    libraries : Libraries
        Where a nucleus may come from.
    shapes : ShapeChoice
    loader : ShapeLoader
    say : callable
        Takes a `Note`.
    """

    def __init__(
        self,
        masks: MaskLayers,
        choices: NucleusChoices,
        libraries: Libraries,
        shapes: ShapeChoice,
        loader: ShapeLoader,
        say: Callable[[Note], object],
    ):
        self._masks = masks
        self._choices = choices
        self._libraries = libraries
        self._shapes = shapes
        self._loader = loader
        self._say = say
        shapes.reshaped.connect(self.apply)

    def take_up(self, layer: Labels, label: int) -> None:
        """Let the boxes, sliders and map of the dock show a nucleus."""
        self._loader.use_on(layer, partial(self._select, label))

    def _select(self, label: int, layer: Labels, shapes: ShapeModel) -> None:
        choices = self._choices
        if choices.chosen != (label,) or not (np.asarray(layer.data) == label).any():
            return
        nucleus = nucleus_of(layer, label, shapes)
        shape = picture(nucleus, shapes, self._libraries.known)
        present = np.count_nonzero(shape > SHAPE_THRESHOLD)
        choices.selected = 0  # nothing below may change the mask yet
        choices.angle = round(nucleus.angle % 360, 1)
        choices.area = round(float(present * nucleus.scale**2), 0)
        self._shapes.take(nucleus.z, nucleus.member, shape)
        choices.selected = label
        layer.selected_label = label
        self._say(Note("hint", f"Nucleus {label} is chosen: drag it, or a corner to turn and scale it.", KEYS))

    def apply(self) -> None:
        """Redraw the nucleus that is edited with the chosen shape, angle and area."""
        if self._choices.selected and self._shapes.picture is not None:
            self._loader.use(partial(self._apply, self._choices.selected))

    def _apply(self, label: int, shapes: ShapeModel) -> None:
        layer, choices, shape = work_mask(self._masks), self._choices, self._shapes.picture
        if shape is None or not (np.asarray(layer.data) == label).any():
            choices.selected = 0
            return
        before = nucleus_of(layer, label, shapes)
        z, member = np.array(choices.z, np.float32), choices.member
        if not choices.reshapes:
            z, member = before.z, before.member
            shape = picture(before, shapes, self._libraries.known)
        scale = float(scale_for_area(shape[None], np.array([choices.area]))[0])
        after = replace(before, z=z, member=member, angle=choices.angle, scale=scale)
        if _is_same(before, after):
            return
        patch = stamp(np.asarray(layer.data), shape, after, label)
        if not patch.area:
            raise InputError("There is no room for this change.", "Make the nucleus smaller.")
        put_nucleus(self._masks, layer, after, patch)
        text = f"Changed nucleus {label}; it has {patch.area} pixels."
        self._say(Note("done", text, "Ctrl+Z takes it back."))


def nucleus_of(layer: Labels, label: int, shapes: ShapeModel) -> Nucleus:
    """What a nucleus is by its row, or, where it was painted, by its outline."""
    row = nucleus_row(layer, label)
    if row is None or not {"y", "x", "angle", "scale"} <= row.keys():
        return nucleus_at(np.asarray(layer.data), label, shapes)
    z = np.array([row[name] for name in feature_names(shapes.card.latent_size) if name.startswith("z")], np.float32)
    return Nucleus(z, row["angle"], row["scale"], row["y"], row["x"], int(row.get("member", -1)))


def _is_same(one: Nucleus, other: Nucleus) -> bool:
    """Whether two nuclei look alike: the boxes of the panel round angle and area."""
    same_shape = np.allclose(one.z, other.z, atol=1e-6) and one.member == other.member
    return same_shape and abs(one.angle % 360 - other.angle % 360) < 0.1 and abs(one.scale / other.scale - 1) < 2e-3
