"""The generators of the widely used PyTorch pix2pix: its U-Nets and ResNets, and the flat U-Net of znxlwm."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from napari_synth.core.errors import InputError
from napari_synth.models.card import Look, ModelCard
from napari_synth.models.importers import flat_unet
from napari_synth.models.importers.base import Imported, Importer, Names, Wishes, renamed, shape_of
from napari_synth.models.importers.norms import norm_of, with_statistics
from napari_synth.models.importers.states import State, read_state

READABLE, RENDERABLE = (1, 3, 4), (1, 3)
CONV_BLOCK = re.compile(r"model\.(\d+)\.conv_block\.(\d+)\.weight")


def convert(paths: tuple[Path, ...], wishes: Wishes) -> Imported:
    """The generator of any kind, depth and width."""
    state = read_state(paths[0], _is_generator, wishes.part)
    if any(CONV_BLOCK.fullmatch(name) for name in state):
        return _resnet(state, wishes)
    if flat_unet.recognised(state):
        return _flat(state, wishes)
    return _unet(state, wishes)


def _is_generator(state: State) -> bool:
    unet = {"model.model.0.weight", "model.model.3.weight"} <= set(state)
    resnet = "model.1.weight" in state and any(CONV_BLOCK.fullmatch(name) for name in state)
    return unet or resnet or flat_unet.recognised(state)


def _unet(state: State, wishes: Wishes) -> Imported:
    """The nested U-Net: each level lies within the one before."""
    levels = sum(name.endswith(".weight") and tensor.ndim == 4 for name, tensor in state.items()) // 2
    ngf, in_channels = shape_of(state, "model.model.0.weight")[:2]
    out_channels = shape_of(state, "model.model.3.weight")[1]
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
    weights = renamed(state, names)
    for block in range(1, levels):  # they join [skip, decoder], we join [decoder, skip]
        name = f"up.{block}.conv.weight"
        if name in weights:
            weights[name] = weights[name].roll(weights[name].shape[0] // 2, 0)
    bias = "down.0.conv.bias" in weights
    norm = norm_of(weights, bias, wishes.mode)
    hyper: dict[str, Any] = {"in_channels": in_channels, "out_channels": out_channels, "ngf": ngf, "levels": levels}
    hyper |= {"bias": bias, "norm": norm}
    # The file does not say whether there is dropout; the program has it in pix2pix, in the blocks of full width.
    blocks = max(levels - 5, 0) if wishes.mode == "test" else 0
    hyper |= {"dropout_blocks": blocks, "dropout_first": 1 if blocks else 0}
    return Imported(with_statistics(weights, norm), pix2pix_card(wishes, "pix2pix", hyper, 2**levels))


def _resnet(state: State, wishes: Wishes) -> Imported:
    """The ResNet; its second convolutions lie one place further where there is dropout before them."""
    kernels = [CONV_BLOCK.fullmatch(name) for name, tensor in state.items() if tensor.ndim == 4]
    inner = [(int(found[1]), int(found[2])) for found in kernels if found]
    blocks, second = len({block for block, _ in inner}), max(place for _, place in inner)
    dropout = second == 6
    ngf, in_channels = shape_of(state, "model.1.weight")[:2]
    end = 10 + blocks
    names: Names = {"model.1": "first.conv", "model.2": "first.norm", f"model.{end + 7}": "last"}
    for level in range(2):
        names |= {f"model.{4 + 3 * level}": f"down.{level}.conv", f"model.{5 + 3 * level}": f"down.{level}.norm"}
        names |= {f"model.{end + 3 * level}": f"up.{level}.conv", f"model.{end + 1 + 3 * level}": f"up.{level}.norm"}
    for block in range(blocks):
        inside, ours = f"model.{10 + block}.conv_block", f"blocks.{block}"
        names |= {f"{inside}.1": f"{ours}.first.conv", f"{inside}.2": f"{ours}.first.norm"}
        names |= {f"{inside}.{second}": f"{ours}.second.conv", f"{inside}.{second + 1}": f"{ours}.second.norm"}
    weights = renamed(state, names)
    bias = "first.conv.bias" in weights
    norm = norm_of(weights, bias, wishes.mode)
    out_channels = shape_of(state, f"model.{end + 7}.weight")[0]
    hyper: dict[str, Any] = {"in_channels": in_channels, "out_channels": out_channels, "ngf": ngf, "blocks": blocks}
    hyper |= {"bias": bias, "norm": norm, "dropout": 0.5 if dropout and wishes.mode == "test" else 0.0}
    return Imported(with_statistics(weights, norm), pix2pix_card(wishes, "pix2pix-resnet", hyper, 4))


def _flat(state: State, wishes: Wishes) -> Imported:
    """The U-Net of znxlwm, whose names the Optional Pix2Pix of the thesis has too."""
    weights, hyper = flat_unet.convert(state, wishes.mode)
    if hyper["in_channels"] == 2:
        raise InputError(
            "The checkpoint is an Optional Pix2Pix: it reads a mask and an option.",
            "Import it with --from optional-pix2pix.",
        )
    return Imported(weights, pix2pix_card(wishes, "pix2pix", hyper, 2 ** hyper["levels"]))


def pix2pix_card(
    wishes: Wishes, architecture: str, hyper: dict[str, Any], multiple: int, readable: tuple[int, ...] = READABLE
) -> ModelCard:
    """The card of a generator from a mask to an image, both in [-1, 1].

    Raises
    ------
    InputError
        If it reads or gives numbers of channels that cannot be rendered.
    """
    for verb, number, possible in (
        ("reads", hyper["in_channels"], readable),
        ("gives", hyper["out_channels"], RENDERABLE),
    ):
        if number not in possible:
            raise InputError(
                f"The generator {verb} {number} channels; a mask has one and an image 1 or 3.",
                f"Import one that {verb} {' or '.join(map(str, possible))}.",
            )
    return ModelCard(
        id=wishes.model_id,
        architecture=architecture,
        hyper=hyper,
        role="generator",
        mask_meaning="foreground-signed",
        tile_multiple=multiple,
    )


def looks(options: tuple[str, ...], out_channels: int) -> list[Look]:
    """Options by name, grey where the generator gives one channel."""
    return [Look(name=name, rgb=out_channels == 3) for name in options]


PIX2PIX = Importer("the PyTorch pix2pix of Isola et al. 2017 (U-Net, ResNet), or that of znxlwm", convert, True)
