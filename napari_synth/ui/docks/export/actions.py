"""Export of image-label pairs: what is chosen, how many that makes, running it."""

from __future__ import annotations

import weakref
from pathlib import Path
from typing import TYPE_CHECKING

from psygnal import Signal

from napari_synth.core.errors import Cancelled, InputError, SynthError
from napari_synth.ui.context.choices import Note
from napari_synth.ui.docks.jobs import ExportWork
from napari_synth.ui.docks.synthesize.actions import NO_IMAGE, NO_MASK, NO_MODEL
from napari_synth.ui.jobs.lanes import Lane
from napari_synth.ui.napari_bridge.image_layers import image_array
from napari_synth.ui.napari_bridge.mask_layers import mask_array, pixel_size

if TYPE_CHECKING:
    from napari.layers import Labels

    from napari_synth.exporting.formats.base import PixelSize
    from napari_synth.ui.jobs.lanes import Outcome
    from napari_synth.ui.session import Session


class Exporting:
    """The actions of the Export dock."""

    plan_changed = Signal()
    """Which masks are exported changed."""

    def __init__(self, session: Session):
        self._session = session
        self.lane = Lane()
        self._left_out: weakref.WeakSet[Labels] = weakref.WeakSet()
        session.masks.changed.connect(self._on_masks_changed)

    @property
    def masks(self) -> list[Labels]:
        """The masks to export."""
        return [layer for layer in self._session.masks.layers if layer not in self._left_out]

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
        choices = self._session.export
        looks = len(choices.options) if self._session.catalogue.options(self._session.look.model) else 1
        return len(self.masks) * looks * choices.variants

    def plan(self) -> str:
        """The number of pairs, and the time they take where it is known."""
        count = self.count
        text = f"{count} pair" if count == 1 else f"{count} pairs"
        each = self._session.rendering.milliseconds
        if not count or each is None:
            return text
        seconds = count * each / 1000
        return f"{text}, about {seconds / 60:.0f} min" if seconds > 90 else f"{text}, about {max(seconds, 1):.0f} s"

    def export(self) -> None:
        """Export the pairs, or go on with an export that was stopped."""
        session = self._session
        problem = self._obstacle()
        if problem is not None:
            session.notes.export = problem
            return
        choices, look, masks = session.export, session.look, self.masks
        image = session.images.current if session.catalogue.condition(look.model) else None
        try:
            size = self._joint_pixel_size(masks)
        except SynthError as error:
            session.notes.export = Note.of(error)
            return
        work = ExportWork(
            shelf=session.shelf,
            masks=[(layer.name, mask_array(layer)) for layer in masks],
            model=look.model,
            options=list(choices.options),
            variants=choices.variants,
            seed=look.used_seed,
            device=look.device,
            folder=Path(choices.folder).expanduser(),
            format=choices.format,
            overwrite=choices.overwrite,
            pixel_size=size,
            interventions=session.changes.of(look.model),
            condition=(image.name, image_array(image)) if image is not None else None,
            precision=look.precision,
        )
        self.lane.submit("Exporting", work, self._exported, total=self.count, unit="pairs")

    def _obstacle(self) -> Note | None:
        """What keeps the export from starting."""
        session = self._session
        choices = session.export
        if not session.masks.layers:
            return NO_MASK
        if not session.look.model:
            return NO_MODEL
        if session.catalogue.condition(session.look.model) and session.images.current is None:
            return NO_IMAGE
        if not self.masks:
            return Note("problem", "No mask is chosen.", "Tick at least one mask.")
        if not self.count:
            return Note("problem", "No look is chosen.", "Tick at least one look.")
        if not choices.folder.strip():
            return Note("problem", "No folder is chosen.", "Press Browse… and choose an empty folder.")
        if choices.variants > 1 and session.catalogue.condition(session.look.model):
            return Note(
                "problem",
                "This model has no noise, so all variants of a mask are the same image.",
                "Set the variants to 1, and make more masks: From label maps… in the Masks panel.",
            )
        if choices.variants > 1 and session.look.used_seed is None:
            return Note(
                "problem",
                "Without noise all variants of a mask are the same image.",
                "Set the variants to 1, or switch the noise on in the Synthesize panel.",
            )
        return None

    def _joint_pixel_size(self, masks: list[Labels]) -> PixelSize:
        sizes = {pixel_size(layer) for layer in masks}
        if len(sizes) > 1:
            raise InputError("The chosen masks have different pixel sizes.", "Export them one after another.")
        return sizes.pop()

    def _exported(self, outcome: Outcome) -> None:
        session = self._session
        if session.closed:
            return
        folder, reached = session.export.folder, outcome.reached
        if isinstance(outcome.error, Cancelled):
            session.notes.export = _stopped_note(reached.done, reached.total, folder)
        elif outcome.error is not None:
            session.notes.export = Note.of(outcome.error, outcome.details)
        elif not outcome.result.complete:
            done = outcome.result.written + outcome.result.kept
            session.notes.export = _stopped_note(done, outcome.result.total, str(outcome.result.folder))
        else:
            session.notes.export = _complete_note(outcome.result.total, outcome.result.kept, outcome.result.folder)

    def _on_masks_changed(self) -> None:
        self.plan_changed.emit()


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
