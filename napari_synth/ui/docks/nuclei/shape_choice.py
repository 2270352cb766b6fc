"""Shapes to choose from: thumbnails, latent sliders, the latent map. Knows no widget."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from psygnal import Signal, evented

from napari_synth.core.seeds import MAX_SEED, numpy_rng
from napari_synth.masks.shape_codes import straight_walk, traversals
from napari_synth.ui.context.choices import Note
from napari_synth.ui.docks.nuclei.libraries import Libraries
from napari_synth.ui.napari_bridge.mask_layers import add_stack

if TYPE_CHECKING:
    from napari_synth.masks.shape_model import ShapeModel
    from napari_synth.ui.session import Session

THUMBNAILS = 24
REACH = 3.0
"""Sliders and traversals go this far from 0, in standard deviations of the prior."""
WHEEL_STEP = 0.25
WALK_STEPS = 25
TRAVERSAL_STEPS = 9


@evented
@dataclass
class StudioChoices:
    """What the studio shows and stamps.

    Attributes
    ----------
    sampler : str
        Where the thumbnails come from.
    seed : int
        Of the thumbnails.
    z : tuple of float
        The chosen shape; empty before one is chosen.
    member : int
        The library shape that it is, or -1.
    dimension : int
        The latent direction that Shift+wheel morphs along.
    turn_random, size_random : bool
        Whether each stamp gets an angle, and an area, by chance.
    angle, area : float
        Those of a stamp otherwise, and of the nucleus that is edited.
    true_size : bool
        Whether a stamp of a library shape has the area that the shape had in its mask.
    true_area : float
        That area, of the library shape that was chosen last; 0 where it was none.
    tool : str
        ``stamp``, ``grow``, ``edit`` or empty.
    selected : int
        The nucleus that is edited; 0: none.
    """

    sampler: str = "library"
    seed: int = 1
    z: tuple[float, ...] = ()
    member: int = -1
    dimension: int = 0
    turn_random: bool = True
    angle: float = 0.0
    size_random: bool = True
    area: float = 700.0
    true_size: bool = False
    true_area: float = 0.0
    tool: str = ""
    selected: int = 0

    @property
    def stamps_true_size(self) -> bool:
        """Whether the next stamp has its true area."""
        return self.true_size and self.true_area > 0


@dataclass(frozen=True, eq=False)
class Thumbnails:
    """Shapes to choose from: codes, library members (-1: none) and pictures in [0, 1]."""

    codes: np.ndarray
    members: np.ndarray
    pictures: np.ndarray


class Shaping(Libraries):
    """Choosing and shaping a nucleus before it lies on a mask."""

    thumbnails_changed = Signal()
    shape_changed = Signal()
    """The picture of the chosen shape, or of its neighbours along the sliders, changed."""
    reshaped = Signal()
    """The chosen shape got another code by a slider, the map or the wheel."""

    def __init__(self, session: Session):
        super().__init__(session)
        self.choices = StudioChoices()
        self.thumbnails: Thumbnails | None = None
        self.shape: np.ndarray | None = None
        self.ends: np.ndarray | None = None
        """What the chosen shape becomes at both ends of each slider, ``(latent, 2, 64, 64)``."""
        self.marks: tuple[np.ndarray | None, np.ndarray | None] = (None, None)
        """Start and end of a walk."""
        self.library_changed.connect(self._show_library)

    @property
    def latent_size(self) -> int:
        return self.latents.codes.shape[1]

    def get_ready(self) -> None:
        """Load the shape model in the background, so that the first slider or stamp need not wait."""
        self._with_shapes(lambda _: None)

    @property
    def chosen(self) -> int:
        """The thumbnail that is the chosen shape; -1 where it is none of them."""
        if self.thumbnails is None or not self.choices.z:
            return -1
        same = (self.thumbnails.codes == np.array(self.choices.z, np.float32)).all(1)
        return int(same.argmax()) if same.any() else -1

    def _shapes_loaded(self) -> None:
        if self.choices.z:
            self._show_ends()
            self.shape_changed.emit()

    def _show_library(self) -> None:
        """Choose among the shapes of the library that is in use now."""
        with self.choices.events.paused():
            self.choices.sampler, self.choices.z, self.choices.member = "library", (), -1
            self.choices.true_size = self.own is not None
        self.show_thumbnails()

    # ---- choosing a shape

    def resample(self) -> None:
        """Other shapes to choose from."""
        self.choices.seed = (self.choices.seed + 1) % MAX_SEED
        self.show_thumbnails()

    def show_thumbnails(self) -> None:
        """Shapes of the chosen sampler, the same ones for the same seed."""
        from napari_synth.masks.samplers import SAMPLERS

        sampler = SAMPLERS[self.choices.sampler](self.latent_size, self._session.field.spread, lambda: self.latents)
        if self.choices.sampler != "library":
            self._with_shapes(partial(self._draw_thumbnails, sampler))
            return
        draw = sampler.draw(numpy_rng(self.choices.seed, "thumbnails"), min(THUMBNAILS, len(self.latents)))
        pictures = self.latents.shapes[draw.members].astype(np.float32)
        self._show_thumbnails(Thumbnails(draw.codes, draw.members, pictures))

    def _draw_thumbnails(self, sampler: Any, shapes: ShapeModel) -> None:
        draw = sampler.draw(numpy_rng(self.choices.seed, "thumbnails"), THUMBNAILS)
        self._show_thumbnails(Thumbnails(draw.codes, draw.members, shapes.decode(draw.codes)))

    def _show_thumbnails(self, thumbnails: Thumbnails) -> None:
        self.thumbnails = thumbnails
        self.thumbnails_changed.emit()
        if not self.choices.z:
            self.choose(0)

    def choose(self, index: int) -> None:
        """Take a thumbnail as the shape to stamp."""
        if self.thumbnails is None:
            return
        member = int(self.thumbnails.members[index])
        self.choices.selected = 0
        self.choices.true_area = self._true_area(member)
        self._take(self.thumbnails.codes[index], member, self.thumbnails.pictures[index])

    def _true_area(self, member: int) -> float:
        area = float(self.latents.area_px[member]) if member >= 0 else 0.0
        return area if np.isfinite(area) and area > 0 else 0.0

    def set_z(self, z: np.ndarray) -> None:
        """Take this code as the shape, and let the nucleus that is edited follow."""
        self._with_shapes(lambda shapes: self._decode_and_take(np.asarray(z, np.float32), shapes))

    def show_code(self, z: np.ndarray) -> None:
        """Show a code in the preview; the mask stays as it is."""
        self._with_shapes(lambda shapes: self._take(z, -1, shapes.decode(z)[0]))

    def _decode_and_take(self, z: np.ndarray, shapes: ShapeModel) -> None:
        self._take(z, -1, shapes.decode(z)[0])
        self.reshaped.emit()

    def _take(self, z: np.ndarray, member: int, shape: np.ndarray) -> None:
        with self.choices.events.paused():
            self.choices.z = tuple(float(value) for value in z)
            self.choices.member = member
        self.shape = shape
        self._show_ends()
        self.shape_changed.emit()

    def _show_ends(self) -> None:
        """Decode what each slider leads to, once there is a model in memory."""
        if self._shapes is None:
            self.ends = None
            return
        reached = traversals(np.array(self.choices.z), REACH, 2)
        pictures = self._shapes.decode(reached.reshape(-1, self.latent_size))
        self.ends = pictures.reshape(self.latent_size, 2, *pictures.shape[1:])

    def morph(self, steps: int) -> None:
        """Move the shape along the chosen latent direction."""
        if not self.choices.z:
            return
        z = np.array(self.choices.z, np.float32)
        z[self.choices.dimension] = np.clip(z[self.choices.dimension] + WHEEL_STEP * steps, -REACH, REACH)
        self.set_z(z)

    # ---- the latent map

    def mark(self, end: int) -> None:
        """Keep the chosen shape as start (0) or end (1) of a walk."""
        if self.choices.z:
            marks = list(self.marks)
            marks[end] = np.array(self.choices.z, np.float32)
            self.marks = (marks[0], marks[1])
            self.shape_changed.emit()

    def walk(self) -> None:
        """Add the shapes between the two marks as one layer with an axis ``alpha``."""
        start, end = self.marks
        if start is None or end is None:
            self.say(Note("problem", "A walk needs a start and an end.", "Choose a shape and press A, another and B."))
            return
        self._with_shapes(partial(self._walk, start, end))

    def _walk(self, start: np.ndarray, end: np.ndarray, shapes: ShapeModel) -> None:
        alpha, codes = straight_walk(start, end, WALK_STEPS)
        layer = add_stack(self._session.viewer, shapes.decode(codes), "walk", ("alpha", "y", "x"))
        layer.metadata["alpha"] = alpha.tolist()
        self.say(Note("done", f"Added {layer.name!r}: {WALK_STEPS} shapes.", "Move the slider alpha below the canvas."))

    def traversals(self) -> None:
        """Add one layer that shows what each latent dimension changes."""
        self._with_shapes(self._traversals)

    def _traversals(self, shapes: ShapeModel) -> None:
        codes = traversals(np.array(self.choices.z or np.zeros(self.latent_size)), REACH, TRAVERSAL_STEPS)
        pictures = shapes.decode(codes.reshape(-1, self.latent_size))
        rows, columns, side = self.latent_size, TRAVERSAL_STEPS, pictures.shape[1]
        sheet = pictures.reshape(rows, columns, side, side).swapaxes(1, 2).reshape(rows * side, columns * side)
        layer = add_stack(self._session.viewer, sheet, "traversals", ("y", "x"))
        text = f"Added {layer.name!r}: a row for each of {rows} dimensions, from -{REACH:g} to {REACH:g}."
        self.say(Note("done", text))
