"""CapsPix2Pix in its published arrangement, to measure against.

Convolutions in the default memory layout, votes permuted to ``[B, H, W, I, J, C]``, every routing
iteration over the whole map with a copy per step, and routing even where there is one input capsule.
Same numbers, per image.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from napari_synth.nets.capspix2pix import STAGES, CapsPix2PixGenerator


def squash(s: Tensor) -> Tensor:
    """Over the last axis."""
    squared = (s**2).sum(-1, keepdim=True)
    length = squared.clamp(min=1e-30).sqrt()
    return squared / (1 + squared) * s / length


def capsules(layer: nn.Module, x: Tensor) -> Tensor:
    """One capsule layer, ``[B, I, C, H, W]`` to ``[B, J, C, H, W]``."""
    batch, inputs = x.shape[:2]
    out = layer.conv(x.reshape(batch * inputs, *x.shape[2:]))
    height, width = out.shape[-2:]
    votes = out.reshape(batch, inputs, layer.capsules, layer.channels, height, width)
    votes = votes.permute(0, 4, 5, 1, 2, 3).contiguous()
    logits = votes.new_zeros(votes.shape[:-1])
    for iteration in range(3):
        c = torch.softmax(logits, dim=3)
        v = squash((c[..., None] * votes).sum(3, keepdim=True))
        if iteration < 2:
            logits = logits + (votes * v).sum(-1)
    return v[:, :, :, 0].permute(0, 3, 4, 1, 2).contiguous()


def forward(network: CapsPix2PixGenerator, mask: Tensor, z: Tensor, noise: torch.Generator | None = None) -> Tensor:
    """The whole generator, with whole capsules dropped out under ``noise``."""
    x = network.entry(mask, z)
    maps: dict[str, Tensor] = {}
    for stage in STAGES:
        layer = getattr(network, stage.name)
        if not stage.inputs:
            maps[stage.name] = nn.functional.leaky_relu(layer(x), 0.01)[:, None]
            continue
        made = capsules(layer, torch.cat([maps[name] for name in stage.inputs], 1))
        maps[stage.name] = made if stage.name == "convcaps10" else network.dropout(made, noise)
    return torch.sigmoid(network.conv2(maps["convcaps10"][:, 0]))
