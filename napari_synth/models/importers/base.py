"""What all importers share: what is asked of them, renaming tensors, refusing what does not fit."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from napari_synth.core.errors import InputError, unknown_name
from napari_synth.models.card import ModelCard
from napari_synth.models.importers.states import State

Names = dict[str, str]
"""Their prefix to ours."""
PARTS = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
STATISTICS = re.compile(r"(running_mean|running_var|num_batches_tracked)$")
Mode = Literal["test", "eval"]
MODES: dict[Mode, str] = {
    "test": "norms take the statistics of the image, dropout is noise",
    "eval": "norms take the running statistics in the file",
}


def mode_named(name: str) -> Mode:
    """A mode by its name; `InputError` when there is none."""
    for mode in MODES:
        if name == mode:
            return mode
    raise unknown_name("way to import a checkpoint", name, list(MODES))


@dataclass(frozen=True)
class Wishes:
    """What a checkpoint does not say of itself.

    Attributes
    ----------
    model_id : str
    options : tuple of str
        Names of the options of an Optional Pix2Pix, in the order of its option numbers.
    mode : {'test', 'eval'}
        See `MODES`; the published programs render as ``'test'`` unless they are told otherwise.
    part : str
        Which of several networks in the file.
    reads : tuple of float
        What a program of somebody else reads for background and object.
    gives : tuple of float, optional
        What it gives for black and white.
    multiple : int
        Height and width that it accepts are multiples of this.
    axes : str
        Order of the axes that it reads and gives, such as bcyx.
    """

    model_id: str
    options: tuple[str, ...] = ()
    mode: Mode = "test"
    part: str = ""
    reads: tuple[float, float] = (0.0, 1.0)
    gives: tuple[float, float] | None = None
    multiple: int = 1
    axes: str = "bcyx"


@dataclass(frozen=True)
class Imported:
    """A checkpoint in our terms."""

    weights: State
    card: ModelCard


@dataclass(frozen=True)
class Importer:
    """A published program whose checkpoints can be read.

    Attributes
    ----------
    title : str
        The program, for a person.
    convert : callable
        Files and wishes to a model in our terms.
    has_modes : bool
        Whether the program can be run in the `MODES`.
    files : tuple of str
        What its files are, where it has several.
    declares : bool
        Whether the user says what it reads and gives.
    """

    title: str
    convert: Callable[[tuple[Path, ...], Wishes], Imported]
    has_modes: bool = False
    files: tuple[str, ...] = ("the checkpoint",)
    declares: bool = False


def renamed(state: State, names: Names, ignored: str = r"(?!)") -> State:
    """The state under our names; `InputError` for the first name that has no place."""
    out = {}
    for name, tensor in state.items():
        prefix, _, part = name.rpartition(".")
        if prefix in names and part in PARTS:
            out[f"{names[prefix]}.{part}"] = tensor
        elif not re.search(ignored, name):
            raise foreign(f"it has {name!r}, which is not expected")
    return out


def check_fits(weights: State, expected: State, path: Path) -> None:
    """Raise `InputError` when weights are not exactly those that a network expects, or are not finite."""
    for name, tensor in expected.items():
        if name not in weights:
            raise foreign(f"our {name!r} has no counterpart in {path.name}")
        if weights[name].shape != tensor.shape:
            theirs, ours = tuple(weights[name].shape), tuple(tensor.shape)
            raise foreign(f"{name!r} has the shape {theirs} instead of {ours}")
        if weights[name].is_complex() or not weights[name].isfinite().all():
            raise InputError(
                f"{path.name} holds numbers in our {name!r} that are not finite: its training diverged.",
                "Import an earlier checkpoint of the training.",
            )
    for name in weights:
        if name not in expected:
            raise foreign(f"there is no place for {name!r}")


def foreign(reason: str) -> InputError:
    """The error for a checkpoint of another program."""
    return InputError(f"The checkpoint is not of this kind: {reason}.", "Check --from, and that it is a generator.")


def shape_of(state: State, name: str, axes: int = 4) -> tuple[int, ...]:
    """Shape of a tensor that must be there and have so many axes."""
    if name not in state:
        raise foreign(f"it lacks {name!r}")
    shape = tuple(state[name].shape)
    if len(shape) != axes or 0 in shape:
        raise foreign(f"{name!r} has the shape {shape}")
    return shape
