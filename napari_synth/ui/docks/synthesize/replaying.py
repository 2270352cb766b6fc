"""Exported files, folders and recipes opened again: layers and every control as they were."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from napari.layers import Image, Labels

from napari_synth.core.errors import SynthError
from napari_synth.core.recipe import METADATA_KEY
from napari_synth.ui.context.notes import Note
from napari_synth.ui.docks.synthesize.jobs import STEPS, ReplayWork
from napari_synth.ui.napari_bridge.image_layers import over_anatomy
from napari_synth.ui.napari_bridge.mask_layers import put_on_top

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_synth.exporting.exported import Exported
    from napari_synth.ui.context.context import Context
    from napari_synth.ui.jobs.delivery import Jobs

CANCELLED = Note("stopped", "Opening was cancelled.", "Nothing was changed.")


class Replaying:
    """Brings back what a recipe describes.

    Parameters
    ----------
    context : Context
    jobs : Jobs
    say : callable
    render : callable
        Renders the current mask as chosen, for a recipe that comes without its image.
    """

    def __init__(self, context: Context, jobs: Jobs, say: Callable[[Note], object], render: Callable[[], object]):
        self._context, self._jobs, self._say, self._render = context, jobs, say, render

    def replay(self, path: str | Path) -> None:
        """Open an exported file, a folder of pairs or a recipe."""
        work = ReplayWork(self._context.models, Path(path))
        self._jobs.run("Opening", work, self._show, total=STEPS, cancelled=CANCELLED)

    def _show(self, found: tuple[Exported, str]) -> None:
        (exported, weights), context = found, self._context
        mask = self._add_layers(exported)
        try:
            context.take_recipe(exported.recipe, exported.batch, weights)
        except SynthError as error:
            self._say(Note.of(error))
            return
        if exported.walk is not None:
            text = f"Brought back the walk {exported.name!r}, and the choices it was made with."
            self._say(Note("done", text, "Move the slider below the picture." if mask else "Open its mask to go on."))
        elif exported.image is None or mask is None:
            self._render()
        else:
            self._show_image(exported, mask, exported.image)

    def _add_layers(self, exported: Exported) -> Labels | None:
        """Add what is no image of a mask; the mask on top, if it is known."""
        context, size, labels = self._context, exported.pixel_size, exported.labels
        viewer = context.viewer
        place = {} if size.unit == "pixel" else {"scale": (size.y, size.x), "units": (size.unit, size.unit)}
        if exported.condition is not None:
            anatomy = Image(exported.condition, name=f"{exported.name} · anatomy", colormap="gray", **place)
            viewer.add_layer(anatomy)
            context.images.current = anatomy
        if exported.walk is not None:
            steps = ("alpha", *(f"axis {number}" for number in range(exported.walk.ndim - 3)))
            record = {METADATA_KEY: exported.recipe.model_dump()}
            axes = (*steps, "y", "x")
            viewer.add_layer(Image(exported.walk, name=exported.name, axis_labels=axes, rgb=False, metadata=record))
        if labels is None:
            return None
        mask = Labels(labels.astype(np.uint16) if labels.max(initial=0) < 2**16 else labels, **place)
        mask.name = f"{exported.name} · mask"
        put_on_top(viewer, mask)
        mask.selected_label = int(labels.max(initial=0)) + 1
        context.results.bring_forward(mask)
        return mask

    def _show_image(self, exported: Exported, mask: Labels, pixels: np.ndarray) -> None:
        context = self._context
        recipe = exported.recipe
        noise = recipe.makes(recipe.masks[0])
        look = recipe.options[0] if noise else context.catalogue.shown_as(context.look.model, context.look.option)
        limits = None if noise else context.catalogue.channel_range(context.look.model)
        shown = over_anatomy(pixels, limits) if limits else None
        above = context.images.current if limits else None
        image = context.results.show(mask, look, pixels, exported.recipe, above, shown)
        context.show_outline(mask)
        text = f"Brought back {image.name!r} with its mask, and every choice it was made with."
        again = "Make the pair again, or others" if noise else "Press Render"
        where = " under Mask ▸ From noise." if noise else ": the image stays the same until you change something."
        self._say(Note("done", text, again + where))
