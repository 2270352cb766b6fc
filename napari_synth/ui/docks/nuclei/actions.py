"""The hand on the canvas: nuclei stamped, grown and changed on a mask. Knows no widget."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from napari_synth.core.errors import InputError
from napari_synth.core.seeds import derived_seed
from napari_synth.datasets.image_files import check_range
from napari_synth.datasets.mask_sources import mask_file
from napari_synth.ui.context.notes import Note, problems_said
from napari_synth.ui.docks.dock import DockActions
from napari_synth.ui.docks.nuclei.choices import NucleusChoices
from napari_synth.ui.docks.nuclei.handling import Handling
from napari_synth.ui.docks.nuclei.jobs import GrowWork
from napari_synth.ui.docks.nuclei.libraries import Libraries
from napari_synth.ui.docks.nuclei.reshaping import EDIT_HINT, Reshaping
from napari_synth.ui.docks.nuclei.shape_choice import ShapeChoice
from napari_synth.ui.docks.nuclei.shape_loader import ShapeLoader
from napari_synth.ui.docks.nuclei.stamping import Stamping
from napari_synth.ui.docks.nuclei.work_mask import work_mask
from napari_synth.ui.napari_bridge.canvas_tool import CanvasTool
from napari_synth.ui.napari_bridge.mask_files import add_opened, layer_data, save_mask
from napari_synth.ui.napari_bridge.mask_layers import put_field_into

if TYPE_CHECKING:
    from napari.layers import Labels

    from napari_synth.masks.nucleus_table import NucleusField
    from napari_synth.ui.context.context import Context
    from napari_synth.ui.docks.nuclei.choices import Tool
    from napari_synth.ui.napari_bridge.canvas_tool import Point

SMALLEST_BOX = 8
SMALLEST_FIELD = 16
TOOL_HINTS: dict[Tool, Note] = {
    "stamp": Note("hint", "Click on the mask to stamp; Shift+wheel morphs the shape."),
    "grow": Note("hint", "Drag a rectangle on the mask to fill it with nuclei."),
    "edit": EDIT_HINT,
}


class NucleusActions(DockActions):
    """The actions of the Nuclei dock: a shape is chosen, then put on the mask or taken up again.

    Attributes
    ----------
    choices : NucleusChoices
    loader : ShapeLoader
        The shape model.
    libraries : Libraries
        Where shapes come from.
    shapes : ShapeChoice
        The shape to stamp.
    stamping : Stamping
    reshaping : Reshaping
    handling : Handling
        The chosen nuclei.
    """

    key = "nuclei"
    hint = Note("hint", "Choose a shape, then press Stamp and click on the mask.")

    def __init__(self, context: Context):
        super().__init__(context)
        say, choices = self.say, NucleusChoices()
        self.choices = choices
        context.remembered.keep("nuclei", choices, ("turn_random", "size_random", "true_size"))
        self.loader = ShapeLoader(context.models, self.jobs, say)
        self.libraries = Libraries(context, self.jobs, self.loader, say)
        self.shapes = ShapeChoice(context, choices, self.libraries, self.loader, say)
        self.reshaping = Reshaping(context.masks, choices, self.libraries, self.shapes, self.loader, say)
        self.handling = Handling(context, choices, self.reshaping, say)
        self._tool = CanvasTool(context.viewer)
        self.stamping = Stamping(context, choices, self.shapes, self.loader, self._tool, say)
        self._grown_count = 0
        self._tool.clicked.connect(self.click)
        self._tool.clicked_more.connect(self.click_more)
        self._tool.dragged.connect(self.handling.drag)
        self._tool.dropped.connect(self.handling.drop)
        self._tool.drawn.connect(self.draw_box)
        self._tool.wheeled.connect(self.shapes.morph)
        self._tool.lost.connect(self._rest)

    # ---- tools on the canvas

    def use_tool(self, tool: Tool) -> None:
        """Turn a tool on, or all off with an empty name."""
        self._tool.turn_off()
        self._rest()
        if tool:
            with problems_said(self.say):
                self._turn_on(tool)

    def _turn_on(self, tool: Tool) -> None:
        layer = work_mask(self.context.masks)
        check_range(np.asarray(layer.data), f"The layer {layer.name!r}")
        self.choices.tool = tool
        if tool == "edit":
            self.handling.begin(layer)
            self._tool.turn_on(layer, grabs=self.handling.grab, keys=self.handling.keys)
        else:
            self._tool.turn_on(layer, draws_box=tool == "grow")
        self.say(TOOL_HINTS[tool])
        if tool == "stamp":
            self.loader.use(lambda _: self.stamping.show_ghost())

    def _rest(self) -> None:
        """No tool is on, no nucleus is chosen."""
        self.handling.end()
        self.choices.tool = ""

    def click(self, point: Point) -> None:
        """What the current tool does at a place of the mask."""
        y, x = (float(np.round(value)) for value in point)
        with problems_said(self.say):
            if self.choices.tool == "stamp":
                self.stamping.stamp_at(y, x)
            elif self.choices.tool == "edit":
                self.handling.click(y, x)

    def click_more(self, point: Point) -> None:
        """Choose one more nucleus, or one less."""
        if self.choices.tool == "edit":
            self.handling.click(*point, more=True)
        else:
            self.click(point)

    def draw_box(self, start: Point, end: Point) -> None:
        """What the current tool does with a rectangle of the mask between two opposite corners."""
        if self.choices.tool == "grow":
            rows, columns = sorted((start[0], end[0])), sorted((start[1], end[1]))
            self.grow((round(rows[0]), round(columns[0]), round(rows[1]) + 1, round(columns[1]) + 1))

    # ---- a field in a rectangle

    def grow(self, window: tuple[int, int, int, int]) -> None:
        """Fill a rectangle of the mask (top, left, bottom, right) with nuclei; what lies there stays."""
        with problems_said(self.say):
            self._grow(window)

    def _grow(self, window: tuple[int, int, int, int]) -> None:
        layer, field = work_mask(self.context.masks), self.context.field
        if min(window[2] - window[0], window[3] - window[1]) < SMALLEST_BOX:
            raise InputError("The rectangle is too small.", "Drag a larger one.")
        if self.libraries.making:
            raise InputError("A library is being made.", "Wait for it, or press Cancel.")
        shape = layer.data.shape
        settings = field.settings(*(max(int(side), SMALLEST_FIELD) for side in shape))
        self._grown_count += 1
        seed = derived_seed(field.seed, "grow", self._grown_count)
        density = self.context.density.values(shape)
        work = GrowWork(self.context.models, settings, seed, np.array(layer.data), window, density)
        self.jobs.run("Growing a field", work, self._grown, on=layer, total=work.steps)

    def _grown(self, layer: Labels, field: NucleusField) -> None:
        with problems_said(self.say):
            self.context.masks.edit(layer, lambda layer: put_field_into(layer, field))
            action = "Ctrl+Z takes them all back."
            if field.left_out:
                action = f"{field.left_out} found no place: ask for fewer or smaller ones under Mask."
            self.say(Note("done", f"Grew {field.placed} of {field.wanted} nuclei.", action))

    # ---- files

    def save(self, path: str | Path) -> None:
        """Write the mask with the table of its nuclei."""
        path = Path(path)
        path = path if path.suffix.lower() in (".tif", ".tiff") else path.with_name(path.name + ".tif")
        with problems_said(self.say):
            save_mask(work_mask(self.context.masks), path)
            self.say(Note("done", f"Saved {path.name} with its nuclei.", "Open it here to go on with them."))

    def open(self, path: str | Path) -> None:
        """Add the mask in a file, with the table of its nuclei where it has one."""
        with problems_said(self.say):
            layer = add_opened(self.context.viewer, layer_data(mask_file(Path(path)), Path(path)))
            known = max(len(layer.features) - 1, 0)
            self.say(Note("done", f"Opened {layer.name!r}; {known} nuclei have a latent code."))
