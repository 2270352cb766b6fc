"""Checkpoints of the published programs as models of ours.

A source is a table from their names to ours; everything else is refused. Checkpoints are opened with
``weights_only=True``, so nothing in them is ever run.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_synth.core.errors import InputError, unknown_name
from napari_synth.models.architectures import build
from napari_synth.models.card import Look, ModelCard
from napari_synth.models.checkpoint import save_model

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


def import_checkpoint(path: Path, source: str, out: Path, options: list[str] | None = None) -> ModelCard:
    """Read a checkpoint of a published program and write it as a model of ours.

    Parameters
    ----------
    path : Path
        A state dict saved by torch.
    source : str
        A key of `SOURCES`.
    out : Path
        The ``.safetensors`` file to write.
    options : list of str, optional
        Names of the options of an Optional Pix2Pix, in the order of its option numbers.

    Returns
    -------
    ModelCard

    Raises
    ------
    InputError
        If the source is unknown, the file is no state dict, or it is not of that source; the first
        wrong name is in the sentence.
    """
    if source not in SOURCES:
        raise unknown_name("source of checkpoints", source, sorted(SOURCES))
    imported = SOURCES[source](_read_state(path), out.stem, options or [])
    network = build(imported.card.architecture, **imported.card.hyper)
    _check(imported.weights, network.state_dict(), path)
    save_model(out, imported.card, imported.weights, half=False)
    return imported.card


def _read_state(path: Path) -> State:
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


def _renamed(state: State, names: Names, ignored: str = r"(?!)") -> State:
    """The state under our names; `InputError` for the first name that has no place."""
    out = {}
    for name, tensor in state.items():
        prefix, _, part = name.rpartition(".")
        if prefix in names and part in PARTS:
            out[f"{names[prefix]}.{part}"] = tensor
        elif not re.search(ignored, name):
            raise _foreign(f"it has {name!r}, which is not expected")
    return out


def _check(weights: State, expected: State, path: Path) -> None:
    for name, tensor in expected.items():
        if name not in weights:
            raise _foreign(f"our {name!r} has no counterpart in {path.name}")
        if weights[name].shape != tensor.shape:
            theirs, ours = tuple(weights[name].shape), tuple(tensor.shape)
            raise _foreign(f"{name!r} has the shape {theirs} instead of {ours}")
    for name in weights:
        if name not in expected:
            raise _foreign(f"there is no place for {name!r}")


def _foreign(reason: str) -> InputError:
    return InputError(f"The checkpoint is not of this kind: {reason}.", "Check --from, and that it is a generator.")


def _shape(state: State, name: str) -> tuple[int, ...]:
    if name not in state:
        raise _foreign(f"it lacks {name!r}")
    return tuple(state[name].shape)


def capspix2pix(state: State, model_id: str, options: list[str]) -> Imported:
    """CapsPix2Pix; its layers that are never used are left out."""
    names: Names = {"fc": "fc", "conv1": "conv1", "conv2": "conv2"}
    names |= {f"convcaps{i}.conv2d": f"convcaps{i}.conv" for i in (1, 2, 3, 4, 5, 6, 8, 9, 10)}
    names |= {f"deconvcaps{i}.deconv2d": f"deconvcaps{i}.conv" for i in (1, 2, 3)}
    card = ModelCard(
        id=model_id,
        architecture="capspix2pix",
        role="generator",
        mask_meaning="foreground",
        latent_size=100,
        network_range=(0, 1),
        tile_multiple=8,
    )
    return Imported(_renamed(state, names, r"\.bn\.|^convcaps7\.|^recon"), card)


def dvae(state: State, model_id: str, options: list[str]) -> Imported:
    """The shape DVAE of the thesis."""
    names: Names = {f"conv{i + 1}": f"encoder.{i}.0" for i in range(4)}
    names |= {f"bn{i + 1}": f"encoder.{i}.1" for i in range(4)}
    names |= {f"conv{i + 5}": f"decoder.{i}.0" for i in range(3)} | {"conv8": "decoder.3"}
    names |= {f"bn{i + 5}": f"decoder.{i}.1" for i in range(3)}
    names |= {"fc_e2": "encode_hidden", "fc_mean": "mean", "fc_logvar": "log_variance"}
    names |= {"fc_d1": "decode_hidden", "fc_d2": "decode_features"}
    latent = _shape(state, "fc_mean.weight")[0]
    card = ModelCard(
        id=model_id,
        architecture="dvae",
        hyper={"latent_size": latent},
        role="shapes",
        latent_size=latent,
        value_range=(0, 1),
    )
    return Imported(_renamed(state, names), card)


def optional_pix2pix(state: State, model_id: str, options: list[str]) -> Imported:
    """Optional Pix2Pix of the thesis, rendered as published.

    Its norms take the statistics of the image at hand, its options are the numbers 1, 2, …, and its
    images lie in [0, 1].
    """
    levels = sum(bool(re.fullmatch(r"conv\d+\.weight", name)) for name in state)
    ngf, in_channels = _shape(state, "conv1.weight")[:2]
    names: Names = {}
    for level in range(levels):
        names |= {f"conv{level + 1}": f"down.{level}.conv", f"conv{level + 1}_bn": f"down.{level}.norm"}
        names |= {f"deconv{level + 1}": f"up.{level}.conv", f"deconv{level + 1}_bn": f"up.{level}.norm"}
    out_channels = _shape(state, f"deconv{levels}.weight")[1]
    weights = _renamed(state, names)
    weights = {name: tensor for name, tensor in weights.items() if not re.search("running|tracked", name)}
    hyper: dict[str, Any] = {"in_channels": in_channels, "out_channels": out_channels, "ngf": ngf}
    hyper |= {"levels": levels, "bias": True, "norm": "image"}
    card = _pix2pix_card(model_id, hyper, options or ["1"]).model_copy(
        update={"mask_meaning": "foreground", "network_range": (0.0, 1.0), "option_values": "number"}
    )
    return Imported(weights, card)


def pix2pix(state: State, model_id: str, options: list[str]) -> Imported:
    """The U-Net generator of the widely used PyTorch pix2pix, with batch or instance norm."""
    levels = sum(name.endswith(".weight") and tensor.ndim == 4 for name, tensor in state.items()) // 2
    ngf, in_channels = _shape(state, "model.model.0.weight")[:2]
    out_channels = _shape(state, "model.model.3.weight")[1]
    names: Names = {}
    prefix = "model.model."
    for level in range(levels):
        first, last = level == 0, level == levels - 1
        down, up, norm_up = (0, 3, None) if first else (1, 3, 4) if last else (1, 5, 6)
        ours = levels - 1 - level
        names |= {f"{prefix}{down}": f"down.{level}.conv", f"{prefix}{up}": f"up.{ours}.conv"}
        if norm_up is not None:
            names[f"{prefix}{norm_up}"] = f"up.{ours}.norm"
        if not first and not last:
            names[f"{prefix}2"] = f"down.{level}.norm"
        prefix += "1.model." if first else "3.model."
    weights = _renamed(state, names)
    for block in range(1, levels):  # they join [skip, decoder], we join [decoder, skip]
        name = f"up.{block}.conv.weight"
        if name in weights:
            weights[name] = weights[name].roll(weights[name].shape[0] // 2, 0)
    batch = any(name.endswith("running_mean") for name in weights)
    hyper: dict[str, Any] = {"in_channels": in_channels, "out_channels": out_channels, "ngf": ngf}
    hyper |= {"levels": levels, "bias": not batch, "norm": "batch" if batch else "instance"}
    return Imported(weights, _pix2pix_card(model_id, hyper, []))


def _pix2pix_card(model_id: str, hyper: dict[str, Any], options: list[str]) -> ModelCard:
    return ModelCard(
        id=model_id,
        architecture="optional-pix2pix" if options else "pix2pix",
        hyper=hyper,
        role="generator",
        mask_meaning="foreground-signed",
        looks=[Look(name=name, rgb=hyper["out_channels"] == 3) for name in options],
        tile_multiple=2 ** hyper["levels"],
    )


SOURCES: dict[str, Callable[[State, str, list[str]], Imported]] = {
    "capspix2pix": capspix2pix,
    "dvae": dvae,
    "optional-pix2pix": optional_pix2pix,
    "pix2pix": pix2pix,
}
