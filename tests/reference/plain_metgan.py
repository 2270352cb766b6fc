"""MetGen written as one pass over its weights, with no module of the program and none of MONAI."""

from __future__ import annotations

import numpy as np
from torch.nn import functional as F


def batch_norm(x, weights=None, name="", eps=1e-5):
    """With the statistics of the batch at hand, as in training."""
    mean, variance = x.mean((0, 2, 3), keepdim=True), x.var((0, 2, 3), unbiased=False, keepdim=True)
    x = (x - mean) / (variance + eps) ** 0.5
    if weights is None:
        return x
    return x * weights[f"{name}.weight"][None, :, None, None] + weights[f"{name}.bias"][None, :, None, None]


def units(x, weights, name, count):
    for i in range(count):
        x = F.conv2d(x, weights[f"{name}.{i}.0.weight"], padding=1)
        x = F.relu(batch_norm(x, weights, f"{name}.{i}.1"))
    return x


def modulated(x, label, weights, name):
    """SPADE: normalise, then scale by 1 + gamma and shift by beta, both read from the label at this size."""
    label = label[:, :, :: label.shape[2] // x.shape[2], :: label.shape[3] // x.shape[3]]
    shared = F.relu(
        F.conv2d(label, weights[f"{name}.mlp_shared.conv.weight"], weights[f"{name}.mlp_shared.conv.bias"], padding=1)
    )
    gamma, beta = (
        F.conv2d(shared, weights[f"{name}.mlp_{k}.conv.weight"], weights[f"{name}.mlp_{k}.conv.bias"], padding=1)
        for k in ("gamma", "beta")
    )
    return batch_norm(x) * (1 + gamma) + beta


def spectral(weights, name):
    """A kernel divided by its largest singular value, as estimated by the stored vectors."""
    kernel = weights[f"{name}.parametrizations.weight.original"]
    u, v = (weights[f"{name}.parametrizations.weight.0._{k}"] for k in "uv")
    return kernel / (u @ kernel.flatten(1) @ v)


def spade_block(x, label, weights, name):
    slope = 0.2
    shortcut = x
    if f"{name}.conv_s.parametrizations.weight.original" in weights:
        shortcut = F.conv2d(modulated(x, label, weights, f"{name}.norm_s"), spectral(weights, f"{name}.conv_s"))
    for k in (0, 1):
        x = modulated(x, label, weights, f"{name}.norm_{k}")
        x = F.conv2d(
            F.leaky_relu(x, slope), spectral(weights, f"{name}.conv_{k}"), weights[f"{name}.conv_{k}.bias"], padding=1
        )
    return shortcut + x


def doubled(x):
    return x.repeat_interleave(2, 2).repeat_interleave(2, 3)


def bilinear(x):
    """Doubling by bilinear interpolation: each new pixel is 3/4 of the nearest old one and 1/4 of the next."""
    for axis in (2, 3):
        before, after = F_shift(x, axis, 1), F_shift(x, axis, -1)
        parts = (0.75 * x + 0.25 * before, 0.75 * x + 0.25 * after)
        x = interleave(*parts, axis)
    return x


def F_shift(x, axis, by):
    n = x.shape[axis]
    index = np.clip(np.arange(n) - by, 0, n - 1)
    return x[:, :, index] if axis == 2 else x[:, :, :, index]


def interleave(a, b, axis):
    import torch

    return torch.stack([a, b], dim=axis + 1).flatten(axis, axis + 1)


def plain_metgen(image, mask, weights, blocks):
    """``[B, 1, H, W]`` twice to ``[B, 1, H, W]``."""
    import torch

    skips, x = [], image
    for level in range(6):
        x = units(x, weights, f"down.{level}", 2)
        skips.append(x)
        x = F.max_pool2d(x, 2)
    x = F.conv2d(x, weights["centre.0.weight"], padding=1)
    x = F.relu(batch_norm(x, weights, "centre.1"))

    label = torch.cat([1 - mask, mask], 1)
    y = F.conv2d(label[:, :, ::32, ::32], weights["label.head.weight"], weights["label.head.bias"], padding=1)
    y = spade_block(y, label, weights, "label.blocks.0")
    y = spade_block(doubled(y), label, weights, "label.blocks.1")
    y = spade_block(y, label, weights, "label.blocks.2")
    joined = {1: y}
    for k in range(3, blocks):
        y = spade_block(doubled(y), label, weights, f"label.blocks.{k}")
        joined[k - 1] = y

    for stage in range(6):
        x = torch.cat([bilinear(x), skips[5 - stage]], 1)
        x = units(x, weights, f"up.{stage}", 3)
        if stage in joined:
            x = torch.cat([x, joined[stage]], 1)
    return torch.tanh(F.conv2d(x, weights["last.weight"], weights["last.bias"]))
