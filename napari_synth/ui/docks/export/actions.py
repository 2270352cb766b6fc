"""Export of image-label pairs: what is chosen, how many that makes, running it."""

from __future__ import annotations

import weakref
from pathlib import Path
from typing import TYPE_CHECKING

from psygnal import Signal

from napari_synth.core.errors import InputError, SynthError
from napari_synth.ui.context.notes import Note
from napari_synth.ui.context.order import MASK_FIRST, NO_MASK
from napari_synth.ui.docks.dock import Command, DockActions
from napari_synth.ui.docks.export.jobs import ExportWork
from napari_synth.ui.napari_bridge.mask_layers import mask_array, pixel_size

if TYPE_CHECKING:
    from napari.layers import Labels

    from napari_synth.core.progress import Progress
    from napari_synth.exporting.batch import ExportResult
    from napari_synth.exporting.formats.base import PixelSize
    from napari_synth.ui.context.context import Context
    from napari_synth.ui.context.order import RenderOrder


class ExportActions(DockActions):
    """The actions of the Export dock."""

    key = "export"
    hint = Note("hint", "Choose a folder and press Export.")
    plan_changed = Signal()
    """Which masks are exported changed."""

    def __init__(self, context: Context):
        super().__init__(context)
        self._left_out: weakref.WeakSet[Labels] = weakref.WeakSet()
        context.masks.changed.connect(self._on_masks_changed)
        context.export.events.connect(self._on_headline)
        context.look.events.model.connect(self._on_headline)
        self.plan_changed.connect(self._on_headline)

    @property
    def headline(self) -> str:
        count = self.count
        return f"{count} {'pair' if count == 1 else 'pairs'} ready" if count else "nothing chosen yet"

    @property
    def next_step(self) -> Note:
        return self.hint if self.context.masks.layers else MASK_FIRST

    def _on_headline(self) -> None:
        self.headline_changed.emit()

    @property
    def masks(self) -> list[Labels]:
        """The masks to export."""
        return [layer for layer in self.context.masks.layers if layer not in self._left_out]

    def include(self, layer: Labels, on: bool) -> None:
        """Export this mask or leave it out."""
        if on:
            self._left_out.discard(layer)
        else:
            self._left_out.add(layer)
        self.plan_changed.emit()

    @property
    def count(self) -> int:
        """Pairs the present choices make."""
        choices = self.context.export
        looks = len(choices.options) if self.context.catalogue.options(self.context.look.model) else 1
        return len(self.masks) * looks * choices.variants

    def plan(self) -> str:
        """The number of pairs, and the time they take where it is known."""
        count, each = self.count, self.context.milliseconds
        text = f"{count} pair" if count == 1 else f"{count} pairs"
        if not count or each is None:
            return text
        seconds = count * each / 1000
        return f"{text}, about {seconds / 60:.0f} min" if seconds > 90 else f"{text}, about {max(seconds, 1):.0f} s"

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
        folder = choices.folder
        work = ExportWork(
            models=context.models,
            order=order,
            masks=[(layer.name, mask_array(layer)) for layer in masks],
            options=choices.options,
            variants=choices.variants,
            folder=Path(folder).expanduser(),
            format=choices.format,
            overwrite=choices.overwrite,
            pixel_size=size,
        )

        def cancelled(reached: Progress) -> Note:
            return _stopped_note(reached.done, reached.total, folder)

        self.jobs.run("Exporting", work, self._exported, total=self.count, unit="pairs", cancelled=cancelled)

    commands = (Command("export", "Export the pairs", export, "Alt+S"),)

    def _obstacle(self, order: RenderOrder | Note) -> Note | None:
        """What keeps the export from starting."""
        context, choices = self.context, self.context.export
        if not context.masks.layers:
            return NO_MASK
        if not self.masks:
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

    def _exported(self, result: ExportResult) -> None:
        if result.complete:
            self.say(_complete_note(result.total, result.kept, result.folder))
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


def _complete_note(total: int, kept: int, folder: Path) -> Note:
    before = f" ({kept} of them were there before)" if kept else ""
    return Note(
        "done",
        f"{total} {'pair is' if total == 1 else 'pairs are'} in {folder}{before}.",
        "Images and masks share names.",
    )
