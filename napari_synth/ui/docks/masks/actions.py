"""Masks: new ones, sampled fields, clearing."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from psygnal import Signal

from napari_synth.core.errors import SynthError
from napari_synth.core.recipe import FieldSettings
from napari_synth.core.seeds import random_seed
from napari_synth.masks.presets import preset
from napari_synth.masks.samplers import SAMPLERS
from napari_synth.ui.context.notes import Note
from napari_synth.ui.docks.dock import Command, DockActions
from napari_synth.ui.docks.masks.jobs import STEPS, FieldWork, FitWork, RecombineWork
from napari_synth.ui.jobs.delivery import nothing
from napari_synth.ui.jobs.lanes import Errands
from napari_synth.ui.napari_bridge.mask_layers import (
    add_mask,
    clear_labels,
    put_field,
    replace_labels,
)
from napari_synth.ui.napari_bridge.object_count import ObjectCount
from napari_synth.ui.napari_bridge.placement import LayerPlacement, placement

if TYPE_CHECKING:
    from napari.layers import Labels, Layer

    from napari_synth.masks.statistics import FieldStatistics
    from napari_synth.models.card import ModelCard
    from napari_synth.ui.context.context import Context
    from napari_synth.ui.docks.masks.jobs import Sampled

MASK_NAME = "nuclei"
COMBINED_NAME = "label map"
MASK_GONE = Note(
    "stopped", "The mask layer was deleted while its field was sampled.", "Choose a mask and sample again."
)
PRESET_NOTES = {
    "": "The number of nuclei goes with the area of the mask again, as at the start.",
    "thesis": "As in Sirinaovakul 2018: 46 ± 7 nuclei on 350², a number that goes with the side, not the area.",
}


class MaskActions(DockActions):
    """The actions of the Masks dock.

    Attributes
    ----------
    objects : ObjectCount
        How many the current mask has.
    real : FieldStatistics or None
        What the field was fitted to.
    composed : FieldStatistics or None
        The field that was sampled last since then.
    """

    key = "masks"
    hint = Note("hint", "Sample a field of nuclei, or make a new mask and paint them.")
    statistics_changed = Signal()

    def __init__(self, context: Context):
        super().__init__(context)
        self.real: FieldStatistics | None = None
        self.composed: FieldStatistics | None = None
        self._errands = Errands()
        self.objects = ObjectCount(context.masks, self._errands.submit)
        self.objects.changed.connect(self._on_headline)
        context.look.events.model.connect(self._on_headline)

    def close(self) -> None:
        self.objects.close()
        self._errands.close(nothing)
        super().close()

    @property
    def headline(self) -> str:
        layer, count = self.context.masks.current, self.objects.count
        if layer is None:
            return "none yet"
        card = self.context.catalogue.card(self.context.look.model)
        return layer.name if count is None else f"{count} {words_for(count, card)}"

    def _on_headline(self) -> None:
        self.headline_changed.emit()

    def new_mask(self, height: int, width: int) -> Labels:
        """Add an empty mask; one of the size of the selected image lies where that image lies."""
        canvas = self.context.masks.selected_canvas
        place = canvas[1] if canvas and canvas[0] == (height, width) else None
        layer = add_mask(self.context.viewer, (height, width), MASK_NAME, place)
        text = f"Made {layer.name!r}, {width}×{height} pixels."
        self.say(Note("done", text, "Paint nuclei (M: number of the next nucleus), or sample a field."))
        return layer

    def roll_seed(self) -> None:
        """Another field, please."""
        self.context.field.seed = random_seed()

    def sample(self, height: int, width: int) -> None:
        """Fill the current mask with sampled nuclei, or a new mask of this size where there is none."""
        context = self.context
        layer, field = context.masks.current, context.field
        if layer is not None and layer.data.ndim == 2:
            height, width = (int(side) for side in layer.data.shape)
        elif layer is not None:
            text = f"The layer {layer.name!r} has {layer.data.ndim} dimensions, but a 2-D mask is needed."
            self.say(Note("problem", text, "Choose another mask, or make a new one."))
            return
        try:
            settings = field.settings(height, width)
        except ValueError:
            text = f"A field of {width}×{height} pixels cannot be sampled."
            self.say(Note("problem", text, "Use sides of 16 to 8192 pixels."))
            return
        density = context.density.values((height, width))
        work = FieldWork(context.models, settings, field.seed, density, measured=self.real is not None)
        library = field.library_title if SAMPLERS[settings.sampler].needs_library else ""
        if layer is None:
            self.jobs.run("Sampling a field", work, partial(self._sampled_anew, library), total=STEPS)
        else:
            done = partial(self._sampled, library)
            self.jobs.run("Sampling a field", work, done, on=layer, gone=MASK_GONE, total=STEPS)

    def _sampled_anew(self, library: str, sampled: Sampled) -> None:
        self._sampled(library, add_mask(self.context.viewer, sampled.field.labels.shape, MASK_NAME), sampled)

    def _sampled(self, library: str, layer: Labels, sampled: Sampled) -> None:
        field = sampled.field
        try:
            self.context.masks.edit(layer, partial(put_field, field=field))
        except SynthError as error:
            self.say(Note.of(error))
            return
        if sampled.statistics is not None and self.real is not None:
            self._compare(self.real, sampled.statistics)
        self.say(_placed_note(field.placed, field.wanted, layer.name, library))

    def recombine(self, paths: list[str], count: int, height: int, width: int) -> None:
        """Add masks made of real label maps, of the size of the current mask or else of this one."""
        layer, place = self.context.masks.current, None
        if layer is not None and layer.data.ndim == 2:
            height, width = (int(side) for side in layer.data.shape)
            place = placement(layer)
        work = RecombineWork(paths, height, width, count, self.context.field.seed)
        self.jobs.run("Combining label maps", work, partial(self._recombined, place), total=count, unit="masks")

    def _recombined(self, place: LayerPlacement | None, masks: list[np.ndarray]) -> None:
        for number, labels in enumerate(masks, start=1):
            layer = add_mask(self.context.viewer, labels.shape, f"{COMBINED_NAME} {number}", place)
            replace_labels(layer, labels)
            layer.selected_label = int(labels.max()) + 1
        text = f"Made {len(masks)} {'mask' if len(masks) == 1 else 'masks'} of real label maps."
        self.say(Note("done", text, "Press Render, or roll the dice for others."))

    def clear(self) -> None:
        """Empty the current mask."""
        layer = self.context.masks.current
        if layer is None:
            self.say(Note("problem", "There is no mask layer to clear.", "Make a new mask first."))
            return
        try:
            self.context.masks.edit(layer, clear_labels)
        except SynthError as error:
            self.say(Note.of(error))
            return
        self.say(Note("done", f"Cleared {layer.name!r}.", "Ctrl+Z brings the nuclei back."))

    def follow_density(self, layer: Layer | None) -> None:
        """Let nuclei lie where a 2-D layer, painted or an image, has high values; None: everywhere alike."""
        self.context.density.follow(layer)
        if layer is not None:
            self.say(Note("done", f"Nuclei will lie where {layer.name!r} has high values.", "Sample a field."))

    # ---- following real masks

    def fit(self, masks: Path | None = None) -> None:
        """Fit the field to a folder of real masks, or to the current mask."""
        layer = self.context.masks.current
        source: Path | np.ndarray
        if masks is not None:
            source, name = masks, masks.name
        elif layer is not None:
            source, name = np.array(layer.data), layer.name
        else:
            self.say(Note("problem", "There is no mask to fit to.", "Choose a folder of masks instead."))
            return
        work = FitWork(self.context.models, self.context.field.settings(256, 256), source, name)
        self.jobs.run("Fitting to real masks", work, partial(self._fitted, name), total=STEPS)

    def _fitted(self, name: str, fitted: tuple[FieldStatistics, FieldSettings]) -> None:
        real, settings = fitted
        self.context.field.take(settings)
        self._compare(real)
        text = f"Fitted to {name!r}: spacing {settings.spacing}."
        self.say(Note("done", text, "Sample a field; the table then shows it beside the real masks."))

    def forget_fit(self) -> None:
        """Number and size follow the boxes again."""
        field = self.context.field
        with field.events.paused():
            field.base, field.preset = None, ""
            field.count_law = "normal" if field.count_law == "measured" else field.count_law
            field.area_law = "normal"
        self._compare(None)

    def use_preset(self, name: str) -> None:
        """Take all numbers of a preset, or with an empty name those the program starts with."""
        field = self.context.field
        field.take(preset(name) if name else FieldSettings(), name)
        if not name:
            field.base = None
        self._compare(None)
        self.say(Note("done", PRESET_NOTES[name], "Sample a field, or change single numbers."))

    # ---- by a key or from the palette

    def new_as_selected(self) -> None:
        """Add an empty mask of the size of the current mask or of the selected image, else of 256×256 pixels."""
        self.new_mask(*self.size_at_hand)

    def sample_here(self) -> None:
        """Sample a field of the size at hand."""
        self.sample(*self.size_at_hand)

    @property
    def size_at_hand(self) -> tuple[int, int]:
        """Height and width of the current mask, else of the selected image, else 256×256."""
        layer, canvas = self.context.masks.current, self.context.masks.selected_canvas
        if layer is not None and layer.ndim >= 2:
            shape = (layer.data[0] if layer.multiscale else layer.data).shape
            return int(shape[-2]), int(shape[-1])
        return canvas[0] if canvas else (256, 256)

    def next_mask(self) -> None:
        """Take the mask below the current one in the layer list, after the last the first."""
        layers = self.context.masks.layers
        if not layers:
            self.say(Note("problem", "There is no mask layer.", "Make a new mask, or sample a field."))
            return
        places = [place for place, layer in enumerate(layers) if layer is self.context.masks.current]
        chosen = layers[(places[0] + 1) % len(layers) if places else 0]
        self.context.viewer.layers.selection.active = chosen
        self.say(Note("done", f"{chosen.name!r} is the mask to work on.", "Paint, sample or render it."))

    commands = (
        Command("new_mask", "New mask", new_as_selected),
        Command("sample", "Sample a field of objects", sample_here, "Shift+S"),
        Command("next_mask", "Next mask", next_mask, "N"),
    )

    def _compare(self, real: FieldStatistics | None, composed: FieldStatistics | None = None) -> None:
        self.real, self.composed = real, composed
        self.statistics_changed.emit()


def _placed_note(placed: int, wanted: int, name: str, library: str) -> Note:
    shapes = f", with shapes of {library!r}" if library else ""
    text = f"Placed {placed} of {wanted} nuclei in {name!r}{shapes}."
    if placed < wanted:
        return Note("done", text, f"{wanted - placed} found no place: use fewer or smaller nuclei to place them all.")
    return Note("done", text, "Next: press Render. Ctrl+Z takes the field back.")


def words_for(count: int, card: ModelCard | None) -> str:
    """What so many objects of a model's masks are called."""
    if card is None:
        return "object" if count == 1 else "objects"
    return card.structure if count == 1 else card.structures
