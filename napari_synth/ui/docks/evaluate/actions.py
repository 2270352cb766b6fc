"""Comparisons of synthetic with real pairs: what is chosen, running them, what they found."""

from __future__ import annotations

from collections.abc import Sequence
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
from napari_synth.ui.docks.evaluate.jobs import HelpWork, PairsWork, PictureWork, PredictionsWork, RealismWork
from napari_synth.ui.docks.evaluate.places import Place, Places, of_predictions, of_report
from napari_synth.ui.napari_bridge.pair_layers import look_at, show_pair

if TYPE_CHECKING:
    from napari.layers import Layer

    from napari_synth.core.progress import Progress
    from napari_synth.evaluation.pair_check.disagreements import Predicted
    from napari_synth.evaluation.pair_report import PairReport
    from napari_synth.evaluation.realism import RealismReport
    from napari_synth.evaluation.realism.battery import Line
    from napari_synth.evaluation.usefulness import HelpReport
    from napari_synth.evaluation.usefulness.tables import Point
    from napari_synth.ui.context.context import Context

FOLDERS = (("real", "folder of real pairs"), ("synthetic", "folder of synthetic pairs"), ("out", "report folder"))
FOLDERS_OF_PREDICTIONS = (("synthetic", "folder of synthetic pairs"), ("predictions", "folder of predictions"))


class EvaluateActions(DockActions):
    """The actions of the dock "Is it helping?".

    Attributes
    ----------
    choices : EvaluateChoices
    help, realism, pairs : report or None
        What was found last of each kind; ``newest`` of all.
    points : list of Point
        Losses of the segmenters that are trained now.
    lines : list of Line
        What is found of the looks of images now.
    places : Places
        What there is to look at, one after the other.
    """

    key = "evaluate"
    hint = Note("hint", "Choose a folder of real pairs and one of synthetic pairs, then ask.")
    found = Signal()
    """There is a new report."""
    moved = Signal()
    """There are more points of curves, or more lines."""

    def __init__(self, context: Context):
        super().__init__(context)
        self.choices = EvaluateChoices()
        self._doubts = Doubts("Does it help?")
        self.help: HelpReport | None = None
        self.realism: RealismReport | None = None
        self.pairs: PairReport | None = None
        self.newest: HelpReport | RealismReport | PairReport | None = None
        self.points: list[Point] = []
        self.lines: list[Line] = []
        self.places = Places()
        self._shown: dict[Path, list[Layer]] = {}

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
        self.points, self.lines = work.points, []

        def meanwhile() -> None:
            if work.report is not None and work.report is not self.help:
                self.help = self.newest = work.report
                self.found.emit()
            self.moved.emit()

        self.jobs.run("Training", work, self._helped, total=1, unit="updates", meanwhile=meanwhile, cancelled=_stopped)

    def ask_realism(self) -> None:
        """Compare how the images look."""
        settings = self._settings()
        if settings is None:
            return
        work = RealismWork(settings)
        self.points, self.lines = [], work.lines
        self.jobs.run(
            "Comparing", work, self._compared, total=1, unit="parts", meanwhile=self.moved.emit, cancelled=_stopped
        )

    def ask_pairs(self) -> None:
        """Look at every pair."""
        settings = self._settings()
        if settings is not None:
            self.jobs.run("Looking", PairsWork(settings), self._looked, total=1, unit="steps", cancelled=_stopped)

    def ask_predictions(self) -> None:
        """Compare masks with what another program found in the images."""
        settings = self._settings(FOLDERS_OF_PREDICTIONS)
        if settings is not None:
            work = PredictionsWork(settings["synthetic"], settings["predictions"])
            self.jobs.run("Comparing", work, self._predicted, total=1, unit="pairs", cancelled=_stopped)

    def next_place(self) -> None:
        """Show the next place where something is wrong."""
        self._step(1)

    def previous_place(self) -> None:
        """Show the place before."""
        self._step(-1)

    def open_picture(self, image: Path) -> None:
        """Show an image of either set, and its mask."""

        def shown(pixels: tuple[np.ndarray, np.ndarray | None]) -> None:
            show_pair(self.context.viewer, image.stem, *pixels)
            self.say(Note("done", f"Opened {image.name}.", "The layer is on top."))

        self.jobs.run("Opening", PictureWork(image, _mask_of(image)), shown, total=1, unit="images")

    def _take(self, places: Places) -> None:
        """Go through other places from now on; layers of the former ones stay, hidden."""
        self.places = places
        for layer in (layer for layers in self._shown.values() for layer in layers):
            layer.visible = False
        self._shown = {}

    def _step(self, by: int) -> None:
        if not len(self.places):
            self.say(Note("problem", "There is no place to show.", "Press Check pairs or Compare predictions first."))
            return
        place = self.places.step(by)
        layers = [layer for layer in self._shown.get(place.image, []) if layer in self.context.viewer.layers]

        def shown(pixels: tuple[np.ndarray, np.ndarray | None]) -> None:
            self._shown[place.image] = show_pair(self.context.viewer, place.image.stem, *pixels, place.predicted)
            self._look_at(place, self._shown[place.image])

        if layers:
            self._look_at(place, layers)
        else:
            self.jobs.run("Opening", PictureWork(place.image, _mask_of(place.image)), shown, total=1, unit="images")

    def _look_at(self, place: Place, layers: list[Layer]) -> None:
        """Hide the pairs that were shown before, and bring the place into the middle."""
        for image, others in self._shown.items():
            for layer in others:
                layer.visible = image == place.image
        look_at(self.context.viewer, layers[0], *place.point)
        text = f"{self.places.position}: {place.image.stem}, in the middle: {place.words}."
        self.say(Note("done", text, "Next goes on; blue is labelled, orange found."))

    def _settings(self, folders: Sequence[tuple[str, str]] = FOLDERS, **more: Any) -> dict[str, Any] | None:
        """The choices as arguments; None, and a message, where one of the folders is missing."""
        settings: dict[str, Any] = {}
        for name, what in folders:
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
        self._take(of_report(report))
        self.found.emit()
        self.say(Note("done", report.sentence, f"The report is {report.folder / 'report.html'}."))

    def _predicted(self, found: list[Predicted]) -> None:
        self._take(of_predictions(found))
        self.found.emit()
        bad = sum(bool(one.disagreements) for one in found)
        text = f"{len(self.places)} objects of {bad} in {len(found)} pairs are labelled or found by one side alone."
        self.say(Note("done", text, "Next shows them one after the other." if bad else "There is nothing to look at."))


def _mask_of(image: Path) -> Path | None:
    masks = image.parent.parent / "masks"
    return next((path for path in sorted(masks.glob(f"{image.stem}.*")) if path.is_file()), None)


def _stopped(reached: Progress) -> Note:
    return Note("stopped", f"Stopped at {reached.done} of {reached.total}.", "Ask again.")
