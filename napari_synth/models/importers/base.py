"""What all importers share: reading a state dict, renaming its tensors, refusing what does not fit."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from napari_synth.core.errors import InputError
from napari_synth.models.card import ModelCard

if TYPE_CHECKING:
    import torch

State = dict[str, "torch.Tensor"]
Names = dict[str, str]
"""Their prefix to ours."""
PARTS = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")


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
        State dict, id of the model and names of the options to a model in our terms.
    """

    title: str
    convert: Callable[[State, str, list[str]], Imported]


def read_state(path: Path) -> State:
    """The tensors of a state dict saved by torch; `InputError` when the file holds anything else."""
    import torch

    if not path.is_file():
        raise InputError(f"The checkpoint {path} does not exist.", "Check the path.")
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises many kinds for damaged files and for pickles with code
        raise InputError(
            f"{path.name} holds more than weights, or is damaged.", "Save its state_dict() alone and import that."
        ) from error
    for key in ("state_dict", "model_state_dict", "generator"):
        if isinstance(state, dict) and isinstance(state.get(key), dict):
            state = state[key]
    if not isinstance(state, dict) or not all(isinstance(value, torch.Tensor) for value in state.values()):
        raise InputError(f"{path.name} is not a state dict.", "Save the network's state_dict() and import that.")
    return {str(name).removeprefix("module."): tensor for name, tensor in state.items()}


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
    """Raise `InputError` when weights are not exactly those that a network expects."""
    for name, tensor in expected.items():
        if name not in weights:
            raise foreign(f"our {name!r} has no counterpart in {path.name}")
        if weights[name].shape != tensor.shape:
            theirs, ours = tuple(weights[name].shape), tuple(tensor.shape)
            raise foreign(f"{name!r} has the shape {theirs} instead of {ours}")
    for name in weights:
        if name not in expected:
            raise foreign(f"there is no place for {name!r}")


def foreign(reason: str) -> InputError:
    """The error for a checkpoint of another program."""
    return InputError(f"The checkpoint is not of this kind: {reason}.", "Check --from, and that it is a generator.")


def shape_of(state: State, name: str) -> tuple[int, ...]:
    """Shape of a tensor that must be there."""
    if name not in state:
        raise foreign(f"it lacks {name!r}")
    return tuple(state[name].shape)
