"""Comparisons of synthetic with real pairs: what is chosen, running them, what they found."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from psygnal import Signal

from napari_synth.core.errors import SynthError
from napari_synth.core.files import user_path
from napari_synth.ui.context.notes import Note
from napari_synth.ui.docks.dock import DockActions
from napari_synth.ui.docks.doubts import Doubts
from napari_synth.ui.docks.evaluate.choices import EvaluateChoices
from napari_synth.ui.docks.evaluate.jobs import HelpWork, PairsWork, PictureWork, RealismWork
from napari_synth.ui.napari_bridge.pair_layers import show_pair

if TYPE_CHECKING:
    from napari_synth.core.progress import Progress
    from napari_synth.evaluation.pair_report import PairReport
    from napari_synth.evaluation.realism import RealismReport
    from napari_synth.evaluation.usefulness import HelpReport
    from napari_synth.evaluation.usefulness.tables import Point
    from napari_synth.ui.context.context import Context

FOLDERS = (("real", "folder of real pairs"), ("synthetic", "folder of synthetic pairs"), ("out", "report folder"))


class EvaluateActions(DockActions):
    """The actions of the dock "Is it helping?".

    Attributes
    ----------
    choices : EvaluateChoices
    help, realism, pairs : report or None
        What was found last of each kind; ``newest`` of all.
    points : list of Point
        Losses of the segmenters that are trained now.
    """

    key = "evaluate"
    hint = Note("hint", "Choose a folder of real pairs and one of synthetic pairs, then ask.")
    found = Signal()
    """There is a new report."""
    moved = Signal()
    """The curves went on."""

    def __init__(self, context: Context):
        super().__init__(context)
        self.choices = EvaluateChoices()
        self._doubts = Doubts("Does it help?")
        self.help: HelpReport | None = None
        self.realism: RealismReport | None = None
        self.pairs: PairReport | None = None
        self.newest: HelpReport | RealismReport | PairReport | None = None
        self.points: list[Point] = []

    @property
    def next_step(self) -> Note:
        """What was said last: masks and models in the window change nothing here."""
        return self.note if self.note.text else self.hint

    def ask_help(self) -> None:
        """Train segmenters with and without synthetic pairs, or go on with that."""
        settings = self._settings(budget=self.choices.budget)
        if settings is None:
            return
        work = HelpWork(self._doubts, settings)
        self.points = work.points

        def meanwhile() -> None:
            if work.report is not None and work.report is not self.help:
                self.help = self.newest = work.report
                self.found.emit()
            self.moved.emit()

        self.jobs.run("Training", work, self._helped, total=1, unit="updates", meanwhile=meanwhile, cancelled=_stopped)

    def ask_realism(self) -> None:
        """Compare how the images look."""
        settings = self._settings()
        if settings is not None:
            self.jobs.run("Comparing", RealismWork(settings), self._compared, total=1, unit="parts", cancelled=_stopped)

    def ask_pairs(self) -> None:
        """Look at every pair."""
        settings = self._settings()
        if settings is not None:
            self.jobs.run("Looking", PairsWork(settings), self._looked, total=1, unit="steps", cancelled=_stopped)

    def open_picture(self, image: Path) -> None:
        """Show an image of either set, and its mask."""
        masks = image.parent.parent / "masks"
        mask = next((path for path in sorted(masks.glob(f"{image.stem}.*")) if path.is_file()), None)

        def shown(pixels: tuple[np.ndarray, np.ndarray | None]) -> None:
            show_pair(self.context.viewer, image.stem, *pixels)
            self.say(Note("done", f"Opened {image.name}.", "The layer is on top."))

        self.jobs.run("Opening", PictureWork(image, mask), shown, total=1, unit="images")

    def _settings(self, **more: Any) -> dict[str, Any] | None:
        """The choices as arguments; None, and a message, where one is missing."""
        settings: dict[str, Any] = {}
        for name, what in FOLDERS:
            text = getattr(self.choices, name).strip()
            if not text:
                self.say(Note("problem", f"No {what} is chosen.", "Press Browse… beside it."))
                return None
            try:
                settings[name] = user_path(text)
            except SynthError as error:
                self.say(Note.of(error))
                return None
        device = self.context.look.device
        return settings | {
            "groups": self.choices.groups,
            "overwrite": self.choices.overwrite,
            "device": device,
            **more,
        }

    def _helped(self, report: HelpReport) -> None:
        self.help = self.newest = report
        self.found.emit()
        if report.complete:
            self.say(Note("done", report.sentence, f"The report is {report.folder / 'report.html'}."))
        else:
            self.say(
                Note(
                    "stopped",
                    f"Stopped after {report.finished} of {report.planned} trainings, which are kept. {report.sentence}",
                    "Ask again to go on.",
                )
            )

    def _compared(self, report: RealismReport) -> None:
        self.realism = self.newest = report
        self.found.emit()
        self.say(Note("done", report.sentence, f"The report is {report.folder / 'report.html'}."))

    def _looked(self, report: PairReport) -> None:
        self.pairs = self.newest = report
        self.found.emit()
        self.say(Note("done", report.sentence, f"The report is {report.folder / 'report.html'}."))


def _stopped(reached: Progress) -> Note:
    return Note("stopped", f"Stopped at {reached.done} of {reached.total}.", "Ask again.")
