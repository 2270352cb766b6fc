"""The hand on the canvas: nuclei stamped, grown and changed on a mask. Knows no widget."""

from __future__ import annotations

import weakref
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_synth.core.errors import InputError
from napari_synth.core.seeds import derived_seed, numpy_rng
from napari_synth.datasets.image_files import check_range
from napari_synth.masks.nucleus_table import feature_names, features_of
from napari_synth.masks.outlines import SHAPE_THRESHOLD, scale_for_area
from napari_synth.masks.single_nucleus import Nucleus, free_pixels, nucleus_at, outline_of, picture, stamp
from napari_synth.ui.context.choices import Note
from napari_synth.ui.docks.jobs import GrowWork
from napari_synth.ui.docks.nuclei.shape_choice import Shaping
from napari_synth.ui.napari_bridge.canvas_tool import CanvasTool
from napari_synth.ui.napari_bridge.mask_layers import open_mask, put_field_into, put_patch, save_mask
from napari_synth.ui.napari_bridge.nucleus_table import nucleus_row
from napari_synth.ui.napari_bridge.stamp_preview import StampPreview

if TYPE_CHECKING:
    from napari.layers import Labels

    from napari_synth.masks.outlines import Outline
    from napari_synth.masks.shape_model import ShapeModel
    from napari_synth.ui.jobs.lanes import Outcome
    from napari_synth.ui.session import Session

SMALLEST_BOX = 8


class Studio(Shaping):
    """The actions of the Nuclei dock: a shape is chosen as in `Shaping`, then put on the mask or taken up again."""

    def __init__(self, session: Session):
        super().__init__(session)
        self._stamps = 0
        self._tool = CanvasTool(session.viewer, self.click, self._drag, self.morph, self.hover, self._tool_lost)
        self.ghost = StampPreview(session.viewer)
        self._cursor: tuple[float, float] | None = None
        self._outline: tuple[np.ndarray, tuple[float, float], Outline] | None = None
        self.reshaped.connect(self.apply_edit)
        for changed in (self.shape_changed, self.choices.events, session.field.events):
            changed.connect(self._show_ghost)

    # ---- tools on the canvas

    def use_tool(self, tool: str) -> None:
        """Turn a tool on, or all off with an empty name."""
        self._tool.turn_off()
        self.choices.selected = 0
        self.choices.tool = ""
        if tool:
            self._safely(partial(self._turn_on, tool))

    def _turn_on(self, tool: str) -> None:
        layer = self._layer
        check_range(np.asarray(layer.data), f"The layer {layer.name!r}")
        self.choices.tool = tool
        self._tool.turn_on(layer, draws_box=tool == "grow")
        hints = {
            "stamp": "Click on the mask to stamp; Shift+wheel morphs the shape.",
            "grow": "Drag a rectangle on the mask to fill it with nuclei.",
            "edit": "Click on a nucleus to change its size, angle or shape.",
        }
        self.say(Note("hint", hints[tool]))
        if tool == "stamp":
            self._with_shapes(lambda _: self._show_ghost())

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

    def hover(self, point: tuple[float, float] | None) -> None:
        """Show what a click at a place of the mask would stamp; None: the cursor is elsewhere."""
        self._cursor = point
        self._show_ghost()

    def _show_ghost(self, *_: Any) -> None:
        layer = self._tool.layer
        if self.choices.tool != "stamp" or layer is None:
            self.ghost.remove()
            return
        if self._cursor is None or self.shape is None or self._shapes is None:
            self.ghost.hide()  # without the shape model in memory, torch would be loaded here
            return
        y, x = (float(np.round(value)) for value in self._cursor)
        outline = self._outline_of(self.shape, self._next_nucleus(self.shape, y, x))
        self.ghost.show(layer, *free_pixels(np.asarray(layer.data), outline, y, x))

    def _outline_of(self, shape: np.ndarray, nucleus: Nucleus) -> Outline:
        """The outline of the chosen shape; the cursor moves more often than the shape changes."""
        turned = nucleus.angle, nucleus.scale
        if self._outline is None or self._outline[0] is not shape or self._outline[1] != turned:
            self._outline = shape, turned, outline_of(shape, nucleus)
        return self._outline[2]

    def _drag(self, start: tuple[float, float], end: tuple[float, float], finished: bool) -> None:
        if self.choices.tool == "grow" and finished:
            rows, columns = sorted((start[0], end[0])), sorted((start[1], end[1]))
            self.grow((round(rows[0]), round(columns[0]), round(rows[1]) + 1, round(columns[1]) + 1))

    @property
    def _layer(self) -> Labels:
        layer = self._session.masks.current
        if layer is None or layer.data.ndim != 2:
            raise InputError("There is no 2-D mask to work on.", "Make a new mask in the Masks panel.")
        if layer.multiscale:
            raise InputError(f"The layer {layer.name!r} has several resolutions.", "Make a new mask and work on that.")
        return layer

    def stamp_at(self, y: float, x: float) -> None:
        """Put the chosen shape there, as a nucleus of its own."""
        self._safely(partial(self._stamp_at, y, x))

    def _stamp_at(self, y: float, x: float) -> None:
        layer, shape = self._layer, self.shape
        if shape is None:
            raise InputError("No shape is chosen.", "Choose one of the thumbnails.")
        nucleus = self._next_nucleus(shape, y, x)
        patch = stamp(np.asarray(layer.data), shape, nucleus)
        if not patch.area:
            raise InputError("There is no free place for a nucleus here.", "Click beside the other nuclei.")
        self._put(layer, nucleus, patch)
        self._stamps += 1
        self._show_ghost()
        self.say(Note("done", f"Stamped nucleus {patch.label} with {patch.area} pixels.", "Ctrl+Z takes it back."))

    def _next_nucleus(self, shape: np.ndarray, y: float, x: float) -> Nucleus:
        """What the next stamp puts there; angle and area by chance stay the same until it is put."""
        choices, field = self.choices, self._session.field
        rng = numpy_rng(field.seed, "stamp", self._stamps + 1)
        angle = float(rng.uniform(0, 360)) if choices.turn_random else choices.angle
        area = choices.area
        if choices.stamps_true_size:
            area = choices.true_area
        elif choices.size_random:
            area = float(np.clip(rng.normal(field.area_mean, field.area_sd), field.area_mean / 4, field.area_mean * 4))
        scale = float(scale_for_area(shape[None], np.array([area]))[0])
        return Nucleus(np.array(choices.z, np.float32), angle, scale, y, x, choices.member)

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
        shape = picture(nucleus, shapes, self._known)
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
        if self.making_library:
            raise InputError("A library is being made.", "Wait for it, or press Cancel.")
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
        action = "Ctrl+Z takes them all back."
        if field.left_out:
            action = f"{field.left_out} found no place: ask for fewer or smaller ones in the Masks panel."
        self.say(Note("done", f"Grew {field.placed} of {field.wanted} nuclei.", action))

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
