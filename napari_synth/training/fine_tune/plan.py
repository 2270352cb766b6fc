"""What a fine-tuning will take, measured on this machine before it begins."""

from __future__ import annotations

import sys
import time
from dataclasses import asdict, dataclass
from typing import Any

import torch
from lightning_fabric import Fabric

from napari_synth.core.devices import resolve_device
from napari_synth.training.fine_tune.objective import FineTuneObjective
from napari_synth.training.fine_tune.request import FineTuneRequest, as_training, start_card
from napari_synth.training.loop import begun, settings_for
from napari_synth.training.state import read_training_state

STEPS = 3
"""That are measured, after one that is not."""
BESIDE = 1.1
"""A run takes so much longer than its steps: checkpoints, previews, looks at what is held out."""


@dataclass(frozen=True)
class LookPlan:
    """One look of a plan: its name, the look it starts from, and its pairs."""

    name: str
    start: str
    pairs: int
    held_out: int


@dataclass(frozen=True)
class FineTunePlan:
    """What a run will take.

    Attributes
    ----------
    looks : tuple of LookPlan
    steps : int
        That will be done in the time there is.
    seconds_per_step : float
        Measured.
    minutes : float
        Of the training; measuring what it was worth takes about a minute more.
    memory_gb : float
        Most memory used so far, of the device that computes; 0 where that cannot be measured.
    crop, batch_size : int
        Pixels of a side, and samples of a step.
    device : str
    remarks : tuple of str
        What is held out, and what is left out.
    """

    looks: tuple[LookPlan, ...]
    steps: int
    seconds_per_step: float
    minutes: float
    memory_gb: float
    crop: int
    batch_size: int
    device: str
    remarks: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """The plan in words."""
        pairs = sum(look.pairs for look in self.looks)
        looks = ", ".join(f"{look.name} from {look.start}" for look in self.looks)
        memory = f", {self.memory_gb:.1f} GB of memory" if self.memory_gb else ""
        return (
            f"{looks}: {pairs} pair{'s' * (pairs != 1)} to train on, {self.steps} steps of "
            f"{self.seconds_per_step:.2f} s on {self.device}: about {max(1, round(self.minutes))} min{memory}."
        )

    def as_record(self) -> dict[str, Any]:
        """For a file of JSON."""
        return asdict(self) | {"sentence": self.sentence}


def make_plan(request: FineTuneRequest) -> FineTunePlan:
    """Read the data, do a few steps and say what the whole will take; nothing is written.

    Raises
    ------
    InputError
        If data, start or settings are unusable.
    """
    training = as_training(request)
    settings: Any = settings_for(training)
    device = resolve_device(request.device)
    objective = begun(training, settings)
    assert isinstance(objective, FineTuneObjective)
    precision: Any = objective.gpu_precision if device.type == "cuda" else "32-true"
    objective.set_up(Fabric(accelerator=device.type, devices=1, precision=precision))
    began = 0.0
    for step in range(STEPS + 1):
        objective.at(settings.steps)  # all blocks: the slowest
        objective.step(step)
        if device.type == "cuda":
            torch.cuda.synchronize()
        began = began or time.monotonic()
    seconds = (time.monotonic() - began) / STEPS
    card = start_card(request.model)
    chosen = [int(number) for number in objective.settings.start_options.split(",")]
    looks = tuple(
        LookPlan(option.source.name, card.options[number], len(look.training), len(look.held_out))
        for option, number, look in zip(objective.options, chosen, objective.divided, strict=True)
    )
    left = 60 * settings.minutes if settings.minutes else float("inf")
    steps = settings.steps
    if training.resume is not None:
        state = read_training_state(training.resume_path)
        left, steps = max(0.0, left - state["seconds"]), max(0, steps - state["step"])
    steps = int(min(steps, left / (BESIDE * seconds)))
    return FineTunePlan(
        looks,
        steps,
        seconds,
        BESIDE * steps * seconds / 60,
        _memory(device),
        settings.crop,
        settings.batch_size,
        device.type,
        tuple(objective.remarks),
    )


def _memory(device: torch.device) -> float:
    """The most that this process used so far, in GB."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 1e9
    try:
        import resource
    except ImportError:  # Windows
        return 0.0
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return used / 1e9 if sys.platform == "darwin" else used / 1e6
