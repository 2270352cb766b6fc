"""The shape to stamp: chosen among thumbnails, changed by its latent code. Knows no widget."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from psygnal import Signal

from napari_synth.core.seeds import MAX_SEED, numpy_rng
from napari_synth.masks.shape_codes import traversals
from napari_synth.ui.context.notes import Note, problems_said
from napari_synth.ui.docks.nuclei.latent_layers import add_traversals, add_walk

if TYPE_CHECKING:
    from napari_synth.masks.samplers import Sampler
    from napari_synth.masks.shape_model import ShapeModel
    from napari_synth.ui.context.context import Context
    from napari_synth.ui.docks.nuclei.choices import NucleusChoices
    from napari_synth.ui.docks.nuclei.libraries import Libraries
    from napari_synth.ui.docks.nuclei.shape_loader import ShapeLoader

THUMBNAILS = 24
REACH = 3.0
"""Sliders and traversals go this far from 0, in standard deviations of the prior."""
WHEEL_STEP = 0.25

Marks = tuple[np.ndarray | None, np.ndarray | None]
"""Codes at the start and the end of a walk, where they are marked."""


@dataclass(frozen=True, eq=False)
class Thumbnails:
    """Shapes to choose from: codes, library members (-1: none) and pictures in [0, 1]."""

    codes: np.ndarray
    members: np.ndarray
    pictures: np.ndarray


class ShapeChoice:
    """Choosing and changing a shape before it lies on a mask.

    Parameters
    ----------
    context : Context
    choices : NucleusChoices
        Hold the code of the shape.
    libraries : Libraries
        Where real shapes come from.
    loader : ShapeLoader
        The model that decodes the others.
    say : callable
        Takes a `Note`.

    Attributes
    ----------
    thumbnails : Thumbnails or None
        None before they are first asked for.
    picture : ndarray, shape (64, 64), or None
        The chosen shape; None before one is chosen.
    ends : ndarray, shape (latent, 2, 64, 64), or None
        What the chosen shape becomes at both ends of each slider; None without the model in memory.
    marks : tuple of (ndarray or None)
        Start and end of a walk.
    """

    thumbnails_changed = Signal()
    changed = Signal()
    """The picture of the chosen shape, its neighbours along the sliders or the marks changed."""
    reshaped = Signal()
    """The chosen shape got another code by a slider, the map or the wheel."""

    def __init__(
        self,
        context: Context,
        choices: NucleusChoices,
        libraries: Libraries,
        loader: ShapeLoader,
        say: Callable[[Note], object],
    ):
        self._context = context
        self._choices = choices
        self._libraries = libraries
        self._loader = loader
        self._say = say
        self.thumbnails: Thumbnails | None = None
        self.picture: np.ndarray | None = None
        self.ends: np.ndarray | None = None
        self.marks: Marks = (None, None)
        libraries.changed.connect(self._show_library)
        loader.loaded.connect(self._show_what_sliders_do)

    @property
    def chosen(self) -> int:
        """The thumbnail that is the chosen shape; -1 where it is none of them."""
        if self.thumbnails is None or not self._choices.z:
            return -1
        same = (self.thumbnails.codes == np.array(self._choices.z, np.float32)).all(1)
        return int(same.argmax()) if same.any() else -1

    # ---- thumbnails

    def use_sampler(self, name: str) -> None:
        """Draw the thumbnails with another sampler."""
        self._choices.sampler = name
        self.show_thumbnails()

    def resample(self) -> None:
        """Other shapes to choose from."""
        self._choices.seed = (self._choices.seed + 1) % MAX_SEED
        self.show_thumbnails()

    def show_thumbnails(self) -> None:
        """Shapes of the chosen sampler, the same ones for the same seed."""
        from napari_synth.masks.samplers import SAMPLERS

        libraries = self._libraries
        with problems_said(self._say):
            kind = SAMPLERS[self._choices.sampler]
            sampler = kind(libraries.latent_size, self._context.field.spread, lambda: libraries.latents)
            if self._choices.sampler == "library":
                self._draw_members(sampler)
            else:
                self._loader.use(partial(self._draw_decoded, sampler))

    def _draw_members(self, sampler: Sampler) -> None:
        latents = self._libraries.latents
        draw = sampler.draw(numpy_rng(self._choices.seed, "thumbnails"), min(THUMBNAILS, len(latents)))
        self._take_thumbnails(Thumbnails(draw.codes, draw.members, latents.shapes[draw.members].astype(np.float32)))

    def _draw_decoded(self, sampler: Sampler, shapes: ShapeModel) -> None:
        draw = sampler.draw(numpy_rng(self._choices.seed, "thumbnails"), THUMBNAILS)
        self._take_thumbnails(Thumbnails(draw.codes, draw.members, shapes.decode(draw.codes)))

    def _take_thumbnails(self, thumbnails: Thumbnails) -> None:
        self.thumbnails = thumbnails
        self.thumbnails_changed.emit()
        if not self._choices.z:
            self.choose(0)

    def _show_library(self) -> None:
        """Choose among the shapes of the library that is in use now."""
        with self._choices.events.paused():
            self._choices.sampler, self._choices.z, self._choices.member = "library", (), -1
            self._choices.true_size = self._libraries.own is not None
        self.show_thumbnails()

    # ---- the chosen shape

    def choose(self, index: int) -> None:
        """Take a thumbnail as the shape to stamp."""
        if self.thumbnails is None:
            return
        member = int(self.thumbnails.members[index])
        self._choices.selected = 0
        self._choices.true_area = self._true_area(member)
        self.take(self.thumbnails.codes[index], member, self.thumbnails.pictures[index])

    def _true_area(self, member: int) -> float:
        area = float(self._libraries.latents.area_px[member]) if member >= 0 else 0.0
        return area if np.isfinite(area) and area > 0 else 0.0

    def take(self, z: np.ndarray, member: int, picture: np.ndarray) -> None:
        """Take a shape by its code, its place in the library (-1: none) and its picture."""
        with self._choices.events.paused():
            self._choices.z = tuple(float(value) for value in z)
            self._choices.member = member
        self.picture = picture
        self.ends = self._decoded_ends()
        self.changed.emit()

    def set_code(self, z: np.ndarray) -> None:
        """Take this code as the shape, and let the nucleus that is edited follow."""

        def take(shapes: ShapeModel) -> None:
            self._take_decoded(np.asarray(z, np.float32), shapes)
            self.reshaped.emit()

        self._loader.use(take)

    def show_code(self, z: np.ndarray) -> None:
        """Show a code in the preview; the mask stays as it is."""
        self._loader.use(partial(self._take_decoded, z))

    def _take_decoded(self, z: np.ndarray, shapes: ShapeModel) -> None:
        self.take(z, -1, shapes.decode(z)[0])

    def morph(self, steps: int) -> None:
        """Move the shape along the chosen latent direction."""
        if not self._choices.z:
            return
        z, dimension = np.array(self._choices.z, np.float32), self._choices.dimension
        z[dimension] = np.clip(z[dimension] + WHEEL_STEP * steps, -REACH, REACH)
        self.set_code(z)

    def _show_what_sliders_do(self) -> None:
        if self._choices.z:
            self.ends = self._decoded_ends()
            self.changed.emit()

    def _decoded_ends(self) -> np.ndarray | None:
        """What each slider leads to, once there is a model in memory."""
        shapes = self._loader.shapes
        if shapes is None:
            return None
        reached = traversals(np.array(self._choices.z), REACH, 2)
        pictures = shapes.decode(reached.reshape(-1, reached.shape[-1]))
        ends: np.ndarray = pictures.reshape(*reached.shape[:2], *pictures.shape[1:])
        return ends

    # ---- layers of shapes

    def mark(self, end: int) -> None:
        """Keep the chosen shape as start (0) or end (1) of a walk."""
        if self._choices.z:
            code = np.array(self._choices.z, np.float32)
            self.marks = (self.marks[0], code) if end else (code, self.marks[1])
            self.changed.emit()

    def walk(self) -> None:
        """Add the shapes between the two marks as one layer with an axis ``alpha``."""
        start, end = self.marks
        if start is None or end is None:
            self._say(Note("problem", "A walk needs a start and an end.", "Choose a shape and press A, another and B."))
            return
        self._loader.use(partial(self._walk, start, end))

    def _walk(self, start: np.ndarray, end: np.ndarray, shapes: ShapeModel) -> None:
        layer = add_walk(self._context.viewer, shapes, start, end)
        text = f"Added {layer.name!r}: {len(layer.data)} shapes."
        self._say(Note("done", text, "Move the slider alpha below the canvas."))

    def traversals(self) -> None:
        """Add one layer that shows what each latent dimension changes."""
        self._loader.use(self._traversals)

    def _traversals(self, shapes: ShapeModel) -> None:
        size = self._libraries.latent_size
        layer = add_traversals(self._context.viewer, shapes, np.array(self._choices.z or np.zeros(size)), REACH)
        text = f"Added {layer.name!r}: a row for each of {size} dimensions, from -{REACH:g} to {REACH:g}."
        self._say(Note("done", text))
