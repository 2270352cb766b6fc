"""Finding the generator in what people save: state dicts under prefixes, in dictionaries, beside other networks."""

from __future__ import annotations

import argparse
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_synth.core.errors import InputError

if TYPE_CHECKING:
    import torch

State = dict[str, "torch.Tensor"]
Recognise = Callable[[State], bool]
PREFIXES = ("module", "_orig_mod", "generator", "netG", "net_G", "G", "model", "params", "ema", "network", "net")
"""Names that wrappers put before those of a network."""
DEPTH = 4
"""Most names that are taken off."""


def read_state(path: Path, recognise: Recognise, part: str = "") -> State:
    """The tensors of the one network in a file that is recognised, by the names that its program gave them.

    A file may hold a state dict, also under prefixes, dictionaries of them, and networks of other kinds.

    Parameters
    ----------
    path : Path
        Saved by torch, or a safetensors file.
    recognise : callable
        Whether tensors by name are those of the network looked for.
    part : str, optional
        Name of the dictionary or prefix, where several would do.

    Raises
    ------
    InputError
        If the file is missing, damaged, holds code, no tensors, or several networks that would do.
    """
    groups = dict(_groups(_loaded(path)))
    if not groups:
        raise InputError(f"{path.name} is not a state dict.", "Save the network's state_dict() and import that.")
    found = {
        name: tensors
        for group, state in groups.items()
        for name, tensors in _under_prefixes(group, state)
        if recognise(tensors)
    }
    if part:
        found = {name: state for name, state in found.items() if part in name.split(".")}
    if len(found) > 1:
        raise InputError(
            f"{path.name} holds several networks that would do: {', '.join(found)}.", "Name one with --part NAME."
        )
    if found:
        return next(iter(found.values()))
    if part or len(groups) > 1:
        raise InputError(
            f"{path.name} holds {', '.join(groups)}, of which none{f' in {part}' if part else ''} is of this kind.",
            "Check --from and --part, and that a generator is among them.",
        )
    return _bare(next(iter(groups.values())))


def _loaded(path: Path) -> object:
    import torch

    if not path.is_file():
        raise InputError(f"The checkpoint {path} does not exist.", "Check the path.")
    if path.suffix.lower() == ".safetensors":
        from napari_synth.models.checkpoint import load_weights

        return load_weights(path)
    if _is_program(path):
        raise InputError(
            f"{path.name} is a TorchScript program, not a state dict.", "Import it with --from torchscript."
        )
    try:
        with torch.serialization.safe_globals(_harmless()):
            return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises many kinds for damaged files and for pickles with code
        raise InputError(
            f"{path.name} holds more than weights, or is damaged.", "Save its state_dict() alone and import that."
        ) from error


def _is_program(path: Path) -> bool:
    """Whether this is what torch.jit saves, a zip with a list of constants."""
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return any(name.endswith("/constants.pkl") for name in archive.namelist())


def _harmless() -> list[Any]:
    """Plain data that training programs save beside the weights: NumPy numbers and command lines."""
    import numpy as np

    scalar: Any = np.float64(0).__reduce__()[0]
    kinds = {type(np.dtype(name)) for name in ("float32", "float64", "int32", "int64", "bool")}
    old = [(scalar, "numpy.core.multiarray.scalar"), (scalar, "numpy._core.multiarray.scalar")]
    return [*old, np.dtype, *kinds, argparse.Namespace]


def _groups(saved: object, name: str = "", depth: int = 0) -> Iterator[tuple[str, State]]:
    """All dictionaries of tensors, by the keys that lead to them."""
    import torch

    if not isinstance(saved, Mapping) or depth > DEPTH or not all(isinstance(key, str) for key in saved):
        return
    tensors = {key: value for key, value in saved.items() if isinstance(value, torch.Tensor)}
    if tensors:
        yield name or "its tensors", tensors
    for key, value in saved.items():
        yield from _groups(value, f"{name}.{key}".lstrip("."), depth + 1)


def _under_prefixes(group: str, state: State) -> Iterator[tuple[str, State]]:
    """The tensors that share a prefix, without it; for each prefix, beginning with none."""
    yield group, state
    prefixes = {
        ".".join(name.split(".")[:depth]) + "."
        for name in state
        for depth in range(1, min(DEPTH, name.count(".")) + 1)
        if not name.split(".")[depth - 1].isdecimal()
    }
    for prefix in sorted(prefixes):
        inner = {name.removeprefix(prefix): tensor for name, tensor in state.items() if name.startswith(prefix)}
        yield f"{group}.{prefix[:-1]}".removeprefix("its tensors."), inner


def _bare(state: State) -> State:
    """Without what wrappers put before all names, for the sentence about the first name that is wrong."""
    for _ in range(DEPTH):
        first = {name.split(".")[0] for name in state}
        if len(first) != 1 or not first <= set(PREFIXES) or not all("." in name for name in state):
            break
        state = {name.split(".", 1)[1]: tensor for name, tensor in state.items()}
    return state
