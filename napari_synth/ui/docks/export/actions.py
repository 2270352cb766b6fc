"""Export of image-label pairs: what is chosen, how many that makes, running it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from napari.layers import Labels
from psygnal import Signal

from napari_synth.core.errors import InputError, SynthError
from napari_synth.core.quantities import duration_text
from napari_synth.exporting.shard_plan import SHARDS
from napari_synth.ui.context.notes import Note
from napari_synth.ui.context.order import MASK_FIRST, NO_MASK
from napari_synth.ui.docks.dock import Command, DockActions
from napari_synth.ui.docks.doubts import Doubts
from napari_synth.ui.docks.export.jobs import ExportWork, SampledMasks
from napari_synth.ui.docks.export.rows import Row, Rows, Source
from napari_synth.ui.napari_bridge.mask_changes import MaskChanges

if TYPE_CHECKING:
    from napari_synth.core.progress import Progress
    from napari_synth.exporting.batch import ExportResult
    from napari_synth.exporting.formats.base import PixelSize
    from napari_synth.models.card import Look
    from napari_synth.ui.context.choices import ExportChoices
    from napari_synth.ui.context.context import Context
    from napari_synth.ui.context.order import RenderOrder

MANY_VARIANTS = 10
"""Images of one mask and look from which on more masks would teach more."""
SAMPLED = 30
"""Masks that are sampled instead."""


class ExportActions(DockActions):
    """The actions of the Export dock.

    Attributes
    ----------
    rows : Rows
        What can be exported.
    finished : ExportResult or None
    """

    key = "export"
    hint = Note("hint", "Choose a folder and press Export.")
    ready = Note("hint", "Press Export.")
    plan_changed = Signal()
    """Which masks are exported changed."""
    finished_changed = Signal()
    """There is an export that was finished, or none any more."""

    def __init__(self, context: Context):
        super().__init__(context)
        self.rows = Rows(context)
        self._doubts = Doubts("Export")
        self.finished: ExportResult | None = None
        self._mask_changes = MaskChanges()
        self._mask_changes.rested.connect(self._on_masks_changed)
        context.masks.current_changed.connect(self._on_other_mask)
        self._on_other_mask()
        context.masks.changed.connect(self._on_masks_changed)
        context.series.changed.connect(self._on_masks_changed)
        context.export.events.connect(self._on_headline)
        context.look.events.model.connect(self._on_headline)
        self.plan_changed.connect(self._on_headline)
        context.export.events.folder.connect(self._on_another_situation)
        for name in ("folder", "variants", "options", "sampled", "format", "kept_apart", "real", "strict"):
            getattr(context.export.events, name).connect(self._on_another_set)

    @property
    def headline(self) -> str:
        count = self.count
        return f"{count} {'pair' if count == 1 else 'pairs'} ready" if count else "nothing chosen yet"

    @property
    def next_step(self) -> Note:
        if not self.context.masks.layers:
            return MASK_FIRST
        return self.ready if self.context.export.folder else self.hint

    def close(self) -> None:
        self._mask_changes.close()
        super().close()

    def _on_other_mask(self) -> None:
        """An empty mask that is painted in can be exported."""
        self._mask_changes.watch(self.context.masks.current)

    def _on_another_set(self) -> None:
        self.context.export.rounds = 1

    def _on_headline(self) -> None:
        self.headline_changed.emit()

    @property
    def masks(self) -> int:
        """How many masks are to be exported."""
        return sum(row.count for row in self.rows.chosen())

    def include(self, source: Source, on: bool) -> None:
        """Export this mask or folder, or leave it out."""
        self.rows.include(source, on)
        self.plan_changed.emit()

    def include_look(self, name: str, on: bool) -> None:
        """Render every mask in this look, or not."""
        chosen = {*self.context.export.options, name} if on else {*self.context.export.options} - {name}
        self.context.export.options = tuple(look.name for look in self.card_looks if look.name in chosen)

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
        masks = self.masks
        images = (choices.sampled or masks * choices.variants) * choices.rounds * looks
        return images if masks else 0

    @property
    def seconds(self) -> float | None:
        """How long the pairs take, from their pixels and the last render; None before the first one."""
        rate, rows, count = self.context.seconds_per_pixel, self.rows.chosen(), self.count
        if rate is None or not count:
            return None
        rows = rows[:1] if self.context.export.sampled else rows
        return float(rate * count * sum(row.pixels * row.count for row in rows) / sum(row.count for row in rows))

    def plan(self) -> str:
        """The number of pairs, and the time they take where it is known."""
        count, seconds = self.count, self.seconds
        text = f"{count} pair" if count == 1 else f"{count} pairs"
        text += " beside real ones" if self.context.export.real and count else ""
        return text if seconds is None else f"{text}, about {duration_text(seconds)}"

    def first(self) -> str:
        """The pair that is written first, in words."""
        look, sampled = self.context.look, self.context.export.sampled
        if not self.count:
            return ""
        row = self.rows.chosen()[0]
        title = next((one.title or one.name for one in self.card_looks if one.name == (*self.looks, "")[0]), "")
        seen = (*self.looks, look.option)[0] == look.option and (look.style is None or len(self.looks) < 2)
        parts = ["a sampled mask" if sampled else repr(self.rows.first_name(row)), *([title] if title else [])]
        parts += [f"seed {look.seed}"] if look.noise and look.latent is None else []
        changed = ", with your changes inside the network" if self.context.changes.of(look.model) else ""
        same = ""
        if seen and not sampled and isinstance(row.source, Labels) and row.source is self.context.masks.current:
            same = ", the image you see" if self.context.results.of(row.source) else ", as Render shows it"
        words = f"First: {', '.join(parts)}{changed}{same}."
        unticked = next((one.title or one.name for one in self.card_looks if one.name == look.option), "")
        if not unticked or look.option in self.looks:
            return words
        return f"{words} {unticked}, which you chose under Look, is not ticked."

    def alike(self) -> str:
        """The warning that variants of few masks teach little; empty where there is none."""
        choices = self.context.export
        count = self.masks
        if choices.sampled or choices.variants * choices.rounds < MANY_VARIANTS or not count:
            return ""
        masks = "one mask" if count == 1 else f"{count} masks"
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
        context, rows, choices = self.context, self.rows.chosen(), self.context.export
        order = context.order_of(self.rows.first_name(rows[0])) if rows else NO_MASK
        problem = self._obstacle(order)
        if problem is not None or isinstance(order, Note):
            self.say(problem or NO_MASK)
            return
        try:
            size = _joint_pixel_size(rows)
        except SynthError as error:
            self.say(Note.of(error))
            return
        folder, skipped = choices.folder, self.rows.skipped()
        sampled = None
        if choices.sampled:
            height, width = rows[0].shape
            sampled = SampledMasks(context.field.settings(height, width), context.field.seed, choices.sampled)
        work = ExportWork(
            models=context.models,
            doubts=self._doubts,
            order=order,
            masks=list(self.rows.masks_of(rows)),
            sampled=sampled,
            options=self.looks,
            variants=choices.variants,
            rounds=choices.rounds,
            split=self.split,
            strict=choices.strict,
            real=Path(choices.real).expanduser() if choices.real else None,
            folder=Path(folder).expanduser(),
            format=choices.format,
            overwrite=choices.overwrite,
            pixel_size=size,
        )

        def cancelled(reached: Progress) -> Note:
            return _stopped_note(reached.done, reached.total, folder)

        def then(result: ExportResult) -> None:
            self._exported(result, [*skipped, *work.skipped], work.found)

        self.finished = None
        self.finished_changed.emit()
        self.jobs.run("Exporting", work, then, total=self.count, unit="pairs", cancelled=cancelled)

    commands = (Command("export", "Export the pairs", export, "Alt+S"),)

    def _obstacle(self, order: RenderOrder | Note) -> Note | None:
        """What keeps the export from starting."""
        choices, skipped = self.context.export, self.rows.skipped()
        if not self.rows.all():
            return NO_MASK
        if not self.masks:
            if skipped:
                return Note("problem", f"{_named(skipped)}.", "Paint or sample a mask, or choose another one.")
            return Note("problem", "No mask is chosen.", "Tick at least one mask.")
        if isinstance(order, Note):
            return order
        if not self.count:
            return Note("problem", "No look is chosen.", "Tick at least one look.")
        if not choices.folder.strip():
            return Note("problem", "No folder is chosen.", "Press Browse… and choose an empty folder.")
        in_shards = _not_in_shards(choices) if choices.format == SHARDS else None
        if in_shards is not None:
            return in_shards
        if choices.real and not self.split:
            text = "Your real pairs are there to validate and test on, but all pairs train."
            return Note("problem", text, "Move the handles of Split, or leave the real pairs out.")
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

    @property
    def card_looks(self) -> list[Look]:
        """The looks that the model has."""
        card = self.context.catalogue.card(self.context.look.model)
        return card.looks if card else []

    def _exported(self, result: ExportResult, skipped: list[tuple[str, str]], found: list[str]) -> None:
        if result.complete:
            self.finished = result
            self.finished_changed.emit()
            self.say(_complete_note(result, skipped, found))
        else:
            self.say(_stopped_note(result.written + result.kept, result.total, str(result.folder)))

    def _on_masks_changed(self) -> None:
        self.plan_changed.emit()


def _not_in_shards(choices: ExportChoices) -> Note | None:
    """What a set of shards cannot have."""
    if choices.real:
        text = "Shards hold synthetic pairs alone."
        return Note("problem", text, "Leave the real pairs out here, and validate and test on them as they are.")
    if choices.overwrite:
        return Note("problem", "An export in shards replaces no other.", "Untick replace other pairs.")
    return None


def _joint_pixel_size(rows: list[Row]) -> PixelSize:
    sizes = {row.pixel_size for row in rows}
    if len(sizes) > 1:
        raise InputError("The chosen masks have different pixel sizes.", "Export them one after another.")
    return sizes.pop()


def _stopped_note(done: int, total: int, folder: str) -> Note:
    return Note(
        "stopped",
        f"Export stopped: {done} of {total} pairs are in {folder}.",
        "They are kept. Press Export to go on where it stopped.",
    )


def _complete_note(result: ExportResult, skipped: list[tuple[str, str]], found: list[str]) -> Note:
    total, kept = result.total, result.kept
    before = f" ({kept} of them were there before)" if kept else ""
    left = f" Left out: {_named(skipped)}." if skipped else ""
    doubtful = f" {found[0]} Check… under Mask makes a cured copy." if found else ""
    lost = " ".join(entry.text for entry in result.advice)
    return Note(
        "done",
        f"{total} {'pair is' if total == 1 else 'pairs are'} in {result.folder}{before}.{left}{doubtful}",
        lost or "How to train on them is in TRAIN.md there.",
    )


def _named(skipped: list[tuple[str, str]]) -> str:
    return ", ".join(f"{name!r} {words}" for name, words in skipped)
