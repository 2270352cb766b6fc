"""Pix2pix' U-Net as straight-line arithmetic on a state dict: no modules, no shared code."""

from __future__ import annotations

import torch
from torch.nn import functional as F


def _batch_norm(x, weights, name):
    mean, var = weights[f"{name}.running_mean"], weights[f"{name}.running_var"]
    gamma, beta = weights[f"{name}.weight"], weights[f"{name}.bias"]
    shape = (1, -1, 1, 1)
    return (x - mean.view(shape)) / torch.sqrt(var.view(shape) + 1e-5) * gamma.view(shape) + beta.view(shape)


def _double(x):
    """Bilinear doubling, half-pixel centres, by weights 3/4 and 1/4 of the two nearest pixels."""

    def along(x, dim):
        n = x.shape[dim]
        index = torch.arange(n)
        before, after = x.index_select(dim, (index - 1).clamp(0)), x.index_select(dim, (index + 1).clamp(max=n - 1))
        pair = torch.stack([0.25 * before + 0.75 * x, 0.75 * x + 0.25 * after], dim=dim + 1)
        return pair.flatten(dim, dim + 1)

    return along(along(x, 2), 3)


def plain_generator(inputs, weights, levels: int, upsampling: str):
    """The generator in eval mode without noise."""
    bias = weights.get
    x, skips = inputs, []
    for level in range(levels):
        if level:
            x = torch.where(x > 0, x, 0.2 * x)
        x = F.conv2d(x, weights[f"down.{level}.conv.weight"], bias(f"down.{level}.conv.bias"), stride=2, padding=1)
        if 0 < level < levels - 1:
            x = _batch_norm(x, weights, f"down.{level}.norm")
        skips.append(x)
    for block in range(levels):
        skip = skips[levels - 1 - block]
        x = skip if block == 0 else torch.cat([x, skip], 1)
        x = x.clamp(min=0)
        kernel, offset = weights[f"up.{block}.conv.weight"], bias(f"up.{block}.conv.bias")
        if upsampling == "transposed":
            x = F.conv_transpose2d(x, kernel, offset, stride=2, padding=1)
        else:
            x = F.conv2d(_double(x), kernel, offset, padding=1)
        if f"up.{block}.norm.weight" in weights:
            x = _batch_norm(x, weights, f"up.{block}.norm")
    if upsampling == "resize":
        x = torch.cat([x.clamp(min=0), inputs], 1)
        x = F.conv2d(x, weights["head.detail.weight"], weights["head.detail.bias"], padding=1).clamp(min=0)
        x = F.conv2d(x, weights["head.colour.weight"], weights["head.colour.bias"], padding=1)
    return torch.tanh(x)


def plain_patchgan(x, weights):
    """The 70x70 PatchGAN with BatchNorm statistics of the batch."""
    for number, (conv, norm, stride) in enumerate(((0, None, 2), (2, 3, 2), (5, 6, 2), (8, 9, 1), (11, None, 1))):
        x = F.conv2d(x, weights[f"layers.{conv}.weight"], weights.get(f"layers.{conv}.bias"), stride, 1)
        if norm is not None:
            mean = x.mean((0, 2, 3), keepdim=True)
            var = ((x - mean) ** 2).mean((0, 2, 3), keepdim=True)
            gamma, beta = (weights[f"layers.{norm}.{name}"].view(1, -1, 1, 1) for name in ("weight", "bias"))
            x = (x - mean) / torch.sqrt(var + 1e-5) * gamma + beta
        if number < 4:
            x = torch.where(x > 0, x, 0.2 * x)
    return x
