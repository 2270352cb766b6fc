"""Masks: new ones, sampled fields, clearing."""

from __future__ import annotations

import weakref
import zlib
from dataclasses import dataclass
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
from napari_synth.ui.docks.masks.checking import Checking
from napari_synth.ui.docks.masks.choices import LARGEST, SMALLEST, MaskChoices
from napari_synth.ui.docks.masks.from_noise import FromNoise
from napari_synth.ui.docks.masks.jobs import STEPS, FieldWork, FitWork, RecombineWork
from napari_synth.ui.docks.masks.opening import Opening
from napari_synth.ui.jobs.delivery import nothing
from napari_synth.ui.jobs.lanes import Errands
from napari_synth.ui.napari_bridge.mask_layers import (
    add_mask,
    clear_labels,
    mask_array,
    put_field,
    replace_labels,
)
from napari_synth.ui.napari_bridge.object_count import ObjectCount
from napari_synth.ui.napari_bridge.placement import LayerPlacement, finest, is_stack, placement

if TYPE_CHECKING:
    from napari.layers import Labels

    from napari_synth.masks.statistics import FieldStatistics
    from napari_synth.models.card import ModelCard
    from napari_synth.ui.context.context import Context
    from napari_synth.ui.docks.masks.jobs import Sampled

MASK_NAME = "nuclei"
COMBINED_NAME = "mixed mask"
MASK_GONE = Note(
    "stopped", "The mask layer was deleted while its field was sampled.", "Choose a mask and sample again."
)
HAVE_MASK = Note("hint", "Choose a look for the mask.", "Or paint, sample or open another mask here.")
PRESET_NOTES = {
    "": "The number of nuclei goes with the area of the mask again, as at the start.",
    "thesis": "46 ± 7 nuclei on 350², as Sirinaovakul (2018) has it: their number goes with the side, not the area.",
}


@dataclass(frozen=True)
class Fresh:
    """A sampled mask as it was made: its name, and a checksum of its labels."""

    name: str
    labels: int

    @staticmethod
    def of(layer: Labels) -> Fresh:
        """A mask as it is now."""
        return Fresh(layer.name, zlib.crc32(np.ascontiguousarray(layer.data).data))


class MaskActions(DockActions):
    """The actions of the Masks dock.

    Attributes
    ----------
    choices : MaskChoices
    checking : Checking
        The label doctor.
    noise : FromNoise
        Pairs from noise.
    opening : Opening
        Masks of the user's own data.
    objects : ObjectCount
        How many the current mask has.
    real : FieldStatistics or None
        What the field was fitted to.
    composed : FieldStatistics or None
        The field that was sampled last since then.
    """

    key = "masks"
    hint = Note("hint", "Sample a field of nuclei, paint them, or open your own masks.")
    statistics_changed = Signal()

    def __init__(self, context: Context):
        super().__init__(context)
        self.choices = MaskChoices()
        self._fresh: weakref.WeakKeyDictionary[Labels, Fresh] = weakref.WeakKeyDictionary()
        self.opening = Opening(context, self.choices, self.jobs, self.say)
        self.checking = Checking(context, self.jobs, self.say)
        self.noise = FromNoise(context, self.jobs, self.say)
        context.masks.current_changed.connect(self._follow_size)
        context.masks.selected.connect(self._follow_size)
        self._follow_size()
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

    @property
    def next_step(self) -> Note:
        return self.hint if self.context.masks.current is None else HAVE_MASK

    def _on_headline(self) -> None:
        self.headline_changed.emit()

    def _follow_size(self) -> None:
        """A new mask has the size of the selected image, or of the chosen mask."""
        masks = self.context.masks
        canvas = masks.selected_canvas
        shape = canvas[0] if canvas else None if masks.current is None else finest(masks.current).shape[-2:]
        if shape is not None:
            with self.choices.events.paused():
                self.choices.height, self.choices.width = (min(max(int(n), SMALLEST), LARGEST) for n in shape)

    def _place(self, height: int, width: int) -> LayerPlacement | None:
        """Where a new mask of this size lies: on the selected image or the chosen mask, if one has this size."""
        masks = self.context.masks
        canvas = masks.selected_canvas
        if canvas and canvas[0] == (height, width):
            return canvas[1]
        if masks.current is not None and tuple(finest(masks.current).shape[-2:]) == (height, width):
            return placement(masks.current)
        return None

    def new_mask(self, height: int, width: int) -> Labels:
        """Add an empty mask; one of the size of the selected image or the chosen mask lies where that lies."""
        layer = add_mask(self.context.viewer, (height, width), MASK_NAME, self._place(height, width))
        self.context.results.bring_forward(layer)
        text = f"Made {layer.name!r}, {width}×{height} pixels."
        self.say(Note("done", text, "Paint a nucleus; M takes the number of the next one."))
        return layer

    def next_nucleus(self) -> None:
        """Paint with a number that no nucleus of the mask has yet."""
        layer = self.context.masks.current
        if layer is None or layer.multiscale:
            self.say(Note("problem", "There is no mask to paint on.", "Press New mask first."))
            return
        self.context.viewer.layers.selection.active = layer
        layer.selected_label = int(np.max(layer.data, initial=0)) + 1
        layer.mode = "paint"
        self.say(Note("hint", f"Paint nucleus {layer.selected_label} in {layer.name!r}.", "M does the same."))

    def choose(self, layer: Labels) -> None:
        """Work on another mask: it, with its images, is what is seen."""
        self.context.masks.current = layer
        self.context.results.bring_forward(layer)

    def roll(self) -> None:
        """Another field, please: in place of the sampled one while nobody touched that, else in a new mask."""
        self.context.field.seed = random_seed()
        layer = self.context.masks.current
        fresh = self._fresh.get(layer) if layer is not None else None
        if layer is not None and fresh is not None and fresh.labels == Fresh.of(layer).labels:
            self.replace(layer)
        else:
            self.sample(self.choices.height, self.choices.width)

    def sample(self, height: int, width: int) -> None:
        """Sample a field of nuclei into a new mask of this size, or into the chosen one while that is empty."""
        layer = self.context.masks.current
        if layer is not None and self._is_free(layer, height, width):
            self.replace(layer)
            return
        work = self._field_work(height, width)
        if work is not None:
            done = partial(self._sampled_anew, self._place(height, width))
            self.jobs.run("Sampling a field", work, done, total=STEPS)

    def replace(self, layer: Labels) -> None:
        """Put a sampled field in place of the nuclei of a mask, in one step that Ctrl+Z takes back."""
        if is_stack(layer) or layer.multiscale:
            what = "is a stack" if is_stack(layer) else "has several resolutions"
            text = f"The layer {layer.name!r} {what}, but a mask of one plane is needed."
            self.say(
                Note("problem", text, "Press Sample a field for a new mask, or use the plane shown: From my data.")
            )
            return
        height, width = (int(side) for side in layer.data.shape[-2:])
        work = self._field_work(height, width)
        if work is not None:
            self.jobs.run("Sampling a field", work, self._sampled, on=layer, gone=MASK_GONE, total=STEPS)

    def question(self, layer: Labels) -> str:
        """What is asked before the nuclei of a mask are replaced; empty where there are none."""
        name: str = layer.name
        if layer is not self.context.masks.current or not self.objects.up_to_date:
            return f"Replace the nuclei in {name!r}?"  # counting a large mask would be felt
        count = self.objects.count
        return f"Replace {count} {'nucleus' if count == 1 else 'nuclei'} in {name!r}?" if count else ""

    def _is_free(self, layer: Labels, height: int, width: int) -> bool:
        """Whether a mask of one plane of this size has nothing in it yet."""
        if layer.multiscale or layer.data.ndim != 2 or tuple(layer.data.shape) != (height, width):
            return False
        return not np.any(layer.data)

    def _field_work(self, height: int, width: int) -> FieldWork | None:
        """The sampling of a field of this size as chosen; None, with a note, where that cannot be."""
        context, field = self.context, self.context.field
        try:
            settings = field.settings(height, width)
        except ValueError:
            text = f"A field of {width}×{height} pixels cannot be sampled."
            self.say(Note("problem", text, "Use sides of 16 to 8192 pixels."))
            return None
        density = context.density.values((height, width))
        library = field.library_title if SAMPLERS[settings.sampler].needs_library else ""
        return FieldWork(context.models, settings, field.seed, density, self.real is not None, library)

    def _sampled_anew(self, place: LayerPlacement | None, sampled: Sampled) -> None:
        layer = add_mask(self.context.viewer, sampled.field.labels.shape, _name(sampled), place)
        self._fresh[layer] = Fresh.of(layer)
        self._sampled(layer, sampled)

    def _sampled(self, layer: Labels, sampled: Sampled) -> None:
        field = sampled.field
        try:
            self.context.masks.edit(layer, partial(put_field, field=field))
        except SynthError as error:
            self.say(Note.of(error))
            return
        before = self._fresh.get(layer)
        if before is not None and layer.name == before.name:
            layer.name = _name(sampled)
        self._fresh[layer] = Fresh.of(layer)
        self.context.results.bring_forward(layer)
        if sampled.statistics is not None and self.real is not None:
            self._compare(self.real, sampled.statistics)
        self.say(_placed_note(field.placed, field.wanted, layer.name, sampled.library))

    def recombine(self, paths: list[str], count: int, height: int, width: int) -> None:
        """Add masks of this size made of the nuclei in real ones: mixed, flipped, turned and scaled by chance."""
        place = self._place(height, width)
        work = RecombineWork(paths, height, width, count, self.context.field.seed)
        self.jobs.run("Mixing real masks", work, partial(self._recombined, place), total=count, unit="masks")

    def _recombined(self, place: LayerPlacement | None, masks: list[np.ndarray]) -> None:
        for number, labels in enumerate(masks, start=1):
            layer = add_mask(self.context.viewer, labels.shape, f"{COMBINED_NAME} {number}", place)
            replace_labels(layer, labels)
            layer.selected_label = int(labels.max()) + 1
            self.context.results.bring_forward(layer)
        text = f"Made {len(masks)} {'mask' if len(masks) == 1 else 'masks'} of real ones."
        self.say(Note("done", text, "Choose a look and render, or roll the dice for others."))

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

    # ---- following real masks

    def fit(self, masks: Path | None = None) -> None:
        """Fit the field to a folder of real masks, or to the current mask."""
        layer = self.context.masks.current
        source: Path | np.ndarray
        if masks is not None:
            source, name = masks, masks.name
        elif layer is not None:
            source, name = mask_array(layer), layer.name
        else:
            self.say(Note("problem", "There is no mask to fit to.", "Choose a folder of masks instead."))
            return
        work = FitWork(self.context.models, self.context.field.settings(256, 256), source, name)
        self.jobs.run("Fitting to real masks", work, partial(self._fitted, name), total=STEPS)

    def _fitted(self, name: str, fitted: tuple[FieldStatistics, FieldSettings]) -> None:
        real, settings = fitted
        self.context.field.take(settings)
        self._compare(real)
        text = f"Number, size and distances are those of {name!r} now: spacing {settings.spacing}."
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
        self.new_mask(self.choices.height, self.choices.width)

    def sample_here(self) -> None:
        """Sample a field of the size at hand."""
        self.sample(self.choices.height, self.choices.width)

    def next_mask(self) -> None:
        """Take the next mask of an open folder, else that below in the layer list; after the last comes the first."""
        series = self.context.series.of(self.context.masks.current)
        if series is not None:
            self.opening.step(series, 1)
            return
        layers = self.context.masks.layers
        if not layers:
            self.say(Note("problem", "There is no mask layer.", "Make a new mask, or sample a field."))
            return
        places = [place for place, layer in enumerate(layers) if layer is self.context.masks.current]
        chosen = layers[(places[0] + 1) % len(layers) if places else 0]
        self.choose(chosen)
        self.say(Note("done", f"{chosen.name!r} is the mask to work on.", "Paint, sample or render it."))

    commands = (
        Command("new_mask", "New mask", new_as_selected),
        Command("sample", "Sample a field of objects", sample_here, "Shift+S"),
        Command("next_mask", "Next mask", next_mask, "N"),
    )

    def _compare(self, real: FieldStatistics | None, composed: FieldStatistics | None = None) -> None:
        self.real, self.composed = real, composed
        self.statistics_changed.emit()


def _name(sampled: Sampled) -> str:
    return f"{MASK_NAME}, seed {sampled.seed}"


def _placed_note(placed: int, wanted: int, name: str, library: str) -> Note:
    shapes = f", with shapes of {library!r}" if library else ""
    text = f"Placed {placed} of {wanted} nuclei in {name!r}{shapes}."
    if placed < wanted:
        return Note("done", text, f"{wanted - placed} found no place: use fewer or smaller nuclei to place them all.")
    return Note("done", text, "Next: choose a look and render it.")


def words_for(count: int, card: ModelCard | None) -> str:
    """What so many objects of a model's masks are called."""
    if card is None:
        return "object" if count == 1 else "objects"
    return card.structure if count == 1 else card.structures
