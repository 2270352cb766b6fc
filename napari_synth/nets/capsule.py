"""Convolutional capsules with local dynamic routing (Bass et al. 2019, Algorithm 1).

A capsule map is ``[B, I, C, H, W]``: batch, capsules, pose channels, height, width. Every input
capsule votes for every output capsule through one convolution shared by all input capsules; routing
then decides per image, per pixel and per output capsule how much each vote counts.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

ITERATIONS = 3
STRIP_ELEMENTS = 2_000_000
"""Votes routed at a time, about 8 MB in float32, so that a strip stays in the cache."""


class Routed(NamedTuple):
    """Result of routing.

    Attributes
    ----------
    capsules : Tensor, shape (B, J, C, H, W)
    coefficients : list of Tensor, shape (B, I, J, H, W)
        Routing coefficients c_ij of each iteration; they sum to 1 over I.
    """

    capsules: Tensor
    coefficients: list[Tensor]


def squash(s: Tensor, dim: int = -1) -> Tensor:
    """Shrink vectors to a length below 1: ``|s|² s / ((1 + |s|²) |s|)``, which is 0 at 0.

    Written as ``s · |s| / (1 + |s|²)``; value and gradient are finite everywhere.
    """
    squared = s.square().sum(dim, keepdim=True)
    length = squared.clamp(min=torch.finfo(s.dtype).tiny).sqrt()
    return s * (length / (1 + squared))


def route(votes: Tensor, iterations: int = ITERATIONS) -> tuple[Tensor, list[Tensor]]:
    """Dynamic routing of votes at independent places.

    b = 0; then repeatedly c = softmax of b over the input capsules, s_j = Σ_i c_ij û_ij,
    v_j = squash(s_j), and except after the last b_ij += û_ij · v_j. The first softmax is uniform,
    so the first s is a mean; with one input capsule c is 1 and nothing is routed.

    Parameters
    ----------
    votes : Tensor, shape (B, I, P, J, C)
        û_ij at P places.
    iterations : int

    Returns
    -------
    capsules : Tensor, shape (B, P, J, C)
    coefficients : list of Tensor, shape (B, I, P, J)
        One per iteration.
    """
    inputs = votes.shape[1]
    coefficients = [torch.full_like(votes[..., 0], 1 / inputs)]
    v = squash(votes.mean(1))
    if inputs == 1:
        return v, coefficients * iterations
    logits: Tensor | float = 0.0
    for _ in range(iterations - 1):
        logits = logits + (votes * v[:, None]).sum(-1)
        c = torch.softmax(logits, dim=1)
        coefficients.append(c)
        v = squash((c[..., None] * votes).sum(1))
    return v, coefficients


class CapsuleLayer(nn.Module):
    """Capsules to capsules through a (transposed) convolution and routing.

    Parameters
    ----------
    in_channels : int
        Pose channels C of each input capsule.
    capsules, channels : int
        Output capsules J and their pose channels C_J. The convolution's output channels are ordered
        ``j · C_J + c``.
    kernel, stride, padding : int
        Of the convolution.
    transposed : bool
        Use a transposed convolution.
    """

    def __init__(
        self,
        in_channels: int,
        capsules: int,
        channels: int,
        kernel: int,
        stride: int,
        padding: int,
        *,
        transposed: bool = False,
    ):
        super().__init__()
        convolution = nn.ConvTranspose2d if transposed else nn.Conv2d
        self.capsules = capsules
        self.channels = channels
        self.conv = convolution(in_channels, capsules * channels, kernel, stride, padding)

    def forward(self, x: Tensor) -> Tensor:
        """``[B, I, C, H, W]`` to ``[B, J, C_J, H', W']``."""
        return self.routed(x, keep_coefficients=False).capsules

    def routed(self, x: Tensor, *, keep_coefficients: bool = True) -> Routed:
        """The output with the routing coefficients of each iteration."""
        batch, inputs = x.shape[:2]
        out = self.conv(x.flatten(0, 1).contiguous(memory_format=torch.channels_last))
        height, width = out.shape[-2:]
        # In channels_last memory this is a view: [B, I, H, W, J, C].
        votes = out.permute(0, 2, 3, 1).reshape(batch, inputs, height, width, self.capsules, self.channels)
        rows = max(1, STRIP_ELEMENTS // max(1, votes[:, :, 0].numel()))
        capsules, coefficients = [], []
        for top in range(0, height, rows):
            strip = votes[:, :, top : top + rows].flatten(2, 3)
            v, c = route(strip)
            capsules.append(v)
            if keep_coefficients:
                coefficients.append(c)
        v = torch.cat(capsules, 1) if len(capsules) > 1 else capsules[0]
        v = v.reshape(batch, height, width, self.capsules, self.channels).permute(0, 3, 4, 1, 2)
        joined = [
            torch.cat(parts, 2).reshape(batch, inputs, height, width, self.capsules).permute(0, 1, 4, 2, 3)
            for parts in zip(*coefficients, strict=True)
        ]
        return Routed(v, joined)
