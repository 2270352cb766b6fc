"""Masks: new ones, sampled fields, clearing."""

from __future__ import annotations

import weakref
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from psygnal import Signal

from napari_synth.core.errors import SynthError
from napari_synth.core.recipe import FieldSettings
from napari_synth.core.seeds import random_seed
from napari_synth.masks.presets import preset
from napari_synth.masks.samplers import SAMPLERS
from napari_synth.ui.context.choices import Note
from napari_synth.ui.docks.jobs import STEPS, FieldWork, FitWork, RecombineWork
from napari_synth.ui.jobs.lanes import Lane
from napari_synth.ui.napari_bridge.mask_layers import (
    add_mask,
    clear_labels,
    density_values,
    placement,
    put_field,
    replace_labels,
)
from napari_synth.ui.napari_bridge.nucleus_table import NucleusTables

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari.layers import Labels

    from napari_synth.masks.statistics import FieldStatistics
    from napari_synth.ui.jobs.lanes import Outcome
    from napari_synth.ui.session import Session

MASK_NAME = "nuclei"
COMBINED_NAME = "label map"
PRESET_NOTES = {
    "": "The number of nuclei goes with the area of the mask again, as at the start.",
    "thesis": "As in Sirinaovakul 2018: 46 ± 7 nuclei on 350², a number that goes with the side, not the area.",
}


class Masking:
    """The actions of the Masks dock."""

    density_changed = Signal()
    statistics_changed = Signal()

    def __init__(self, session: Session):
        self._session = session
        self.lane = Lane()
        self._tables = NucleusTables()
        self._density: Any = None
        self.real: FieldStatistics | None = None
        """What the field was fitted to."""
        self.composed: FieldStatistics | None = None
        """The field that was sampled last since then."""

    def new_mask(self, height: int, width: int) -> Labels:
        """Add an empty mask; one of the size of the selected image lies where that image lies."""
        viewer = self._session.viewer
        canvas = self._session.masks.selected_canvas
        place = canvas[1] if canvas and canvas[0] == (height, width) else None
        layer = add_mask(viewer, (height, width), MASK_NAME, place)
        self._session.notes.masks = Note(
            "done",
            f"Made {layer.name!r}, {width}×{height} pixels.",
            "Paint nuclei (M: number of the next nucleus), or sample a field.",
        )
        return layer

    def roll_seed(self) -> None:
        """Another field, please."""
        self._session.field.seed = random_seed()

    def sample(self, height: int, width: int) -> None:
        """Fill the current mask with sampled nuclei, or a new mask of this size where there is none."""
        session = self._session
        layer = session.masks.current
        if layer is not None and layer.data.ndim == 2:
            height, width = (int(side) for side in layer.data.shape)
        elif layer is not None:
            session.notes.masks = Note(
                "problem",
                f"The layer {layer.name!r} has {layer.data.ndim} dimensions, but a 2-D mask is needed.",
                "Choose another mask, or make a new one.",
            )
            return
        try:
            settings = session.field.settings(height, width)
        except ValueError:
            session.notes.masks = Note(
                "problem", f"A field of {width}×{height} pixels cannot be sampled.", "Use sides of 16 to 8192 pixels."
            )
            return
        work = FieldWork(
            session.shelf, settings, session.field.seed, self.density((height, width)), measured=self.real is not None
        )
        library = session.studio.library_name if SAMPLERS[settings.sampler].needs_library else ""
        done = partial(self._sampled, weakref.ref(layer) if layer is not None else None, library)
        self.lane.submit("Sampling a field", work, done, total=STEPS)

    def recombine(self, paths: list[str], variants: int, height: int, width: int) -> None:
        """Add masks made of real label maps, of the size of the current mask or else of this one."""
        session = self._session
        layer = session.masks.current
        if layer is not None and layer.data.ndim == 2:
            height, width = (int(side) for side in layer.data.shape)
        work = RecombineWork(paths, height, width, variants, session.field.seed)
        place = placement(layer) if layer is not None and layer.data.ndim == 2 else None
        self.lane.submit("Combining label maps", work, partial(self._recombined, place), total=variants, unit="masks")

    def _recombined(self, place: dict[str, Any] | None, outcome: Outcome) -> None:
        session = self._session
        if not session.arrived(outcome, self._say):
            return
        for number, labels in enumerate(outcome.result, start=1):
            layer = add_mask(session.viewer, labels.shape, f"{COMBINED_NAME} {number}", place)
            replace_labels(layer, labels)
            layer.selected_label = int(labels.max()) + 1
        count = len(outcome.result)
        session.notes.masks = Note(
            "done",
            f"Made {count} {'mask' if count == 1 else 'masks'} of real label maps.",
            "Press Render, or roll the dice for others.",
        )

    def _say(self, note: Note) -> None:
        self._session.notes.masks = note

    def clear(self) -> None:
        """Empty the current mask."""
        session = self._session
        layer = session.masks.current
        if layer is None:
            session.notes.masks = Note("problem", "There is no mask layer to clear.", "Make a new mask first.")
            return
        try:
            self.edit(layer, clear_labels)
        except SynthError as error:
            session.notes.masks = Note.of(error)
            return
        session.notes.masks = Note("done", f"Cleared {layer.name!r}.", "Ctrl+Z brings the nuclei back.")

    def edit(self, layer: Labels, edit: Callable[[Labels], None]) -> None:
        """Change a mask so that its table comes back with its nuclei on undo."""
        self._tables.remember(layer)
        edit(layer)
        self._tables.remember(layer)

    def follow_density(self, layer: Any) -> None:
        """Let nuclei lie where a 2-D layer, painted or an image, has high values; None: everywhere alike."""
        self._density = None if layer is None else weakref.ref(layer)
        self.density_changed.emit()
        if layer is not None:
            text = f"Nuclei will lie where {layer.name!r} has high values."
            self._session.notes.masks = Note("done", text, "Sample a field.")

    @property
    def density_layer(self) -> Any:
        """The layer nuclei follow, while it is in the viewer."""
        layer = self._density() if self._density else None
        return layer if layer is not None and self._session.masks.holds(layer) else None

    def density(self, shape: tuple[int, int]) -> np.ndarray | None:
        """The numbers of that layer for a canvas of this size; None where there is none of that size."""
        layer = self.density_layer
        values = None if layer is None else density_values(layer)
        return values if values is not None and values.shape == tuple(shape) else None

    def densities(self) -> list[Any]:
        """The layers of the size of the current mask that nuclei could follow."""
        mask = self._session.masks.current
        if mask is None:
            return []
        layers = (layer for layer in self._session.viewer.layers if layer is not mask)
        found = [(layer, density_values(layer)) for layer in layers]
        return [layer for layer, values in found if values is not None and values.shape == mask.data.shape]

    def fit(self, masks: Path | None = None) -> None:
        """Fit the field to a folder of real masks, or to the current mask."""
        session = self._session
        layer = session.masks.current
        if masks is None and layer is None:
            session.notes.masks = Note("problem", "There is no mask to fit to.", "Choose a folder of masks instead.")
            return
        source: Any = masks if masks is not None else np.array(layer.data)  # type: ignore[union-attr]
        name = masks.name if masks is not None else layer.name  # type: ignore[union-attr]
        work = FitWork(session.shelf, session.field.settings(256, 256), source, name)
        self.lane.submit("Fitting to real masks", work, partial(self._fitted, name), total=STEPS)

    def _fitted(self, name: str, outcome: Outcome) -> None:
        session = self._session
        if not session.arrived(outcome, self._say):
            return
        real, settings = outcome.result
        session.field.take(settings)
        self._compare(real)
        text = f"Fitted to {name!r}: spacing {settings.spacing}."
        session.notes.masks = Note("done", text, "Sample a field; the table then shows it beside the real masks.")

    def forget_fit(self) -> None:
        """Number and size follow the boxes again."""
        field = self._session.field
        with field.events.paused():
            field.base, field.preset = None, ""
            field.count_law = "normal" if field.count_law == "measured" else field.count_law
            field.area_law = "normal"
        self._compare(None)

    def use_preset(self, name: str) -> None:
        """Take all numbers of a preset, or with an empty name those the program starts with."""
        field = self._session.field
        field.take(preset(name) if name else FieldSettings(), name)
        if not name:
            field.base = None
        self._compare(None)
        self._say(Note("done", PRESET_NOTES[name], "Sample a field, or change single numbers."))

    def _compare(self, real: FieldStatistics | None, composed: FieldStatistics | None = None) -> None:
        self.real, self.composed = real, composed
        self.statistics_changed.emit()

    def _sampled(self, target: Any, library: str, outcome: Outcome) -> None:
        session = self._session
        if not session.arrived(outcome, self._say):
            return
        field = outcome.result.field
        layer = target() if target else add_mask(session.viewer, field.labels.shape, MASK_NAME)
        if layer is None or not session.masks.holds(layer):
            session.notes.masks = Note(
                "stopped", "The mask layer was deleted while its field was sampled.", "Choose a mask and sample again."
            )
            return
        try:
            self.edit(layer, partial(put_field, field=field))
        except SynthError as error:
            session.notes.masks = Note.of(error)
            return
        if outcome.result.statistics is not None and self.real is not None:
            self._compare(self.real, outcome.result.statistics)
        session.notes.masks = _placed_note(field.placed, field.wanted, layer.name, library)


def _placed_note(placed: int, wanted: int, name: str, library: str) -> Note:
    shapes = f", with shapes of {library!r}" if library else ""
    text = f"Placed {placed} of {wanted} nuclei in {name!r}{shapes}."
    if placed < wanted:
        return Note("done", text, f"{wanted - placed} found no place: use fewer or smaller nuclei to place them all.")
    return Note("done", text, "Next: press Render. Ctrl+Z takes the field back.")
