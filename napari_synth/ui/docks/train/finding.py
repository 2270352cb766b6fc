"""Looks in a mixed folder: found, named, merged, written as pairs to train on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from psygnal import Signal

from napari_synth.core.errors import SynthError
from napari_synth.core.files import user_path
from napari_synth.ui.context.notes import Note, problems_said
from napari_synth.ui.docks.train.choices import FindChoices
from napari_synth.ui.docks.train.jobs import FindLooksWork, FoundLooks, StripsWork, WriteLooksWork

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from napari_synth.ui.docks.train.choices import TrainChoices
    from napari_synth.ui.jobs.delivery import Jobs


class Finding:
    """Finds looks.

    Attributes
    ----------
    choices : FindChoices
    found : FoundLooks or None
    """

    changed = Signal()

    def __init__(self, train: TrainChoices, jobs: Jobs, say: Callable[[Note], object]):
        self._train, self._jobs, self._say = train, jobs, say
        self.choices = FindChoices()
        self.found: FoundLooks | None = None

    def find(self) -> None:
        """Divide the chosen folder."""
        folder = self._folder(self.choices.images, "folder of images")
        if folder is not None:
            work = FindLooksWork(folder, self.choices.count or None)
            self._jobs.run("Finding looks", work, self._show, total=2, unit="parts")

    def rename(self, number: int, name: str) -> None:
        """Give a look another name."""
        if self.found is None or name == self.found.looks.names[number]:
            return
        with problems_said(self._say):
            self.found = FoundLooks(self.found.looks.renamed(number, name), self.found.strips)
        self.changed.emit()

    def merge(self, numbers: Sequence[int]) -> None:
        """Join looks to the first of them, which keeps its name."""
        if self.found is None or len(numbers) < 2:
            self._say(Note("problem", "There is nothing to merge.", "Tick two looks or more."))
            return
        looks, (into, *others) = self.found.looks, sorted(numbers)
        for number in reversed(others):
            looks = looks.merged(number, into)
        self._jobs.run("Merging", StripsWork(looks), self._show, total=1, unit="parts")

    def write(self) -> None:
        """Write the folder that training reads, and choose it."""
        if self.found is None:
            self._say(Note("problem", "No looks were found yet.", "Choose a mixed folder and press Find looks."))
            return
        folder = self._folder(self.choices.out, "folder to write to")
        if folder is None:
            return
        looks = self.found.looks

        def written(counts: tuple[int, int]) -> None:
            images, masks = counts
            text = f"{images} images and {masks} masks of {len(looks.names)} looks are in {folder}."
            if masks == images:
                self._train.source, self._train.data = "folder", str(folder)
                self._say(Note("done", text, "Press Plan."))
            else:
                action = (
                    f"Add the {images - masks} missing masks to masks/ in the folder of each look; then train on it."
                )
                self._say(Note("done", text, action))

        self._jobs.run("Copying", WriteLooksWork(looks, folder), written, total=len(looks.files), unit="images")

    def _show(self, found: FoundLooks) -> None:
        self.found = found
        self.changed.emit()
        looks = found.looks
        left = f" {len(looks.unreadable)} could not be read." if looks.unreadable else ""
        if len(looks.names) == 1:
            text = f"The {len(looks.files)} images form no groups.{left}"
            self._say(Note("done", text, "Give a number of looks, if you see some."))
        else:
            text = f"{len(looks.files)} images form {len(looks.names)} looks.{left}"
            self._say(Note("done", text, "Name them, merge those that are one, then write the folder."))

    def _folder(self, text: str, what: str) -> Path | None:
        if not text.strip():
            self._say(Note("problem", f"No {what} is chosen.", "Press Browse… beside it."))
            return None
        try:
            return user_path(text.strip())
        except SynthError as error:
            self._say(Note.of(error))
            return None
