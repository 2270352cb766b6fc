"""The nucleus studio: shapes to choose from, stamped, grown and changed on the canvas. Knows no widget."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from psygnal import Signal, evented

from napari_synth.core.errors import InputError, SynthError
from napari_synth.core.seeds import MAX_SEED, derived_seed, numpy_rng
from napari_synth.core.settings import DEFAULT_SHAPES
from napari_synth.masks.edit import Nucleus, nucleus_at, picture, stamp
from napari_synth.masks.latents import Latents, traversals, walk
from napari_synth.masks.nuclei import feature_names, features_of
from napari_synth.masks.outlines import SHAPE_THRESHOLD, scale_for_area
from napari_synth.masks.shapes import own_latents
from napari_synth.ui.adapters.jobs import Lane
from napari_synth.ui.adapters.layers import add_stack, open_mask, put_field_into, put_patch, save_mask
from napari_synth.ui.adapters.tables import nucleus_row
from napari_synth.ui.adapters.tools import CanvasTool
from napari_synth.ui.state import Note
from napari_synth.ui.work import GrowWork, LoadShapesWork

if TYPE_CHECKING:
    from napari.layers import Labels

    from napari_synth.masks.shapes import ShapeModel
    from napari_synth.ui.adapters.jobs import Outcome
    from napari_synth.ui.session import Session

THUMBNAILS = 24
REACH = 3.0
"""Sliders and traversals go this far from 0, in standard deviations of the prior."""
WHEEL_STEP = 0.25
WALK_STEPS = 25
TRAVERSAL_STEPS = 9
SMALLEST_BOX = 8


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
    tool: str = ""
    selected: int = 0


@dataclass(frozen=True, eq=False)
class Thumbnails:
    """Shapes to choose from: codes, library members (-1: none) and pictures in [0, 1]."""

    codes: np.ndarray
    members: np.ndarray
    pictures: np.ndarray


class Studio:
    """The actions of the Nuclei dock."""

    thumbnails_changed = Signal()
    note_changed = Signal()
    shape_changed = Signal()
    """The picture of the chosen shape, or of its neighbours along the sliders, changed."""

    def __init__(self, session: Session):
        self._session = session
        self.choices = StudioChoices()
        self.lane = Lane()
        self.thumbnails: Thumbnails | None = None
        self.shape: np.ndarray | None = None
        self.ends: np.ndarray | None = None
        """What the chosen shape becomes at both ends of each slider, ``(latent, 2, 64, 64)``."""
        self.note = Note("hint", "Choose a shape, then press Stamp and click on the mask.")
        self._shapes: ShapeModel | None = None
        self._latents: Latents | None = None
        self._stamps = 0
        self.marks: tuple[np.ndarray | None, np.ndarray | None] = (None, None)
        """Start and end of a walk."""
        self._tool = CanvasTool(session.viewer, self.click, self._drag, self.morph, self._tool_lost)

    @property
    def latents(self) -> Latents:
        """The library of the shape model; needs no torch."""
        if self._latents is None:
            self._latents = own_latents(DEFAULT_SHAPES)
        return self._latents

    @property
    def latent_size(self) -> int:
        return self.latents.codes.shape[1]

    def say(self, note: Note) -> None:
        """Show a message in the dock."""
        self.note = note
        self.note_changed.emit()

    def _with_shapes(self, then: Callable[[ShapeModel], None]) -> None:
        """Call ``then`` with the shape model, after loading it in the background where needed."""
        if self._shapes is not None:
            self._safely(partial(then, self._shapes))
            return

        def loaded(outcome: Outcome) -> None:
            if self._session.arrived(outcome, self.say):
                self._shapes = outcome.result
                self._safely(partial(then, outcome.result))

        work = LoadShapesWork(self._session.shelf, DEFAULT_SHAPES)
        self.lane.submit("Loading the shape model", work, loaded, total=1)

    def _safely(self, act: Callable[[], object]) -> None:
        """Act; what goes wrong becomes a message."""
        try:
            act()
        except SynthError as error:
            self.say(Note.of(error))

    # ---- choosing a shape

    def resample(self) -> None:
        """Other shapes to choose from."""
        self.choices.seed = (self.choices.seed + 1) % MAX_SEED
        self.show_thumbnails()

    def show_thumbnails(self) -> None:
        """Shapes of the chosen sampler, the same ones for the same seed."""
        from napari_synth.masks.samplers import sampler_class

        sampler = sampler_class(self.choices.sampler)(
            self.latent_size, self._session.field.spread, lambda: self.latents
        )
        if self.choices.sampler != "library":
            self._with_shapes(partial(self._draw_thumbnails, sampler))
            return
        draw = sampler.draw(numpy_rng(self.choices.seed, "thumbnails"), THUMBNAILS)
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
        self.choices.selected = 0
        self._take(self.thumbnails.codes[index], int(self.thumbnails.members[index]), self.thumbnails.pictures[index])

    def set_z(self, z: np.ndarray) -> None:
        """Take this code as the shape; decodes it, and changes the nucleus that is edited."""
        self._with_shapes(lambda shapes: self._decode_and_take(np.asarray(z, np.float32), shapes))

    def show_code(self, z: np.ndarray) -> None:
        """Show a code in the preview; the mask stays as it is."""
        self._with_shapes(lambda shapes: self._take(z, -1, shapes.decode(z)[0]))

    def _decode_and_take(self, z: np.ndarray, shapes: ShapeModel) -> None:
        self._take(z, -1, shapes.decode(z)[0])
        self.apply_edit()

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

    # ---- tools on the canvas

    def use_tool(self, tool: str) -> None:
        """Turn a tool on, or all off with an empty name."""
        layer = self._session.masks.current
        self._tool.turn_off()
        self.choices.selected = 0
        if tool and (layer is None or layer.data.ndim != 2):
            self.choices.tool = ""
            self.say(Note("problem", "There is no 2-D mask to work on.", "Make a new mask in the Masks panel."))
            return
        self.choices.tool = tool
        if layer is None or not tool:
            return
        self._tool.turn_on(layer, draws_box=tool == "grow")
        hints = {
            "stamp": "Click on the mask to stamp; Shift+wheel morphs the shape.",
            "grow": "Drag a rectangle on the mask to fill it with nuclei.",
            "edit": "Click on a nucleus to change its size, angle or shape.",
        }
        self.say(Note("hint", hints[tool]))

    def _tool_lost(self) -> None:
        self.choices.tool = ""
        self.choices.selected = 0

    def click(self, point: tuple[float, float]) -> None:
        """What the current tool does at a place of the mask."""
        y, x = (float(np.round(value)) for value in point)
        if self.choices.tool == "stamp":
            self.stamp_at(y, x)
        elif self.choices.tool == "edit":
            self.select_at(y, x)

    def _drag(self, start: tuple[float, float], end: tuple[float, float], finished: bool) -> None:
        if self.choices.tool == "grow" and finished:
            rows, columns = sorted((start[0], end[0])), sorted((start[1], end[1]))
            self.grow((round(rows[0]), round(columns[0]), round(rows[1]) + 1, round(columns[1]) + 1))

    @property
    def _layer(self) -> Labels:
        layer = self._session.masks.current
        if layer is None or layer.data.ndim != 2:
            raise InputError("There is no 2-D mask to work on.", "Make a new mask in the Masks panel.")
        return layer

    def stamp_at(self, y: float, x: float) -> None:
        """Put the chosen shape there, as a nucleus of its own."""
        self._safely(partial(self._stamp_at, y, x))

    def _stamp_at(self, y: float, x: float) -> None:
        layer, shape = self._layer, self.shape
        if shape is None:
            raise InputError("No shape is chosen.", "Choose one of the thumbnails.")
        choices = self.choices
        self._stamps += 1
        rng = numpy_rng(self._session.field.seed, "stamp", self._stamps)
        angle = float(rng.uniform(0, 360)) if choices.turn_random else choices.angle
        field = self._session.field
        area = choices.area
        if choices.size_random:
            area = float(np.clip(rng.normal(field.area_mean, field.area_sd), field.area_mean / 4, field.area_mean * 4))
        scale = float(scale_for_area(shape[None], np.array([area]))[0])
        nucleus = Nucleus(np.array(choices.z, np.float32), angle, scale, y, x, choices.member)
        patch = stamp(np.asarray(layer.data), shape, nucleus)
        if not patch.area:
            raise InputError("There is no free place for a nucleus here.", "Click beside the other nuclei.")
        self._put(layer, nucleus, patch)
        self.say(Note("done", f"Stamped nucleus {patch.label} with {patch.area} pixels.", "Ctrl+Z takes it back."))

    def _put(self, layer: Labels, nucleus: Nucleus, patch: Any) -> None:
        columns = features_of([nucleus.row(patch.label, patch.area)], len(nucleus.z))
        self._session.masking.edit(layer, partial(put_patch, patch=patch, columns=columns))

    # ---- one nucleus in place

    def select_at(self, y: float, x: float) -> None:
        """Take up the nucleus under this pixel."""
        self._safely(partial(self._select_at, y, x))

    def _select_at(self, y: float, x: float) -> None:
        layer = self._layer
        height, width = layer.data.shape
        label = int(layer.data[int(y), int(x)]) if 0 <= y < height and 0 <= x < width else 0
        if not label:
            self.choices.selected = 0
            self.say(Note("hint", "Click on a nucleus to change its size, angle or shape."))
            return
        self._with_shapes(partial(self._select, weakref.ref(layer), label))

    def _select(self, target: Any, label: int, shapes: ShapeModel) -> None:
        layer = target()
        if layer is None:
            return
        nucleus = self._nucleus(layer, label, shapes)
        shape = picture(nucleus, shapes)
        present = np.count_nonzero(shape > SHAPE_THRESHOLD)
        self.choices.selected = 0  # nothing below may change the mask yet
        self.choices.angle = round(nucleus.angle % 360, 1)
        self.choices.area = round(float(present * nucleus.scale**2), 0)
        self._take(nucleus.z, nucleus.member, shape)
        self.choices.selected = label
        layer.selected_label = label
        self.say(Note("hint", f"Nucleus {label}: change its size, angle or shape; Ctrl+Z undoes one change."))

    def _nucleus(self, layer: Labels, label: int, shapes: ShapeModel) -> Nucleus:
        """What a nucleus is by its row, or, where it was painted, by its outline."""
        row = nucleus_row(layer, label)
        if row is None or not {"y", "x", "angle", "scale"} <= row.keys():
            return nucleus_at(np.asarray(layer.data), label, shapes)
        z = np.array([row[name] for name in feature_names(shapes.card.latent_size) if name.startswith("z")], np.float32)
        member = int(row.get("member", -1))
        return Nucleus(z, row["angle"], row["scale"], row["y"], row["x"], member)

    def apply_edit(self) -> None:
        """Redraw the nucleus that is edited with the chosen shape, angle and area."""
        label = self.choices.selected
        if label and self.shape is not None:
            self._with_shapes(partial(self._apply_edit, label))

    def _apply_edit(self, label: int, shapes: ShapeModel) -> None:
        layer, choices, shape = self._layer, self.choices, self.shape
        if shape is None or not (np.asarray(layer.data) == label).any():
            choices.selected = 0
            return
        before = self._nucleus(layer, label, shapes)
        scale = float(scale_for_area(shape[None], np.array([choices.area]))[0])
        z = np.array(choices.z, np.float32)
        after = replace(before, z=z, member=choices.member, angle=choices.angle, scale=scale)
        same = np.allclose(before.z, z, atol=1e-6) and before.member == after.member
        if same and abs(before.angle % 360 - choices.angle % 360) < 0.1 and abs(before.scale / scale - 1) < 2e-3:
            return
        patch = stamp(np.asarray(layer.data), shape, after, label)
        if not patch.area:
            raise InputError("There is no room for this change.", "Make the nucleus smaller.")
        self._put(layer, after, patch)
        self.say(Note("done", f"Changed nucleus {label}; it has {patch.area} pixels.", "Ctrl+Z takes it back."))

    # ---- a field in a rectangle

    def grow(self, window: tuple[int, int, int, int]) -> None:
        """Fill a rectangle of the mask with nuclei; what lies there stays."""
        self._safely(partial(self._grow, window))

    def _grow(self, window: tuple[int, int, int, int]) -> None:
        layer = self._layer
        if min(window[2] - window[0], window[3] - window[1]) < SMALLEST_BOX:
            raise InputError("The rectangle is too small.", "Drag a larger one.")
        height, width = layer.data.shape
        settings = self._session.field.settings(max(height, 16), max(width, 16))
        self._stamps += 1
        seed = derived_seed(self._session.field.seed, "grow", self._stamps)
        density = self._session.masking.density((height, width))
        work = GrowWork(self._session.shelf, settings, seed, np.array(layer.data), window, density)
        self.lane.submit("Growing a field", work, partial(self._grown, weakref.ref(layer)), total=2)

    def _grown(self, target: Any, outcome: Outcome) -> None:
        layer = target()
        if layer is None or not self._session.arrived(outcome, self.say):
            return
        field = outcome.result
        self._safely(partial(self._session.masking.edit, layer, partial(put_field_into, field=field)))
        action = "Ctrl+Z takes them all back." if not field.left_out else "The others found no place."
        self.say(Note("done", f"Grew {field.placed} of {field.wanted} nuclei.", action))

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
        alpha, codes = walk(start, end, WALK_STEPS)
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

    # ---- files

    def save(self, path: str | Path) -> None:
        """Write the mask with the table of its nuclei."""
        self._safely(partial(self._save, Path(path)))

    def _save(self, path: Path) -> None:
        path = path if path.suffix.lower() in (".tif", ".tiff") else path.with_name(path.name + ".tif")
        save_mask(self._layer, path)
        self.say(Note("done", f"Saved {path.name} with its nuclei.", "Open it here to go on with them."))

    def open(self, path: str | Path) -> None:
        """Add the mask in a file, with the table of its nuclei where it has one."""
        self._safely(partial(self._open, Path(path)))

    def _open(self, path: Path) -> None:
        layer = open_mask(self._session.viewer, path)
        known = max(len(layer.features) - 1, 0)
        self.say(Note("done", f"Opened {layer.name!r}; {known} nuclei have a latent code."))
