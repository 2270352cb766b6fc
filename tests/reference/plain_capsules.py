"""Capsule layers written as the algorithm reads: one pair of capsules after the other."""

from __future__ import annotations

import torch
from torch.nn import functional as F


def plain_squash(s):
    """|s|² s / ((1 + |s|²) |s|) over the last axis, 0 at 0."""
    length = torch.sqrt((s * s).sum(-1, keepdim=True))
    safe = torch.where(length > 0, length, torch.ones_like(length))
    return torch.where(length > 0, length**2 / (1 + length**2) * s / safe, torch.zeros_like(s))


def plain_layer(x, weight, bias, capsules, stride, padding, transposed, iterations=3):
    """``[B, I, C, H, W]`` to ``[B, J, C_J, H', W']``; Algorithm 1 with the softmax over input capsules."""
    batch, inputs = x.shape[:2]
    convolve = F.conv_transpose2d if transposed else F.conv2d
    images = []
    for b in range(batch):  # each image alone: nothing is shared in a batch
        votes = [
            convolve(x[b : b + 1, i], weight, bias, stride=stride, padding=padding)[0].unflatten(0, (capsules, -1))
            for i in range(inputs)
        ]
        outputs = []
        for j in range(capsules):
            u = torch.stack([vote[j] for vote in votes]).movedim(1, -1)  # [I, H, W, C]
            logits = torch.zeros(u.shape[:-1], dtype=u.dtype)
            for iteration in range(iterations):
                exponentials = torch.exp(logits)
                c = exponentials / exponentials.sum(0, keepdim=True)
                s = sum(c[i][..., None] * u[i] for i in range(inputs))
                v = plain_squash(s)
                if iteration < iterations - 1:
                    logits = logits + torch.stack([(u[i] * v).sum(-1) for i in range(inputs)])
            outputs.append(v.movedim(-1, 0))
        images.append(torch.stack(outputs))
    return torch.stack(images)


LAYERS = (
    ("convcaps1", 2, 2, 2, False), ("convcaps2", 4, 1, 2, False), ("convcaps3", 4, 2, 2, False),
    ("convcaps4", 8, 1, 2, False), ("convcaps5", 8, 2, 2, False), ("convcaps6", 8, 1, 2, False),
    ("deconvcaps1", 8, 2, 1, True), ("convcaps8", 4, 1, 2, False), ("deconvcaps2", 4, 2, 1, True),
    ("convcaps9", 4, 1, 2, False), ("deconvcaps3", 2, 2, 1, True), ("convcaps10", 1, 1, 0, False),
)  # fmt: skip


def plain_capspix2pix(mask, z, weights):
    """CapsPix2Pix without dropout on a canvas of at most 256²."""
    height, width = mask.shape[-2:]
    plane = (z @ weights["fc.weight"].T + weights["fc.bias"]).reshape(-1, 1, 256, 256)[:, :, :height, :width]
    x = F.conv2d(torch.cat([plane, mask], 1), weights["conv1.weight"], weights["conv1.bias"], padding=2)
    x = torch.where(x > 0, x, 0.01 * x)[:, None]
    joins = {"convcaps8": "convcaps4", "convcaps9": "convcaps2", "convcaps10": "first"}
    kept = {"first": x}
    for name, capsules, stride, padding, transposed in LAYERS:
        if name in joins:
            x = torch.cat([x, kept[joins[name]]], 1)
        kernel, bias = weights[f"{name}.conv.weight"], weights[f"{name}.conv.bias"]
        x = kept[name] = plain_layer(x, kernel, bias, capsules, stride, padding, transposed)
    return 1 / (1 + torch.exp(-F.conv2d(x[:, 0], weights["conv2.weight"], weights["conv2.bias"])))


def plain_published_capspix2pix(mask, z, state):
    """The same with the names of the authors' checkpoints, whose first convolution reads [mask, plane]."""
    weights = {
        name.replace(".deconv2d.", ".conv.").replace(".conv2d.", ".conv."): tensor for name, tensor in state.items()
    }
    weights["conv1.weight"] = state["conv1.weight"][:, [1, 0]]
    return plain_capspix2pix(mask, z, weights)
