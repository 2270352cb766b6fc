"""What a fine-tuning is asked for, as a training."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from napari_synth.core.errors import InputError, unknown_name
from napari_synth.core.files import user_path
from napari_synth.datasets.identity import data_hash
from napari_synth.models.card import ModelCard
from napari_synth.models.registry import model_card
from napari_synth.training.request import TrainRequest
from napari_synth.training.state import RESUME_SUFFIX

ARCHITECTURE, PRESET = "optional-pix2pix", "fine-tune"
SHARED = ("ngf", "levels", "noise_periods", "style_size", "bank_size")
"""Settings that the start decides."""
PREVIEW_SECONDS = 10.0
LEAST_CROP = 64


class BesideModel:
    """Names of the files that a run keeps beside its model ``out``."""

    out: Path

    @property
    def progress_path(self) -> Path:
        """Where what happens is written, a line of JSON each."""
        return self.out.with_suffix(".progress.jsonl")

    @property
    def pause_path(self) -> Path:
        """While this file is there, the run waits."""
        return self.out.with_suffix(".pause")

    @property
    def stop_path(self) -> Path:
        """Where a file ends the run, which keeps what it has."""
        return self.out.with_suffix(".stop")

    @property
    def lock_path(self) -> Path:
        """Held while a run writes the model; see `core.locks`."""
        return self.out.with_name(f".{self.out.stem}.fine-tune.lock")

    @property
    def sheet_path(self) -> Path:
        """Pictures of what was held out: mask, real image, before, now."""
        return self.out.with_suffix(".before-after.png")


@dataclass(frozen=True)
class RunFiles(BesideModel):
    """The files of the run at ``out``, whatever it was asked for."""

    out: Path


@dataclass(frozen=True)
class FineTuneRequest(BesideModel):
    """A look of one's own from a few pairs.

    Attributes
    ----------
    model : str
        Id or file of the generator with styles to start from.
    data : Path
        Folder with ``images/`` and ``masks/``, or with one such folder per look.
    out : Path
        The ``.safetensors`` file to write; state, preview, progress and report go beside it. It holds the new looks
        alone; the start keeps its own.
    look : str
        Name of the look where there is one; empty: that of the folder.
    start_look : str
        Look of the start from which all begin; empty: for each the one most like its images.
    minutes : float
        Time after which training ends.
    settings : dict
        Overrides of single settings of `FineTuneSettings`.
    unlabelled : Path, optional
        Folder of images without labels that join.
    resume : bool
        Go on with the state beside ``out``; from the beginning where there is none yet.
    check : bool
        Let the label doctor look at the pairs first.
    judge : bool
        Measure in the end whether it helped.
    deep : bool
        By KID too, where the extra ``evaluate`` is installed.
    checkpoint_minutes : float
        Time between two states, and so the most that is lost.
    seed : int
    device : str
    overwrite : bool
        Replace a model of the same name.
    """

    model: str
    data: Path
    out: Path
    look: str = ""
    start_look: str = ""
    minutes: float = 15.0
    settings: dict[str, Any] = field(default_factory=dict)
    unlabelled: Path | None = None
    resume: bool = False
    check: bool = True
    judge: bool = True
    deep: bool = True
    checkpoint_minutes: float = 0.75
    seed: int = 1
    device: str = "auto"
    overwrite: bool = False


def can_be_fine_tuned(card: ModelCard) -> bool:
    """Whether a model has what a new look begins with."""
    return bool(card.architecture == ARCHITECTURE and card.style_size and card.hyper.get("upsampling") == "resize")


def start_card(model: str) -> ModelCard:
    """The card of a model to start from.

    Raises
    ------
    InputError
        If there is none, or it has no styles.
    """
    card = model_card(model)
    if not can_be_fine_tuned(card):
        raise InputError(
            f"The model {card.id} has no styles, so it cannot be fine-tuned.",
            "Start from optional-pix2pix-nuclei, or from a model made by: napari-synth train optional-pix2pix.",
        )
    return card


def as_training(request: FineTuneRequest) -> TrainRequest:
    """The training that a fine-tuning is.

    Raises
    ------
    InputError
        If the start or one of its looks is unknown, or there are no images without labels.
    """
    from napari_synth.training.fine_tune.unlabelled import unlabelled_files

    card = start_card(request.model)
    settings: dict[str, Any] = {"minutes": request.minutes, "look": request.look}
    settings |= {name: card.hyper[name] for name in SHARED if name in card.hyper}
    settings["mask_meaning"] = card.mask_meaning
    if request.start_look:
        settings["start_options"] = _start_options(card, request)
    if request.unlabelled is not None:
        folder = user_path(request.unlabelled)
        unlabelled_files(folder)
        settings |= {"unlabelled": str(folder), "unlabelled_hash": data_hash(folder)}
    state = request.out.with_suffix(RESUME_SUFFIX)
    going_on = request.resume and state.is_file()
    begun = request.resume and not going_on and not request.out.exists()  # its preview may be there
    return TrainRequest(
        architecture=ARCHITECTURE, data=request.data, out=request.out, preset=PRESET, init=request.model,
        settings=settings | request.settings, seed=request.seed, device=request.device,
        checkpoint_minutes=request.checkpoint_minutes, preview_seconds=PREVIEW_SECONDS,
        resume=state if going_on else None, overwrite=request.overwrite or begun,
    )  # fmt: skip


def _start_options(card: ModelCard, request: FineTuneRequest) -> str:
    from napari_synth.datasets.pairs import find_options

    if request.start_look not in card.options:
        raise unknown_name(f"look of {card.id}", request.start_look, card.options)
    number = str(card.options.index(request.start_look))
    return ",".join([number] * len(find_options(request.data)))
