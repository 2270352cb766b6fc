"""A fine-tuning from its first look at the pairs to the verdict; the window and the command line start the same."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from napari_synth.core.errors import Cancelled, SynthError
from napari_synth.core.files import user_path
from napari_synth.core.locks import holding
from napari_synth.core.progress import CancelToken, OnProgress, Progress, ignore_progress
from napari_synth.datasets.pairs import LoadedPair, find_options, load_pairs
from napari_synth.evaluation.fine_tuning.judge import MOST_RENDERED, LookVerdict, judge
from napari_synth.evaluation.fine_tuning.sheet import write_sheet
from napari_synth.models.checkpoint import load_weights, read_card, save_model
from napari_synth.models.registry import load_trained
from napari_synth.training.fine_tune.held_out import divided_option
from napari_synth.training.fine_tune.objective import named_looks
from napari_synth.training.fine_tune.plan import FineTunePlan, make_plan
from napari_synth.training.fine_tune.progress_file import ProgressFile
from napari_synth.training.fine_tune.request import FineTuneRequest, as_training
from napari_synth.training.fine_tune.stages import stage_at
from napari_synth.training.loop import check_free, settings_for, train
from napari_synth.training.request import TrainRequest, TrainResult

STEP_SECONDS = 1.0
"""Between two lines on steps."""
LOOK_SECONDS = 0.2
"""Between two looks for the file that ends a pause."""

OnEvent = Callable[[str, dict[str, Any]], None]


@dataclass(frozen=True)
class FineTuneResult:
    """What a fine-tuning gave.

    Attributes
    ----------
    path : Path
        The model.
    plan : FineTunePlan
    steps : int
        That were done.
    stopped : bool
        By the user, before its time.
    verdicts : tuple of LookVerdict
        One per look; empty where it was stopped or not asked for.
    sheet : Path or None
        Pictures of held-out masks: mask, real image, before, now.
    remarks : tuple of str
    """

    path: Path
    plan: FineTunePlan
    steps: int
    stopped: bool
    verdicts: tuple[LookVerdict, ...]
    sheet: Path | None
    remarks: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """What came out, in words."""
        if self.verdicts:
            return " ".join(verdict.sentence for verdict in self.verdicts)
        if self.stopped:
            return f"Stopped at step {self.steps}; the model so far is kept. How real it looks was not measured."
        return f"{self.steps} steps were done. How real it looks was not measured."


def fine_tune(
    request: FineTuneRequest,
    on_progress: OnProgress = ignore_progress,
    cancel: CancelToken | None = None,
    on_event: OnEvent = lambda _event, _values: None,
) -> FineTuneResult:
    """Teach a generator with styles a look from a few pairs, and measure whether it helped.

    Pairs are checked, a few steps measured, then it is trained; every event goes into the progress file beside the
    model and to ``on_event``. A file ``OUT.pause`` beside it makes the run wait for as long as it is there,
    ``OUT.stop`` ends it as ``cancel`` does.

    Parameters
    ----------
    request : FineTuneRequest
    on_progress, cancel
        Counts steps. What was trained when ``cancel`` is set is kept.
    on_event : callable
        Called with the event (checked, plan, step, paused, going on, judging, done, failed) and its values.

    Raises
    ------
    InputError
        If pairs, model or a setting are unusable, or the name is taken.
    WorkError
        See `training.loop.train`; or another run writes this model.
    """
    request = replace(request, out=user_path(request.out), data=user_path(request.data))
    training = as_training(request)
    check_free(training)
    with holding(request.lock_path, f"The model {request.out}"):
        return _Run(request, training, on_progress, cancel or CancelToken(), on_event).result()


class _Run:
    """One fine-tuning."""

    def __init__(
        self,
        request: FineTuneRequest,
        training: TrainRequest,
        on_progress: OnProgress,
        cancel: CancelToken,
        on_event: OnEvent,
    ):
        self.request, self.training = request, training
        self._on_progress, self._cancel, self._on_event = on_progress, cancel, on_event
        self._file = ProgressFile(request.progress_path)
        self._said = 0.0
        self._position = Progress(0, 1)
        if not request.resume:
            with suppress(OSError):
                request.progress_path.unlink(missing_ok=True)
        for path in (request.pause_path, request.stop_path):
            with suppress(OSError):
                path.unlink(missing_ok=True)

    def _say(self, event: str, **values: Any) -> None:
        self._file.say(event, **values)
        self._on_event(event, values)

    def result(self) -> FineTuneResult:
        try:
            return self._result()
        except SynthError as error:
            self._say("failed", problem=error.problem, action=error.action)
            raise

    def _result(self) -> FineTuneResult:
        request = self.request
        if request.check and not request.resume:
            self._check()
        held_out = _held_out(request) if request.judge else {}
        plan = make_plan(request)
        self._say("plan", **plan.as_record())
        trained = train(self.training, self._progress, self._cancel, self._step)
        stopped = self._cancel.cancelled
        verdicts: list[LookVerdict] = []
        sheet = None
        if request.judge and not stopped:
            self._say("judging")
            with suppress(Cancelled):
                verdicts, sheet = self._judged(trained, plan, held_out)
        result = FineTuneResult(
            trained.path, plan, trained.steps, stopped, tuple(verdicts), sheet, tuple(trained.remarks)
        )
        records = [verdict.as_record() for verdict in verdicts]
        self._say(
            "done", sentence=result.sentence, steps=result.steps, stopped=stopped, path=str(result.path),
            sheet=str(sheet or ""), verdicts=records, remarks=list(result.remarks),
        )  # fmt: skip
        return result

    def _check(self) -> None:
        """Let the label doctor look; what it finds does not end the run."""
        from napari_synth.evaluation.pair_check import check_pairs

        report = check_pairs(self.request.data, cancel=self._cancel)
        self._say(
            "checked", pairs=report.pairs, serious=[finding.sentence for finding in report.serious],
            others=[finding.sentence for finding in report.findings if not finding.serious],
        )  # fmt: skip

    def _progress(self, progress: Progress) -> None:
        self._position = progress
        self._on_progress(progress)

    def _step(self, step: int, losses: dict[str, float]) -> None:
        now = time.monotonic()
        if now - self._said >= STEP_SECONDS:
            self._said = now
            at, settings = self._position, settings_for(self.training)
            stage = stage_at(at.fraction, settings.look_share, settings.outer_share)  # type: ignore[attr-defined]
            left = (at.total - at.done) / at.rate if at.rate else 0.0
            shown = {name: float(f"{value:.4g}") for name, value in losses.items()}
            self._say(
                "step", step=step, share=round(at.fraction, 4), stage=stage.name, seconds_left=round(left),
                losses=shown, preview=str(self.training.preview_path),
            )  # fmt: skip
        self._wait()

    def _wait(self) -> None:
        """Wait for as long as the file for it is there, and note the one that ends the run."""
        request = self.request
        if request.pause_path.exists():
            self._say("paused")
            while request.pause_path.exists() and not request.stop_path.exists() and not self._cancel.cancelled:
                time.sleep(LOOK_SECONDS)
            self._say("going on")
        if request.stop_path.exists():
            self._cancel.cancel()
            with suppress(OSError):
                request.stop_path.unlink()

    def _judged(
        self, trained: TrainResult, plan: FineTunePlan, held_out: dict[str, list[LoadedPair]]
    ) -> tuple[list[LookVerdict], Path]:
        """The verdict on each look; figures and sentences go into the card, pictures beside the model."""
        from napari_synth.synthesis.generator import Generator

        before = Generator(load_trained(self.request.model, self.request.device))
        now = Generator(load_trained(trained.path, self.request.device))
        verdicts = []
        for look in plan.looks:
            pairs = held_out[look.name]
            verdicts.append(
                judge(look.name, look.start, pairs, before, now, self.request.seed, self.request.deep, self._cancel)
            )
        card = read_card(trained.path)
        figures = {name: value for verdict in verdicts for name, value in verdict.as_figures().items()}
        notes = " ".join([card.notes, *(verdict.sentence for verdict in verdicts)])
        save_model(
            trained.path, card.model_copy(update={"figures": figures, "notes": notes}), load_weights(trained.path)
        )
        names = [(look.name, look.start) for look in plan.looks]
        write_sheet(self.request.sheet_path, names, held_out, before, now, self.request.seed)
        return verdicts, self.request.sheet_path


def _held_out(request: FineTuneRequest) -> dict[str, list[LoadedPair]]:
    """What is held out of each look; read before the training, since the folder may be gone after it."""
    found = {}
    for option in named_looks(find_options(request.data), request.look):
        pairs, _ = load_pairs(option.training)
        found[option.source.name] = divided_option(option, pairs, MOST_RENDERED)[0].held_out
    return found
