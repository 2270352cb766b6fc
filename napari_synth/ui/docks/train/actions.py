"""A look of one's own: what is chosen, planning, starting and following its training."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from psygnal import Signal

from napari_synth.core.errors import InputError
from napari_synth.core.files import user_path
from napari_synth.core.names import checked_name
from napari_synth.core.user_settings import documents_folder
from napari_synth.training.fine_tune.request import FineTuneRequest, can_be_fine_tuned
from napari_synth.ui.context.notes import Note, problems_said
from napari_synth.ui.docks.dock import Command, DockActions
from napari_synth.ui.docks.doubts import Doubts
from napari_synth.ui.docks.train.choices import TrainChoices
from napari_synth.ui.docks.train.finding import Finding
from napari_synth.ui.docks.train.jobs import Following, Given, GoOnWork, Planned, PlanWork, ReadRunWork, StartWork
from napari_synth.ui.docks.train.watching import Watching
from napari_synth.ui.napari_bridge.closing import ask_before_close
from napari_synth.ui.napari_bridge.dialogs import ask_choice
from napari_synth.ui.napari_bridge.layer_pairs import layer_pairs, matched

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_synth.ui.context.context import Context
    from napari_synth.ui.docks.train.run_state import Run
    from napari_synth.ui.napari_bridge.layer_pairs import LayerPair

KEPT = ("source", "data", "name", "start", "start_look", "minutes", "unlabelled", "folder", "run")
SUFFIX = ".safetensors"
TOO_EARLY = "Only style and norms were trained by then: it may look worse than what it started from."
GOES_ON = "It goes on without this window, too: open My look again to see it."


class TrainActions(DockActions):
    """The actions of the dock "My look".

    Attributes
    ----------
    choices : TrainChoices
    settings : dict
        Overrides of single settings of the training, beside those that are chosen.
    planned : Planned or None
        Of the last plan.
    watching : Watching
        The training that is shown.
    finding : Finding
        Looks in a mixed folder.
    """

    key = "train"
    hint = Note(
        "hint",
        "Choose three to ten of your images with their masks, name your look, and press Plan.",
        "It takes about a quarter of an hour.",
    )
    planned_changed = Signal()
    pairs_changed = Signal()
    """Other layers are pairs now."""

    def __init__(self, context: Context):
        super().__init__(context)
        self.choices = TrainChoices(folder=str(documents_folder() / "napari-synth"))
        context.remembered.keep(self.key, self.choices, KEPT)
        self.settings: dict[str, Any] = {}
        self.planned: Planned | None = None
        self._doubts = Doubts("Start")
        self.watching = Watching()
        self.watching.ended.connect(self._on_end)
        self.finding = Finding(self.choices, self.jobs, self.say)
        self.choices.events.connect(self._outdate_plan)
        for signal in (context.masks.changed, context.images.changed):
            signal.connect(self.pairs_changed)
        context.catalogue.changed.connect(self._choose_start)
        self.choices.events.start.connect(self._choose_start)
        ask_before_close(context.viewer, self._may_close)
        self._choose_start()
        if self.choices.run:
            self.follow(Path(self.choices.run))

    @property
    def next_step(self) -> Note:
        """What was said last: masks and models in the window change nothing here."""
        return self.note if self.note.text else self.hint

    # ---- choices

    @property
    def starts(self) -> list[str]:
        """Models to start from."""
        catalogue = self.context.catalogue
        cards = {name: catalogue.card(name) for name in catalogue.names}
        return [name for name, card in cards.items() if card is not None and can_be_fine_tuned(card)]

    @property
    def layers(self) -> list[LayerPair]:
        """Pairs among the open layers."""
        return layer_pairs(self.context.viewer, self.context.candidates)

    @property
    def layer_names(self) -> list[tuple[str, str]]:
        """Names of the images and masks of these pairs."""
        return [(image.name, mask.name) for image, mask in matched(self.context.viewer, self.context.candidates)]

    def take_folder(self, folder: str | Path) -> None:
        """Train on the pairs in a folder."""
        with self.choices.events.paused():
            self.choices.source, self.choices.data = "folder", str(folder)

    # ---- before and during a training

    def plan(self) -> None:
        """Let the label doctor look, measure a few steps, and say what it will take."""
        given = self._given()
        if given is not None:
            work = PlanWork(given, self._doubts)
            self.jobs.run("Planning", work, self._show_plan, total=1, unit="pairs", cancelled=NOT_PLANNED)

    def start(self) -> None:
        """Start the training, once the label doctor has looked."""
        run = self.watching.run
        if run is not None and run.running:
            self.say(Note("problem", f"{run.name} is being trained.", "Stop it first, or wait until it is done."))
            return
        given = self._given()
        if given is not None:
            self.jobs.run("Starting", StartWork(given, self._doubts), self._started, total=1, unit="pairs")

    def go_on(self) -> None:
        """Go on with the training that is shown, or let it no longer wait."""
        run = self.watching.run
        if run is None:
            return
        if run.running:
            self.watching.pause()
        else:
            self.jobs.run("Going on", GoOnWork(run.out), self._started, total=1)

    def stop(self) -> None:
        """End the training that is shown, and keep what it learned."""
        self.watching.stop()

    def follow(self, out: Path) -> None:
        """Show the training of a model, of this window or another one."""
        self.jobs.run("Looking", ReadRunWork(out), self._shown, total=1, quiet=True)

    def forget(self) -> None:
        """Show no training any more; what runs goes on, and its files stay."""
        self.watching.forget()
        self.choices.run = ""
        self.say(self.hint)

    def use(self) -> None:
        """Choose the look that was trained, under Look."""
        run = self.watching.run
        if run is None:
            return
        note = self.context.open_model(run.out)
        if note.kind == "problem":
            self.say(note)
            return
        self.context.column.open_section("synthesize")
        self.say(Note("done", f"{run.name} is chosen under Look.", "Press Render there."))
        self.context.notes.say("synthesize", Note("done", f"Your look {run.name} is chosen.", "Press Render."))

    def close(self) -> None:
        """Stop all jobs; a training goes on."""
        super().close()
        self.watching.close()

    def _may_close(self) -> bool:
        """Say what becomes of a training when the user closes the window; False: it stays open."""
        run = self.watching.run
        if run is None or not run.running or self.context.closed:
            return True
        text = f"{run.name} is still being trained. It goes on without the window; open My look again to see it."
        answer = ask_choice(self.context.viewer, "Training", text, (LET_IT, STOP_IT, STAY))
        if answer == STOP_IT:
            self.stop()
        return answer in (LET_IT, STOP_IT)

    # ---- what comes back

    def _started(self, following: Following) -> None:
        run, _, process = following
        self._shown(following)
        self.choices.run = str(run.out)
        if process is None and not run.running:
            self.say(Note("stopped", f"{run.words} It was begun before.", "Press Go on, or give another name."))
        else:
            self.say(Note("done", f"{run.name} is being trained in a process of its own.", GOES_ON))

    def _shown(self, following: Following) -> None:
        run, reader, process = following
        if process is None and not run.running and not run.step and not run.ended:
            self.choices.run = ""  # its files are gone
            return
        self.watching.show(run, reader, process)
        if run.interrupted:
            self.say(Note("stopped", run.words, "Press Go on: at most a minute of it was lost."))

    def _show_plan(self, planned: Planned) -> None:
        self.planned = planned
        self.planned_changed.emit()
        if planned.serious:
            count = len(planned.serious)
            text = f"{count} serious finding{'s' * (count != 1)} on the pairs, listed above."
            self.say(Note("problem", text, CURE))
        else:
            self.say(Note("done", "The pairs are sound, and the plan is above.", "Press Start."))

    def _outdate_plan(self) -> None:
        if self.planned is not None:
            self.planned = None
            self.planned_changed.emit()

    def _on_end(self, run: Run) -> None:
        if run.phase == "failed" or run.interrupted:
            kept = "Press Go on: at most a minute of it was lost." if run.usable else run.action
            action = kept if run.interrupted else run.action
            self.say(Note("problem", run.problem, action))
        elif run.stopped and run.stage == "look":
            self.say(Note("stopped", f"{run.words} {TOO_EARLY}", "Press Go on, or Use this look."))
        elif run.stopped:
            self.say(Note("stopped", f"{run.words} What it learned is kept.", "Press Use this look, or Go on."))
        else:
            self.say(Note("done", run.sentence, "Press Use this look." if run.helped is not False else NOT_HELPED))

    def _choose_start(self) -> None:
        starts = self.starts
        if self.choices.start not in starts:
            self.choices.start = starts[0] if starts else ""
        if self.choices.start_look not in self.context.catalogue.options(self.choices.start):
            self.choices.start_look = ""

    def _given(self) -> Given | None:
        """The choices as what is asked for; None, and a message, where one is missing or wrong."""
        with problems_said(self.say):
            return self._checked()
        return None

    def _checked(self) -> Given:
        choices = self.choices
        layers: Sequence[LayerPair] = self.layers if choices.source == "layers" else ()
        if choices.source == "layers" and not layers:
            raise InputError(
                "No image and mask among the layers belong together.",
                "Open images and their masks of the same size, or choose a folder.",
            )
        if not layers and not choices.data.strip():
            raise InputError("No folder of pairs is chosen.", "Press Browse… beside it, or drop a folder here.")
        if not choices.start:
            raise InputError("There is no model to start from.", "Open one under Look.")
        look = self.context.look
        request = FineTuneRequest(
            model=choices.start,
            data=Path() if layers else user_path(choices.data.strip()),
            out=self._out(),
            look=choices.name.strip(),
            start_look=choices.start_look,
            minutes=choices.minutes,
            settings=self.settings | ({"high_frequency": choices.high_frequency} if choices.high_frequency else {}),
            unlabelled=user_path(choices.unlabelled.strip()) if choices.unlabelled.strip() else None,
            device=look.device if look.device != "auto" else self.context.preferences().device,
        )
        return Given(request, tuple(layers))

    def _out(self) -> Path:
        name = self.choices.name.strip()
        if not name:
            raise InputError("Your look has no name.", "Give it one, such as that of your microscope.")
        try:
            checked_name(name)
        except ValueError as error:
            raise InputError(f"The look cannot be called {name!r}: {error}.", "Give it another name.") from error
        return user_path(self.choices.folder.strip() or str(documents_folder())) / f"{name}{SUFFIX}"

    commands: ClassVar[tuple[Command, ...]] = (
        Command("plan_look", "Plan the training of my look", plan),
        Command("use_look", "Use the look that was trained", use),
    )


CURE = "Press Check… under Mask for a cured copy, or Start to take them as they are."
LET_IT, STOP_IT, STAY = "Let it go on", "Stop and keep", "Do not close"
NOT_PLANNED = Note("stopped", "The plan was cancelled.", "Press Plan again, or Start without one.")
NOT_HELPED = "Look at the pictures: more pairs or more minutes may help, or another look to start from."
