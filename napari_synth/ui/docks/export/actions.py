"""Export of image-label pairs: what is chosen, how many that makes, running it."""

from __future__ import annotations

import math
import weakref
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from psygnal import Signal

from napari_synth.core.errors import InputError, SynthError
from napari_synth.core.quantities import duration_text
from napari_synth.ui.context.notes import Note
from napari_synth.ui.context.order import MASK_FIRST, NO_MASK
from napari_synth.ui.docks.dock import Command, DockActions
from napari_synth.ui.docks.doubts import Doubts
from napari_synth.ui.docks.export.jobs import ExportWork, SampledMasks
from napari_synth.ui.napari_bridge.mask_layers import mask_array, pixel_size

if TYPE_CHECKING:
    from napari.layers import Labels

    from napari_synth.core.progress import Progress
    from napari_synth.exporting.batch import ExportResult
    from napari_synth.exporting.formats.base import PixelSize
    from napari_synth.models.card import Look
    from napari_synth.ui.context.context import Context
    from napari_synth.ui.context.order import RenderOrder

MANY_VARIANTS = 10
"""Images of one mask and look from which on more masks would teach more."""
SAMPLED = 30
"""Masks that are sampled instead."""


class ExportActions(DockActions):
    """The actions of the Export dock."""

    key = "export"
    hint = Note("hint", "Choose a folder and press Export.")
    plan_changed = Signal()
    """Which masks are exported changed."""
    finished_changed = Signal()
    """There is an export that was finished, or none any more."""

    def __init__(self, context: Context):
        super().__init__(context)
        self._left_out: weakref.WeakSet[Labels] = weakref.WeakSet()
        self._doubts = Doubts("Export")
        self.finished: ExportResult | None = None
        context.masks.changed.connect(self._on_masks_changed)
        context.export.events.connect(self._on_headline)
        context.look.events.model.connect(self._on_headline)
        self.plan_changed.connect(self._on_headline)
        for name in ("folder", "variants", "options", "sampled", "format", "kept_apart"):
            getattr(context.export.events, name).connect(self._on_another_set)

    @property
    def headline(self) -> str:
        count = self.count
        return f"{count} {'pair' if count == 1 else 'pairs'} ready" if count else "nothing chosen yet"

    @property
    def next_step(self) -> Note:
        return self.hint if self.context.masks.layers else MASK_FIRST

    def _on_another_set(self) -> None:
        self.context.export.rounds = 1

    def _on_headline(self) -> None:
        self.headline_changed.emit()

    @property
    def masks(self) -> list[Labels]:
        """The masks to export, that which is being worked on first: its image is the one that is seen."""
        chosen = [layer for layer in self.context.masks.layers if layer not in self._left_out and not self.fault(layer)]
        current = self.context.masks.current
        return sorted(chosen, key=lambda layer: layer is not current)

    @property
    def skipped(self) -> list[tuple[str, str]]:
        """Name and fault of the masks that cannot be exported and are left out."""
        layers = [layer for layer in self.context.masks.layers if layer not in self._left_out]
        return [(layer.name, self.fault(layer)) for layer in layers if self.fault(layer)]

    def fault(self, layer: Labels) -> str:
        """Why a mask cannot be exported, as a sentence goes on; empty where it can."""
        if layer.ndim != 2:
            return "is a stack of planes"
        card = self.context.catalogue.card(self.context.look.model)
        may_be_empty = card is not None and bool(card.condition_channels)
        return "" if may_be_empty or np.any(layer.data) else "is empty"

    def include(self, layer: Labels, on: bool) -> None:
        """Export this mask or leave it out."""
        if on:
            self._left_out.discard(layer)
        else:
            self._left_out.add(layer)
        self.plan_changed.emit()

    @property
    def looks(self) -> tuple[str, ...]:
        """The looks to export, that which is seen first."""
        chosen = self.context.look.option
        return tuple(sorted(self.context.export.options, key=lambda option: option != chosen))

    @property
    def count(self) -> int:
        """Pairs the present choices make."""
        choices = self.context.export
        looks = len(choices.options) if self.context.catalogue.options(self.context.look.model) else 1
        masks = (
            choices.sampled * choices.rounds if choices.sampled else len(self.masks) * choices.variants * choices.rounds
        )
        return masks * looks if self.masks else 0

    @property
    def seconds(self) -> float | None:
        """How long the pairs take, from their pixels and the last render; None before the first one."""
        rate, masks, count = self.context.seconds_per_pixel, self.masks, self.count
        if rate is None or not count:
            return None
        sizes = [math.prod(layer.data.shape[-2:]) for layer in (masks[:1] if self.context.export.sampled else masks)]
        return float(rate * count * sum(sizes) / len(sizes))

    def plan(self) -> str:
        """The number of pairs, and the time they take where it is known."""
        count, seconds = self.count, self.seconds
        text = f"{count} pair" if count == 1 else f"{count} pairs"
        return text if seconds is None else f"{text}, about {duration_text(seconds)}"

    def first(self) -> str:
        """The pair that is written first, in words."""
        masks, look, sampled = self.masks, self.context.look, self.context.export.sampled
        if not self.count:
            return ""
        title = next((one.title or one.name for one in self._card_looks() if one.name == (*self.looks, "")[0]), "")
        seen = (*self.looks, look.option)[0] == look.option and (look.style is None or len(self.looks) < 2)
        parts = ["a sampled mask" if sampled else f"'{masks[0].name}'", *([title] if title else [])]
        parts += [f"seed {look.seed}"] if look.noise and look.latent is None else []
        changed = ", with your changes inside the network" if self.context.changes.of(look.model) else ""
        return f"First: {', '.join(parts)}{changed}{', the image you see' if seen and not sampled else ''}."

    def alike(self) -> str:
        """The warning that variants of few masks teach little; empty where there is none."""
        choices = self.context.export
        if choices.sampled or choices.variants * choices.rounds < MANY_VARIANTS or not self.masks:
            return ""
        masks = "one mask" if len(self.masks) == 1 else f"{len(self.masks)} masks"
        return f"Variants of {masks} differ in noise and style alone: the nuclei are the same in all of them."

    def sample_instead(self) -> None:
        """Sample masks like those of the Mask panel in place of variants of a few."""
        choices = self.context.export
        with choices.events.paused():
            choices.sampled, choices.variants, choices.rounds = SAMPLED, 1, 1
        self.plan_changed.emit()

    def use_layers(self) -> None:
        """Export the masks in layers again."""
        self.context.export.sampled = 0

    def add_more(self) -> None:
        """Continue the set that was exported by as many pairs again."""
        self.context.export.rounds += 1
        self.export()

    @property
    def split(self) -> str:
        """Shares of train, val and test; empty where all train."""
        train, test = self.context.export.kept_apart
        return "" if train >= 100 else f"{train}/{test - train}/{100 - test}"

    def export(self) -> None:
        """Export the pairs, or go on with an export that was stopped."""
        context, masks, choices = self.context, self.masks, self.context.export
        order = context.order(next(iter(masks), None)) if context.masks.layers else NO_MASK
        problem = self._obstacle(order)
        if problem is not None or isinstance(order, Note):
            self.say(problem or NO_MASK)
            return
        try:
            size = _joint_pixel_size(masks)
        except SynthError as error:
            self.say(Note.of(error))
            return
        folder, skipped = choices.folder, self.skipped
        sampled = None
        if choices.sampled:
            height, width = masks[0].data.shape
            sampled = SampledMasks(context.field.settings(height, width), context.field.seed, choices.sampled)
        work = ExportWork(
            models=context.models,
            doubts=self._doubts,
            order=order,
            masks=[(layer.name, mask_array(layer)) for layer in masks],
            sampled=sampled,
            options=self.looks,
            variants=choices.variants,
            rounds=choices.rounds,
            split=self.split,
            folder=Path(folder).expanduser(),
            format=choices.format,
            overwrite=choices.overwrite,
            pixel_size=size,
        )

        def cancelled(reached: Progress) -> Note:
            return _stopped_note(reached.done, reached.total, folder)

        def then(result: ExportResult) -> None:
            self._exported(result, skipped)

        self.finished = None
        self.finished_changed.emit()
        self.jobs.run("Exporting", work, then, total=self.count, unit="pairs", cancelled=cancelled)

    commands = (Command("export", "Export the pairs", export, "Alt+S"),)

    def _obstacle(self, order: RenderOrder | Note) -> Note | None:
        """What keeps the export from starting."""
        context, choices = self.context, self.context.export
        if not context.masks.layers:
            return NO_MASK
        if not self.masks:
            if self.skipped:
                return Note("problem", f"{_named(self.skipped)}.", "Paint or sample a mask, or choose another one.")
            return Note("problem", "No mask is chosen.", "Tick at least one mask.")
        if isinstance(order, Note):
            return order
        if not self.count:
            return Note("problem", "No look is chosen.", "Tick at least one look.")
        if not choices.folder.strip():
            return Note("problem", "No folder is chosen.", "Press Browse… and choose an empty folder.")
        if choices.variants > 1 and order.condition is not None:
            return Note(
                "problem",
                "This model has no noise, so all variants of a mask are the same image.",
                "Set the variants to 1, and make more masks: New masks from real ones… under Mask.",
            )
        if choices.variants > 1 and order.seed is None:
            return Note(
                "problem",
                "Without noise all variants of a mask are the same image.",
                "Set the variants to 1, or switch the noise on under Look.",
            )
        if choices.variants > 1 and order.latent is not None:
            return Note(
                "problem",
                "With a latent vector chosen in Inspect all variants of a mask are the same image.",
                "Set the variants to 1, or press Use the seed under Look.",
            )
        return None

    def _card_looks(self) -> list[Look]:
        card = self.context.catalogue.card(self.context.look.model)
        return card.looks if card else []

    def _exported(self, result: ExportResult, skipped: list[tuple[str, str]]) -> None:
        if result.complete:
            self.finished = result
            self.finished_changed.emit()
            self.say(_complete_note(result, skipped))
        else:
            self.say(_stopped_note(result.written + result.kept, result.total, str(result.folder)))

    def _on_masks_changed(self) -> None:
        self.plan_changed.emit()


def _joint_pixel_size(masks: list[Labels]) -> PixelSize:
    sizes = {pixel_size(layer) for layer in masks}
    if len(sizes) > 1:
        raise InputError("The chosen masks have different pixel sizes.", "Export them one after another.")
    return sizes.pop()


def _stopped_note(done: int, total: int, folder: str) -> Note:
    return Note(
        "stopped",
        f"Export stopped: {done} of {total} pairs are in {folder}.",
        "They are kept. Press Export to go on where it stopped.",
    )


def _complete_note(result: ExportResult, skipped: list[tuple[str, str]]) -> Note:
    total, kept = result.total, result.kept
    before = f" ({kept} of them were there before)" if kept else ""
    left = f" Left out: {_named(skipped)}." if skipped else ""
    lost = " ".join(entry.text for entry in result.advice)
    return Note(
        "done",
        f"{total} {'pair is' if total == 1 else 'pairs are'} in {result.folder}{before}.{left}",
        lost or "How to train on them is in TRAIN.md there.",
    )


def _named(skipped: list[tuple[str, str]]) -> str:
    return ", ".join(f"{name!r} {words}" for name, words in skipped)
