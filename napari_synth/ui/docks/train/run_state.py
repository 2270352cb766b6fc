"""How a training goes, as its progress file tells it. Knows no widget and no process."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from napari_synth.core.quantities import duration_text
from napari_synth.training.fine_tune.process import is_running
from napari_synth.training.fine_tune.progress_file import ProgressReader
from napari_synth.training.fine_tune.request import RunFiles

Phase = Literal["starting", "training", "paused", "judging", "done", "failed"]

MOST_POINTS = 600
"""Of a curve; of more every other one is left out."""
STAGES = {"look": "style and norms", "outer": "the outer blocks too", "all": "all blocks"}
HELD_OUT = "held out"
"""The loss that is measured on what is held out."""

Curve = list[tuple[int, float]]


@dataclass
class Run:
    """A training.

    Attributes
    ----------
    out : Path
        The model.
    alive : bool
        Whether its process runs.
    phase : str
    plan : str
        In words.
    remarks : tuple of str
        What is held out, and what is left out.
    stage : str
    step, seconds_left : int
    share : float
        Of the planned run, 0 to 1.
    curves : dict of list of (int, float)
        Step and value, by the name of the loss.
    preview, sheet : str
        Pictures beside the model; empty: not yet.
    looks : tuple of str
    sentence : str
        What came out.
    stopped : bool
        By the user.
    helped : bool or None
        None: not measured.
    problem, action : str
        What went wrong, and what to do.
    """

    out: Path
    alive: bool = False
    phase: Phase = "starting"
    plan: str = ""
    remarks: tuple[str, ...] = ()
    stage: str = ""
    step: int = 0
    share: float = 0.0
    seconds_left: int = 0
    curves: dict[str, Curve] = field(default_factory=dict)
    preview: str = ""
    sheet: str = ""
    looks: tuple[str, ...] = ()
    sentence: str = ""
    stopped: bool = False
    helped: bool | None = None
    problem: str = ""
    action: str = ""

    @property
    def name(self) -> str:
        """What a person calls it."""
        return self.out.stem

    @property
    def ended(self) -> bool:
        """Whether it came to an end of its own."""
        return self.phase in ("done", "failed")

    @property
    def running(self) -> bool:
        return self.alive and not self.ended

    @property
    def interrupted(self) -> bool:
        """Whether its process is gone without an end."""
        return not self.alive and not self.ended

    @property
    def resumable(self) -> bool:
        """Whether it can be gone on with."""
        return not self.alive and (self.interrupted or self.stopped or self.phase == "failed")

    @property
    def usable(self) -> bool:
        """Whether there is a model of it."""
        return self.step > 0 and self.out.is_file()

    @property
    def words(self) -> str:
        """Where it is."""
        if self.phase == "failed":
            return f"{self.name} failed at step {self.step}." if self.step else f"{self.name} was not begun."
        if self.phase == "done":
            return f"{self.name}: {'stopped at' if self.stopped else 'done,'} step {self.step}."
        if self.interrupted:
            return f"{self.name} was interrupted at step {self.step}."
        if self.phase == "paused":
            return f"{self.name} is paused at step {self.step}."
        if self.phase == "judging":
            return f"{self.name}: measuring how real it looks, about a minute."
        if self.phase == "starting":
            return f"{self.name}: reading the pairs and measuring a few steps…"
        what = f"; trained now: {STAGES[self.stage]}" if self.stage in STAGES else ""
        return f"{self.name}: step {self.step}, {duration_text(self.seconds_left)} left{what}."

    def take(self, event: dict[str, Any]) -> None:
        """Take in an event; those that are unknown, or lack what they should tell, change nothing."""
        tell = getattr(self, f"_{str(event.get('event')).replace(' ', '_')}", None)
        if tell is not None:
            try:
                tell(event)
            except (KeyError, TypeError, ValueError, AttributeError):
                return

    def begin_again(self) -> None:
        """The process was started again, and has said nothing yet."""
        self.phase, self.alive = "starting", True
        self.sentence = self.problem = self.action = ""
        self.stopped, self.helped = False, None

    def _plan(self, event: dict[str, Any]) -> None:
        self.begin_again()
        self.plan, self.remarks = str(event["sentence"]), tuple(map(str, event["remarks"]))
        self.looks = tuple(str(look["name"]) for look in event["looks"])

    def _step(self, event: dict[str, Any]) -> None:
        self.phase, self.step, self.stage = "training", int(event["step"]), str(event["stage"])
        self.share, self.seconds_left = float(event["share"]), int(event["seconds_left"])
        self.preview = str(event["preview"])
        for name, value in event["losses"].items():
            self.curves[name] = _with_point(self.curves.get(name, []), self.step, float(value))

    def _paused(self, event: dict[str, Any]) -> None:
        self.phase = "paused"

    def _going_on(self, event: dict[str, Any]) -> None:
        self.phase = "training"

    def _judging(self, event: dict[str, Any]) -> None:
        self.phase, self.share = "judging", 1.0

    def _done(self, event: dict[str, Any]) -> None:
        self.phase, self.sentence, self.stopped = "done", str(event["sentence"]), bool(event["stopped"])
        self.step, self.sheet = int(event["steps"]), str(event["sheet"])
        verdicts = [bool(verdict["helped"]) for verdict in event["verdicts"]]
        self.helped = all(verdicts) if verdicts else None

    def _failed(self, event: dict[str, Any]) -> None:
        self.phase, self.problem, self.action = "failed", str(event["problem"]), str(event["action"])


def read_run(out: Path) -> tuple[Run, ProgressReader]:
    """What the files beside a model tell of its training, and what will bring more."""
    run, reader = Run(out), ProgressReader(RunFiles(out).progress_path)
    while events := reader.new()[1]:
        for event in events:
            run.take(event)
    run.alive = is_running(out)
    return run, reader


def _with_point(curve: Curve, step: int, value: float) -> Curve:
    """A run that went on from an earlier state tells its steps again."""
    while curve and curve[-1][0] >= step:
        curve.pop()
    curve.append((step, value))
    return curve if len(curve) <= MOST_POINTS else [*curve[:-1:2], curve[-1]]
