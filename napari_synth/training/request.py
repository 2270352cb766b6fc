"""What a training is asked for, and what it gives back."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from napari_synth.training.state import RESUME_SUFFIX


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
        One of `TRAINING_PRECISIONS`; empty: what suits the objective and the device.
    checkpoint_minutes : float
        Time between two checkpoints.
    preview_seconds : float
        Time between two previews; 0: with the checkpoints only.
    overwrite : bool
        Replace a model of the same name; a run that is resumed replaces its own.
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
    precision: str = ""
    checkpoint_minutes: float = 3.0
    preview_seconds: float = 0.0
    overwrite: bool = False

    @property
    def resume_path(self) -> Path:
        """Where the resumable state goes."""
        return self.out.with_suffix(RESUME_SUFFIX)

    @property
    def preview_path(self) -> Path:
        """Where the preview goes."""
        return self.out.with_suffix(".preview.png")


@dataclass(frozen=True)
class TrainResult:
    """Where the model is, how far it got, and sentences on what was left out of the data."""

    path: Path
    resume_path: Path
    preview_path: Path
    steps: int
    losses: dict[str, float]
    remarks: tuple[str, ...] = ()
