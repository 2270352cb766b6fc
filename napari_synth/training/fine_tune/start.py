"""A trained generator as the beginning of other looks."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from napari_synth.nets.pix2pix import option_plane
from napari_synth.nets.styled import StyledPix2Pix, colour_statistics
from napari_synth.training.objectives.texture import blurred

READERS = ("down.0.conv.weight", "head.detail.weight", "encoder.layers.0.weight")
"""The weights that read the option plane."""


def options_of(weights: dict[str, Tensor]) -> int:
    """How many options the weights of a `StyledPix2Pix` have."""
    return len(weights["bank"])


def has_option_plane(weights: dict[str, Tensor]) -> bool:
    """Whether these weights read one."""
    return weights["encoder.layers.0.weight"].shape[1] > 1 + 3


def with_option_plane(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """The weights of a generator that also reads an option plane, and for which nothing depends on it yet."""
    if has_option_plane(weights):
        return weights
    widened = dict(weights)
    inputs = weights["down.0.conv.weight"].shape[1]
    for name in READERS:
        weight = weights[name]
        others = weight.shape[1] - inputs if name.startswith("head") else 0
        zeros = torch.zeros_like(weight[:, :1])
        widened[name] = torch.cat([weight[:, : others + 1], zeros, weight[:, others + 1 :]], 1)
    return widened


def with_looks(weights: dict[str, Tensor], chosen: Sequence[int], bank_size: int) -> dict[str, Tensor]:
    """The weights of a generator whose option n renders what option ``chosen[n]`` of the given one does.

    The option plane is (k + 1) / K: its weights are scaled so that the new planes say what the old ones said.
    Exactly so for one look; for several as nearly as one factor can.

    Parameters
    ----------
    weights : dict
        Of a `StyledPix2Pix` with an option plane.
    chosen : sequence of int
    bank_size : int
        Codes per option in the new bank: those of the old one, again from the beginning where it is longer.
    """
    old = torch.tensor([(number + 1) / options_of(weights) for number in chosen])
    new = torch.tensor([(number + 1) / len(chosen) for number in range(len(chosen))])
    factor = float((old * new).sum() / new.square().sum())
    changed = dict(weights)
    inputs = weights["down.0.conv.weight"].shape[1]
    for name in READERS:
        others = weights[name].shape[1] - inputs if name.startswith("head") else 0
        changed[name] = weights[name].clone()
        changed[name][:, others + 1] *= factor
    members = torch.arange(bank_size) % weights["bank"].shape[1]
    for name in ("bank", "bank_spread"):
        changed[name] = weights[name][list(chosen)][:, members]
    return changed


@torch.no_grad()
def nearest_option(network: StyledPix2Pix, options: int, masks: Tensor, images: Tensor, noise: Tensor) -> int:
    """The option whose renderings, in the styles read off the images, are most like them in colour and contrast.

    How far the colours are from grey counts beside them: else a coloured look that is about as bright as grey images
    could stand before a grey one.

    Parameters
    ----------
    network : StyledPix2Pix
        In eval mode.
    options : int
    masks : Tensor, shape (B, 1, H, W)
    images : Tensor, shape (B, 3, H, W)
    noise : Tensor, shape (B, periods, H, W)
    """
    wanted = _statistics(masks, images)
    apart = []
    for number in range(options):
        plane = option_plane(torch.full((len(masks),), number), options, *masks.shape[-2:]).to(masks)
        conditions = torch.cat([masks, plane], 1)
        style, _ = network.encoder(conditions, images)
        apart.append(float((_statistics(masks, network.drawn(conditions, noise, style)) - wanted).abs().mean()))
    return min(range(options), key=apart.__getitem__)


def _statistics(masks: Tensor, images: Tensor) -> Tensor:
    fine, tint = images - blurred(images), images - images.mean(1, keepdim=True)
    return torch.cat([colour_statistics(masks, images), *(2 * part.abs().mean((2, 3)) for part in (fine, tint))], 1)
