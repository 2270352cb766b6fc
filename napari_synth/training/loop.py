"""The training loop: the same for every objective."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable
from contextlib import nullcontext, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import imageio.v3 as iio
import torch
from lightning_fabric import Fabric
from pydantic import ValidationError

from napari_synth.core.devices import resolve_device
from napari_synth.core.errors import Cancelled, InputError, WorkError, unknown_name
from napari_synth.core.files import already_there, check_writable, existing_folder, user_path, writing
from napari_synth.core.locks import holding
from napari_synth.core.progress import CancelToken, OnProgress, Stopwatch, ignore_progress
from napari_synth.core.untrusted import first_problem
from napari_synth.datasets.identity import data_hash
from napari_synth.models.card import ModelCard, Training
from napari_synth.models.checkpoint import SUFFIX, file_hash, load_weights, read_card, save_model
from napari_synth.models.registry import resolve_model
from napari_synth.training.faults import is_finite, training_error
from napari_synth.training.objectives import objective_class
from napari_synth.training.objectives.base import Objective, ObjectiveSettings
from napari_synth.training.request import TrainRequest, TrainResult
from napari_synth.training.state import RESUME_SUFFIX, read_training_state

TRAINING_PRECISIONS = ("32-true", "bf16-mixed", "16-mixed")
OnStep = Callable[[int, dict[str, float]], None]
LENGTH = {"steps", "minutes"}
"""Settings that say how long a run is, and may change when it is resumed."""


def settings_for(request: TrainRequest) -> ObjectiveSettings:
    """The objective's settings: preset, ablation, then overrides.

    Raises
    ------
    InputError
        If the preset, the ablation or a setting is unknown or out of range.
    """
    cls = objective_class(request.architecture, request.preset)
    if request.ablation and request.ablation not in cls.ablations:
        raise unknown_name("ablation", request.ablation, sorted(cls.ablations))
    chosen = cls.presets[request.preset] | cls.ablations.get(request.ablation, {}) | request.settings
    try:
        return cls.Settings.model_validate(chosen)
    except ValidationError as error:
        name, reason = first_problem(error, "combination")
        raise InputError(
            f"The training setting {name} is not valid: {reason}.",
            f"Known settings: {', '.join(cls.Settings.model_fields)}.",
        ) from error


def train(
    request: TrainRequest,
    on_progress: OnProgress = ignore_progress,
    cancel: CancelToken | None = None,
    on_step: OnStep = lambda _step, _losses: None,
) -> TrainResult:
    """Train until the planned steps are done or ``cancel`` is set; both leave a usable model.

    Progress counts steps and is reported after each; then ``on_step`` is given how many there were and the losses of
    the last one, and may wait: that time is not counted. On one CPU a resumed run ends with the same weights as an
    uninterrupted one.

    Raises
    ------
    InputError
        If the data, a setting or the file to resume is unusable, or another model has the name.
    WorkError
        If the model cannot be written or another run writes it, the device runs out of memory, or a loss is no
        longer finite.
    """
    cancel = cancel or CancelToken()
    if request.out.suffix != SUFFIX:
        raise InputError(f"The output {request.out} is not a {SUFFIX} file.", f"Let its name end in {SUFFIX}.")
    if request.precision and request.precision not in TRAINING_PRECISIONS:
        raise unknown_name("precision", request.precision, list(TRAINING_PRECISIONS))
    settings = settings_for(request)
    check_free(request)
    check_writable(request.out)
    lock = request.out.with_name(f".{request.out.name}.lock")
    with holding(lock, f"The model {request.out}") if _leads() else nullcontext():
        return _train(request, settings, on_progress, cancel, on_step)


def _leads() -> bool:
    """Whether this is the process that was started; a run on several devices starts itself again for the others."""
    return os.environ.get("LOCAL_RANK", "0") == "0"


def check_free(request: TrainRequest) -> None:
    """Refuse to replace a finished model or state, unless it is the state that is gone on with.

    Raises
    ------
    InputError
        Naming the file.
    """
    if request.overwrite or (request.resume is not None and _same_file(request.resume, request.resume_path)):
        return
    for path in (request.out, request.resume_path, request.preview_path):
        if path.exists():
            other = f"Go on with it (--resume {request.resume_path}), or choose another name"
            raise already_there(path, other if request.resume_path.exists() else "Choose another name")


def _same_file(one: Path, other: Path) -> bool:
    return one.resolve() == other.resolve()


def begun(request: TrainRequest, settings: ObjectiveSettings) -> Objective:
    """The objective of a request with its data read, and the weights it starts from.

    Raises
    ------
    InputError
        If the data or the weights are unusable.
    """
    data = _data(request)
    objective = objective_class(request.architecture, request.preset)(settings, data, request.seed)
    if request.init is not None:
        _start_from(request.init, objective)
    return objective


def _data(request: TrainRequest) -> Path:
    existing = user_path(request.data)
    return existing if existing.is_file() else existing_folder(existing, "data folder")


def _train(
    request: TrainRequest, settings: ObjectiveSettings, on_progress: OnProgress, cancel: CancelToken, on_step: OnStep
) -> TrainResult:
    objective = begun(request, settings)
    if objective.first() is not None:
        objective.use(_trained_first(request, objective, on_progress, cancel))
    device = resolve_device(request.device)
    chosen: Any = request.precision or (objective.gpu_precision if device.type == "cuda" else "32-true")
    fabric = Fabric(accelerator=device.type, devices=request.devices, precision=chosen)
    fabric.launch()
    benchmark, torch.backends.cudnn.benchmark = torch.backends.cudnn.benchmark, True  # all batches have one shape
    torch.set_flush_denormal(True)  # vanishing gradients of a fresh capsule net take a CPU 4 times as long
    objective.set_up(fabric)
    run = _Run(replace(request, precision=chosen), objective, fabric, data_hash(_data(request)))
    if request.resume is not None:
        run.restore(request.resume)
    try:
        return run.until_done(on_progress, cancel, on_step)
    finally:
        torch.backends.cudnn.benchmark = benchmark
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
        overwrite=request.overwrite,
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
    training, planned = read_card(request.out).training, settings_for(request)
    state = request.resume_path
    if state.is_file() and read_training_state(state)["identity"].get("data") != data_hash(user_path(request.data)):
        return False
    if training is None or training.steps != planned.steps:
        return False
    try:
        return type(planned)(**training.settings) == planned  # what no setting said in its day has the default
    except ValidationError:
        return False


def _unfinished_state(request: TrainRequest) -> Path | None:
    """The state of the same run beside its output, if there is one."""
    path = request.resume_path
    if not path.is_file():
        return None
    identity, settings = read_training_state(path)["identity"], settings_for(request).model_dump(exclude=LENGTH)
    same = (identity["architecture"], identity["seed"], identity["settings"], identity.get("data"))
    wanted = (request.architecture, request.seed, settings, data_hash(user_path(request.data)))
    return path if same == wanted else None


def _start_from(name: str, objective: Objective) -> None:
    """Give the networks the weights of a trained model, or of a run with its discriminator."""
    path = resolve_model(name)
    try:
        if path.suffix == RESUME_SUFFIX:
            state = read_training_state(path)
            for part, network in objective.networks.items():
                network.load_state_dict(state[f"network.{part}"])
        else:
            objective.start_from(load_weights(path))
    except (RuntimeError, KeyError) as error:
        raise InputError(
            f"The model {name} has another shape than the one to train.",
            "Start from a model of the same architecture and settings, and with several options if yours has several.",
        ) from error


class _Run:
    """One training run: counts steps and writes checkpoints."""

    def __init__(self, request: TrainRequest, objective: Objective, fabric: Fabric, data: str):
        self.request = request
        self.objective = objective
        self.fabric = fabric
        self.step = 0
        self.seconds = 0.0
        self.losses: dict[str, float] = {}
        self.data = data
        self.kept_step: int | None = None

    @property
    def _identity(self) -> dict[str, Any]:
        """What must agree for a resumed run to be the same run."""
        request = self.request
        settings = self.objective.settings.model_dump(exclude=LENGTH)
        start = file_hash(resolve_model(request.init)) if request.init is not None else ""
        return {
            "architecture": request.architecture,
            "seed": request.seed,
            "settings": settings,
            "init": start,
            "data": self.data,
        }

    def _networks_and_optimizers(self) -> dict[str, Any]:
        objective = self.objective
        return (
            {f"network.{name}": network for name, network in objective.networks.items()}
            | {f"optimizer.{name}": optimizer for name, optimizer in objective.optimizers.items()}
            | {f"memory.{name}": memory for name, memory in objective.memories.items()}
        )

    def restore(self, path: Path) -> None:
        rest = read_training_state(path)
        identity = self._identity
        if rest["identity"] == identity | {"data": rest["identity"].get("data")} != identity:
            raise InputError(f"{path} belongs to a run on other data.", "Give the same data, or begin a run anew.")
        if rest["identity"] != identity:
            raise InputError(f"{path} belongs to a run with other settings.", "Give the same settings and seed again.")
        for name, part in self._networks_and_optimizers().items():
            part.load_state_dict(rest[name])
        self.step, self.seconds = rest["step"], rest["seconds"]
        if _same_file(path, self.request.resume_path):
            self.kept_step = self.step
        if self.step > self.objective.settings.steps:
            raise InputError(f"{path} is at step {self.step} already.", f"Give more steps than {self.step}.")

    def _agreed(self, decision: Any) -> Any:
        """Rank 0's decision, so that all devices stop and save at the same step."""
        return decision if self.fabric.world_size == 1 else self.fabric.broadcast(decision)

    def _position(self) -> float:
        """How far the run is, in planned steps: the steps done, or the share of the time spent if that is more."""
        settings = self.objective.settings
        spent = settings.steps * self.seconds / (60 * settings.minutes) if settings.minutes else 0
        return float(self._agreed(max(self.step, spent)))

    def until_done(self, on_progress: OnProgress, cancel: CancelToken, on_step: OnStep) -> TrainResult:
        total = self.objective.settings.steps
        watch = Stopwatch(total, on_progress, found=int(self._position()))
        saved = shown = time.monotonic()
        while (position := self._position()) < total and not self._agreed(cancel.cancelled or self.objective.finished):
            began = time.monotonic()
            self.objective.at(position)
            try:
                self.losses = self.objective.step(self.step)
            except (RuntimeError, ValueError) as error:
                raise training_error(error) from error
            broken = [name for name, value in self.losses.items() if not math.isfinite(value)]
            if self._agreed(bool(broken)):
                raise self._broke_down(f"the loss {' and '.join(broken)} is")
            self.step += 1
            if self._agreed(self.request.preview_seconds and time.monotonic() - shown > self.request.preview_seconds):
                with suppress(WorkError):  # a full disk is said of a checkpoint
                    self._show()
                shown = time.monotonic()
            self.seconds += time.monotonic() - began
            found = min(int(self._position()), total)
            watch.report(found, "  ".join(f"{name} {value:.3g}" for name, value in self.losses.items()))
            on_step(self.step, self.losses)
            due = time.monotonic() - saved > 60 * self.request.checkpoint_minutes
            if self._agreed(due) and found < total:
                began = time.monotonic()
                self.save()
                saved = time.monotonic()
                self.seconds += saved - began
        self.save()
        remarks = tuple(self.objective.remarks)
        request = self.request
        return TrainResult(request.out, request.resume_path, request.preview_path, self.step, self.losses, remarks)

    def save(self) -> None:
        """Write the resumable state, the model and the preview; what does not fit leaves those before as they are.

        Raises
        ------
        WorkError
            If a weight is NaN or too large to be stored; what was written before stays.
        """
        if not all(is_finite(network) for network in self.objective.networks.values()):
            raise self._broke_down("its weights are")
        try:
            self._save()
        except WorkError as error:
            if self.kept_step is None:
                raise
            raise WorkError(
                f"{error.problem} Training ended at step {self.step}; the state of step {self.kept_step} is kept.",
                f"Free some space and go on with: --resume {self.request.resume_path}",
            ) from error

    def _save(self) -> None:
        state = self._networks_and_optimizers() | {
            "identity": self._identity,
            "step": self.step,
            "seconds": self.seconds,
        }
        if not self.fabric.is_global_zero:
            self.fabric.save(self.request.resume_path, state)  # only rank 0 writes, but all must take part
            return
        with writing(self.request.resume_path) as temporary:
            self.fabric.save(temporary, state)
        self.objective.complete()
        self.kept_step = self.step
        save_model(self.request.out, self._card(), self.objective.exported.state_dict())
        self.objective.save_beside(self.request.out)
        self._show()

    def _show(self) -> None:
        if self.fabric.is_global_zero:
            with writing(self.request.preview_path) as temporary:
                iio.imwrite(temporary, self.objective.preview(), extension=".png")

    def _broke_down(self, what: str) -> WorkError:
        """The error for numbers that are none any more."""
        step = self.kept_step
        kept = "Nothing was written" if step is None else f"The model and state of step {step} are kept"
        return WorkError(
            f"Training broke down in step {self.step + 1}: {what} no longer finite.",
            f"{kept}; start again with a smaller learning_rate.",
        )

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
