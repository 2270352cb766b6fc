"""Masks from the user's own data: layers that look like masks, files and folders."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Image, Shapes

from napari_synth.core.errors import SynthError
from napari_synth.ui.context.notes import Note
from napari_synth.ui.context.opened_series import OpenSeries
from napari_synth.ui.docks.masks.jobs import ConvertWork, Opened, OpenWork, ReadWork
from napari_synth.ui.napari_bridge.mask_candidates import taken
from napari_synth.ui.napari_bridge.mask_files import OPENED_KEY, add_opened, layer_data
from napari_synth.ui.napari_bridge.mask_layers import add_mask, count_nuclei, pixel_size, show_whole

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from napari.layers import Labels

    from napari_synth.datasets.foreign_masks import ForeignMask
    from napari_synth.masks.conversion import How
    from napari_synth.ui.context.context import Context
    from napari_synth.ui.docks.masks.choices import MaskChoices
    from napari_synth.ui.jobs.delivery import Jobs
    from napari_synth.ui.napari_bridge.mask_candidates import Candidate, Taken

NEXT = "Next: choose a look and render it."
QUICKLY_COUNTED = 1024 * 1024
"""Pixels of a mask that is counted before anything is said of it."""


class Opening:
    """Makes masks of what the user has.

    Parameters
    ----------
    context : Context
    choices : MaskChoices
    jobs : Jobs
    say : callable

    Attributes
    ----------
    candidates : MaskCandidates
        Layers that could become masks.
    """

    def __init__(self, context: Context, choices: MaskChoices, jobs: Jobs, say: Callable[[Note], object]):
        self._context, self._choices, self._jobs, self._say = context, choices, jobs, say
        self.candidates = context.candidates
        self.candidates.appeared.connect(self._on_lookalike)
        context.masks.added.connect(self._on_mask)

    def use(self, layer: Any, how: How) -> None:
        """Make a mask of a layer: of the plane shown of a stack, of the outlines in a Shapes layer."""
        try:
            found = taken(self._context.viewer, layer)
        except SynthError as error:
            self._say(Note.of(error))
            return
        work = ConvertWork(found.pixels, layer.name, how)
        self._jobs.run("Making a mask", work, partial(self._converted, found, how), on=layer, total=1)

    def open(self, paths: Sequence[str | Path]) -> None:
        """Add the masks in files or folders, whoever wrote them."""
        work = OpenWork([Path(path) for path in paths])
        self._jobs.run("Opening masks", work, self._opened, total=len(work.paths), unit="files")

    def _converted(self, found: Taken, how: How, layer: Any, labels: np.ndarray) -> None:
        mask = add_mask(self._context.viewer, labels.shape, found.name, found.place, labels)
        if not isinstance(layer, Image) or self.candidates.of(layer) is not None:
            layer.visible = False  # it shows the same
        self.candidates.use(layer, how, mask)
        self._context.results.bring_forward(mask)
        what = "the plane shown" if labels.ndim < layer.ndim else "the outlines" if isinstance(layer, Shapes) else ""
        of = f"{what} of {layer.name!r}" if what else f"{layer.name!r}"
        self._say(Note("done", f"Made the mask {mask.name!r} of {of}{_counted(mask)}.", NEXT))

    def step(self, series: OpenSeries, by: int) -> None:
        """Show another mask of a series; after the last comes the first."""
        self.show(series, (series.at + by) % len(series.masks))

    def show(self, series: OpenSeries, index: int) -> None:
        """Show a mask of a series: its layer, where it has one, else as it is read."""
        layer = self._context.series.layer(series, index)
        if layer is not None:
            self._shown(series, index, layer)
            return
        work = ReadWork(series.masks, index)
        self._jobs.run("Opening a mask", work, partial(self._read, series, index), total=1, unit="masks")

    def _read(self, series: OpenSeries, index: int, mask: ForeignMask) -> None:
        try:
            layer = add_opened(self._context.viewer, layer_data(mask, series.masks.paths[index]))
        except SynthError as error:
            self._say(Note.of(error))
            return
        series.put(index, layer)
        self._shown(series, index, layer)

    def _shown(self, series: OpenSeries, index: int, layer: Labels) -> None:
        """Let a mask of a series be what is seen, and drop that before where nobody touched it or rendered it."""
        context, before = self._context, series.at
        last = context.series.layer(series, before)
        series.at = index
        context.masks.current = layer
        context.results.bring_forward(layer)
        if last is not None and last is not layer and series.untouched(before) and not context.results.of(last):
            context.viewer.layers.remove(last)
        context.series.changed.emit()

    def _opened(self, found: Opened) -> None:
        series, many = found.series, len(found.masks) < len(found.series)
        try:
            data = [layer_data(mask, path) for mask, path in zip(found.masks, series.paths, strict=False)]
            layers = [add_opened(self._context.viewer, one) for one in data]
        except SynthError as error:
            self._say(Note.of(error))
            return
        if many:
            opened = OpenSeries(series, layers[0].data.shape[-2:], pixel_size(layers[0]))
            opened.put(0, layers[0])
            self._context.series.add(opened)
            self._context.column.open_section("masks")
            self._choices.card = "data"
            text = f"Opened {series.name}: {len(series)} masks; {layers[0].name!r}, the first, is shown."
            self._say(Note("done", text, "Next shows another one, under From my data; Export takes all of them."))
        elif len(layers) > 1:
            self._say(Note("done", f"Opened {len(layers)} masks; {layers[-1].name!r} is shown.", NEXT))

    def _on_mask(self, layer: Labels) -> None:
        """A new mask is seen whole; one that was opened, here or by napari, is what is seen."""
        show_whole(self._context.viewer, layer)
        opened = layer.metadata.get(OPENED_KEY)
        if opened is None:
            return
        self._context.results.bring_forward(layer)
        candidate = self.candidates.of(layer)
        if candidate is not None:
            self._offer(candidate)
            return
        remarks = " ".join(opened.get("remarks", ()))
        text = f"Opened the mask {layer.name!r}{_counted(layer)}."
        self._say(Note("done", " ".join(filter(None, (text, remarks))), NEXT))

    def _on_lookalike(self, candidate: Candidate) -> None:
        self._offer(candidate)

    def _offer(self, candidate: Candidate) -> None:
        """Show a layer whole, and the card on which it becomes a mask."""
        layer = candidate.layer()
        if layer is None:
            return
        show_whole(self._context.viewer, layer)
        self._context.column.open_section("masks")
        self._choices.card = "data"
        what = "an Image layer" if isinstance(layer, Image) else "no mask to work on yet"
        text = f"{layer.name!r} is {what}: {candidate.text}."
        self._say(Note("hint", text, f"Press {candidate.ways[0].words} in From my data to convert it."))


def _counted(layer: Labels) -> str:
    """The number of nuclei after a colon; nothing for a mask so large that counting would be felt."""
    if np.prod(layer.data.shape) > QUICKLY_COUNTED:
        return ""
    count = count_nuclei(layer)
    return f": {count} {'nucleus' if count == 1 else 'nuclei'}"
