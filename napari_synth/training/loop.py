"""The training loop: the same for every objective."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import imageio.v3 as iio
import torch
from lightning_fabric import Fabric
from pydantic import ValidationError

from napari_synth.core.devices import resolve_device
from napari_synth.core.errors import Cancelled, InputError, WorkError, unknown_name
from napari_synth.core.files import check_writable, existing_folder, writing
from napari_synth.core.progress import CancelToken, OnProgress, Stopwatch, ignore_progress
from napari_synth.models.card import ModelCard, Training
from napari_synth.models.checkpoint import SUFFIX, file_hash, load_weights, read_card, save_model
from napari_synth.models.registry import resolve_model
from napari_synth.training.objectives import objective_class
from napari_synth.training.objectives.base import Objective, ObjectiveSettings

RESUME_SUFFIX = ".ckpt"
TRAINING_PRECISIONS = ("32-true", "bf16-mixed", "16-mixed")


@dataclass(frozen=True)
class TrainRequest:
    """What to train, on what, and where to put it.

    Attributes
    ----------
    architecture : str
        A name in `training.objectives.OBJECTIVES`.
    data : Path
        Data folder of that objective.
    out : Path
        The ``.safetensors`` file to write; the resumable state and the preview go beside it.
    preset : str
        A key of the objective's presets.
    ablation : str
        A key of the objective's ablations, on top of the preset; empty for none.
    settings : dict
        Overrides of single settings.
    resume : Path, optional
        A ``.ckpt`` file of a run with the same settings, interrupted or to be lengthened by more steps.
    init : str, optional
        Id or file of a trained model to start from, for fine-tuning; the ``.ckpt`` file of a run brings
        its discriminator along.
    seed : int
    device : str
        See `core.devices.resolve_device`.
    devices : int
        How many of them.
    precision : str
        One of `TRAINING_PRECISIONS`.
    checkpoint_minutes : float
        Time between two checkpoints.
    """

    architecture: str
    data: Path
    out: Path
    preset: str = "fast"
    ablation: str = ""
    settings: dict[str, Any] = field(default_factory=dict)
    resume: Path | None = None
    init: str | None = None
    seed: int = 1
    device: str = "auto"
    devices: int = 1
    precision: str = "32-true"
    checkpoint_minutes: float = 3.0


@dataclass(frozen=True)
class TrainResult:
    """Where the model is, how far it got, and sentences on what was left out of the data."""

    path: Path
    resume_path: Path
    preview_path: Path
    steps: int
    losses: dict[str, float]
    remarks: tuple[str, ...] = ()


def settings_for(request: TrainRequest) -> ObjectiveSettings:
    """The objective's settings: preset, ablation, then overrides.

    Raises
    ------
    InputError
        If the preset, the ablation or a setting is unknown or out of range.
    """
    cls = objective_class(request.architecture)
    if request.preset not in cls.presets:
        raise unknown_name("preset", request.preset, sorted(cls.presets))
    if request.ablation and request.ablation not in cls.ablations:
        raise unknown_name("ablation", request.ablation, sorted(cls.ablations))
    chosen = cls.presets[request.preset] | cls.ablations.get(request.ablation, {}) | request.settings
    try:
        return cls.Settings(**chosen)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"]) or "combination"
        raise InputError(
            f"The training setting {name} is not valid: {first['msg']}.",
            f"Known settings: {', '.join(cls.Settings.model_fields)}.",
        ) from error


def train(
    request: TrainRequest, on_progress: OnProgress = ignore_progress, cancel: CancelToken | None = None
) -> TrainResult:
    """Train until the planned steps are done or ``cancel`` is set; both leave a usable model.

    Progress counts steps and is reported after each. On one CPU a resumed run ends with the same
    weights as an uninterrupted one.

    Raises
    ------
    InputError
        If the data, a setting or the file to resume is unusable.
    WorkError
        If the model cannot be written, or the device runs out of memory.
    """
    cancel = cancel or CancelToken()
    if request.out.suffix != SUFFIX:
        raise InputError(f"The output {request.out} is not a {SUFFIX} file.", f"Let its name end in {SUFFIX}.")
    if request.precision not in TRAINING_PRECISIONS:
        raise unknown_name("precision", request.precision, list(TRAINING_PRECISIONS))
    settings = settings_for(request)
    check_writable(request.out)
    existing = request.data.expanduser()
    data = existing if existing.is_file() else existing_folder(existing, "data folder")
    objective = objective_class(request.architecture)(settings, data, request.seed)
    if request.init is not None:
        _start_from(request.init, objective)
    if objective.first() is not None:
        objective.use(_trained_first(request, objective, on_progress, cancel))
    device = resolve_device(request.device)
    fabric = Fabric(accelerator=device.type, devices=request.devices, precision=request.precision)  # type: ignore[arg-type]
    fabric.launch()
    torch.set_flush_denormal(True)  # vanishing gradients of a fresh capsule net take a CPU 4 times as long
    objective.set_up(fabric)
    run = _Run(request, objective, fabric)
    if request.resume is not None:
        run.restore(request.resume)
    try:
        return run.until_done(on_progress, cancel)
    finally:
        torch.set_flush_denormal(False)  # a state of the processor, which others in this process do not expect


def _trained_first(request: TrainRequest, objective: Objective, on_progress: OnProgress, cancel: CancelToken) -> Path:
    """The file of the model that must be there before, beside ``out``; trained now unless it is finished.

    Raises
    ------
    Cancelled
        If it was stopped; the same command goes on with it.
    """
    architecture, settings = objective.first() or ("", {})
    out = request.out.with_name(f"{request.out.stem}-segmentor{SUFFIX}")
    before = TrainRequest(
        architecture=architecture, data=request.data, out=out, settings=settings, seed=request.seed,
        device=request.device, precision=request.precision, checkpoint_minutes=request.checkpoint_minutes,
    )  # fmt: skip
    if _is_finished(before):
        return out
    result = train(replace(before, resume=_unfinished_state(before)), on_progress, cancel)
    if result.steps < settings["steps"]:
        raise Cancelled(
            f"Training was stopped at step {result.steps} of the segmentor, which comes first.",
            "Start the same command again to go on.",
        )
    return out


def _is_finished(request: TrainRequest) -> bool:
    """Whether the model of a request is there, with all its steps."""
    if not request.out.is_file():
        return False
    training = read_card(request.out).training
    planned = settings_for(request).model_dump()
    return training is not None and training.steps == planned["steps"] and training.settings == planned


def _unfinished_state(request: TrainRequest) -> Path | None:
    """The state of the same run beside its output, if there is one."""
    path = request.out.with_suffix(RESUME_SUFFIX)
    if not path.is_file():
        return None
    identity, settings = read_state(path)["identity"], settings_for(request).model_dump(exclude={"steps"})
    same = (identity["architecture"], identity["seed"], identity["settings"])
    return path if same == (request.architecture, request.seed, settings) else None


def _start_from(name: str, objective: Objective) -> None:
    """Give the networks the weights of a trained model, or of a run with its discriminator."""
    path = resolve_model(name)
    try:
        if path.suffix == RESUME_SUFFIX:
            state = read_state(path)
            for part, network in objective.networks.items():
                network.load_state_dict(state[f"network.{part}"])
        else:
            objective.exported.load_state_dict(load_weights(path))
    except (RuntimeError, KeyError) as error:
        raise InputError(
            f"The model {name} has another shape than the one to train.",
            "Start from a model of the same architecture and settings, and with several options if yours has several.",
        ) from error


def read_state(path: Path) -> dict[str, Any]:
    """The training state in a ``.ckpt`` file.

    Raises
    ------
    InputError
        If the file is missing or is no such state.
    """
    if not path.is_file():
        raise InputError(f"There is no file {path} to go on from.", "Check the path.")
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises several kinds for a damaged or foreign file
        raise InputError(f"{path} is not a resumable training state.", "Use the .ckpt file of a run.") from error
    if not isinstance(state, dict) or "identity" not in state:
        raise InputError(f"{path} is not a resumable training state.", "Use the .ckpt file of a run.")
    return state


class _Run:
    """One training run: counts steps and writes checkpoints."""

    def __init__(self, request: TrainRequest, objective: Objective, fabric: Fabric):
        self.request = request
        self.objective = objective
        self.fabric = fabric
        self.step = 0
        self.seconds = 0.0
        self.losses: dict[str, float] = {}
        self.resume_path = request.out.with_suffix(RESUME_SUFFIX)
        self.preview_path = request.out.with_suffix(".preview.png")

    @property
    def _identity(self) -> dict[str, Any]:
        """What must agree for a resumed run to be the same run."""
        request = self.request
        settings = self.objective.settings.model_dump(exclude={"steps"})
        start = file_hash(resolve_model(request.init)) if request.init is not None else ""
        return {"architecture": request.architecture, "seed": request.seed, "settings": settings, "init": start}

    def _networks_and_optimizers(self) -> dict[str, Any]:
        objective = self.objective
        return (
            {f"network.{name}": network for name, network in objective.networks.items()}
            | {f"optimizer.{name}": optimizer for name, optimizer in objective.optimizers.items()}
            | {f"memory.{name}": memory for name, memory in objective.memories.items()}
        )

    def restore(self, path: Path) -> None:
        rest = read_state(path)
        if rest.get("identity") != self._identity:
            raise InputError(f"{path} belongs to a run with other settings.", "Give the same settings and seed again.")
        for name, part in self._networks_and_optimizers().items():
            part.load_state_dict(rest[name])
        self.step, self.seconds = rest["step"], rest["seconds"]
        if self.step > self.objective.settings.steps:
            raise InputError(f"{path} is at step {self.step} already.", f"Give more steps than {self.step}.")

    def _agreed(self, decision: bool) -> bool:
        """Rank 0's decision, so that all devices stop and save at the same step."""
        return decision if self.fabric.world_size == 1 else self.fabric.broadcast(decision)

    def until_done(self, on_progress: OnProgress, cancel: CancelToken) -> TrainResult:
        total = self.objective.settings.steps
        watch = Stopwatch(total, on_progress, found=self.step)
        saved = began = time.monotonic()
        spent = self.seconds
        while self.step < total and not self._agreed(cancel.cancelled):
            self.objective.set_learning_rate(self.objective.learning_rate_factor(self.step))
            try:
                self.losses = self.objective.step(self.step)
            except RuntimeError as error:
                raise _training_error(error) from error
            self.step += 1
            self.seconds = spent + time.monotonic() - began
            watch.report(self.step, "  ".join(f"{name} {value:.3g}" for name, value in self.losses.items()))
            due = time.monotonic() - saved > 60 * self.request.checkpoint_minutes
            if self._agreed(due) and self.step < total:
                self.save()
                saved = time.monotonic()
        self.save()
        remarks = tuple(self.objective.remarks)
        return TrainResult(self.request.out, self.resume_path, self.preview_path, self.step, self.losses, remarks)

    def save(self) -> None:
        """Write the resumable state, the model and the preview, each beside and renamed."""
        state = self._networks_and_optimizers() | {
            "identity": self._identity,
            "step": self.step,
            "seconds": self.seconds,
        }
        if not self.fabric.is_global_zero:
            self.fabric.save(self.resume_path, state)  # only rank 0 writes, but all must take part
            return
        with writing(self.resume_path) as temporary:
            self.fabric.save(temporary, state)
        save_model(self.request.out, self._card(), self.objective.exported.state_dict())
        self.objective.save_beside(self.request.out)
        with writing(self.preview_path) as temporary:
            iio.imwrite(temporary, self.objective.preview())

    def _card(self) -> ModelCard:
        settings = self.objective.settings
        card = self.objective.card(self.request.out.name.removesuffix(SUFFIX))
        training = Training(
            steps=self.step,
            planned_steps=settings.steps,
            batch_size=settings.batch_size,
            seed=self.request.seed,
            init=self.request.init or "",
            device=str(self.fabric.device.type),
            precision=self.request.precision,
            hours=round(self.seconds / 3600, 3),
            settings=settings.model_dump(),
            data=self.objective.training_data(),
        )
        return card.model_copy(update={"training": training})


def _training_error(error: RuntimeError) -> WorkError:
    if "out of memory" in str(error).lower():
        return WorkError("The device ran out of memory while training.", "Use a smaller batch_size or crop.")
    return WorkError(f"A training step failed: {error}.", "Report this with the details.")
