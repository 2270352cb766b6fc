"""Convolutional capsules with local dynamic routing (Bass et al. 2019, Algorithm 1).

A capsule map is ``[B, I, C, H, W]``: batch, capsules, pose channels, height, width. Every input
capsule votes for every output capsule through one convolution shared by all input capsules; routing
then decides per image, per pixel and per output capsule how much each vote counts.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from napari_synth.core.boxes import Box
from napari_synth.nets import routing_gpu
from napari_synth.nets.receptive_windows import convolved

ITERATIONS = 3


class Routed(NamedTuple):
    """Result of routing.

    Attributes
    ----------
    capsules : Tensor, shape (B, J, C, H, W)
    coefficients : Tensor, shape (iterations, B, I, J, H, W)
        Routing coefficients c_ij; they sum to 1 over I. With one input capsule there is one iteration.
    """

    capsules: Tensor
    coefficients: Tensor


def squash(s: Tensor, dim: int = -1) -> Tensor:
    """Shrink vectors to a length below 1: ``|s|² s / ((1 + |s|²) |s|)``, which is 0 at 0.

    Written as ``s · |s| / (1 + |s|²)``; value and gradient are finite everywhere.
    """
    squared = s.square().sum(dim, keepdim=True)
    length = squared.clamp(min=torch.finfo(s.dtype).tiny).sqrt()
    return s * (length / (1 + squared))


def being_recorded() -> bool:
    """Whether torch records what is computed, to compile it or to write it as a program."""
    tracing: bool = torch.jit.is_tracing()  # type: ignore[attr-defined,no-untyped-call]
    return tracing or torch.compiler.is_compiling()


def route(votes: Tensor, iterations: int = ITERATIONS, *, keep: bool = False) -> tuple[Tensor, Tensor]:
    """Dynamic routing of votes at independent places.

    b = 0; then repeatedly c = softmax of b over the input capsules, s_j = Σ_i c_ij û_ij,
    v_j = squash(s_j), and except after the last b_ij += û_ij · v_j. The first softmax is uniform,
    so the first s is a mean; with one input capsule c is 1 and nothing is routed.

    Parameters
    ----------
    votes : Tensor, shape (B, I, P, J, C)
        û_ij at P places; routed in float32 at least, whatever their dtype.
    iterations : int
    keep : bool
        Keep the coefficients.

    Returns
    -------
    capsules : Tensor, shape (B, P, J, C)
    coefficients : Tensor, shape (iterations, B, I, P, J)
        c_ij of each iteration, summing to 1 over I; of length 0 unless kept.
    """
    recorded = being_recorded()
    if not keep and not recorded and routing_gpu.fits(votes, iterations):
        return routing_gpu.routed(votes, iterations), votes.new_empty(0, *votes.shape[:-1])
    if votes.dtype in (torch.float16, torch.bfloat16):
        votes = votes.float()
    if votes.device.type == "cpu" and votes.dtype == torch.float32 and not recorded:
        from napari_synth.nets import routing_cpu

        if routing_cpu.works():
            return routing_cpu.NativeRoute.apply(votes.contiguous(), iterations, keep)
    inputs = votes.shape[1]
    kept = [torch.full_like(votes[..., 0], 1 / inputs)]
    v = squash(votes.mean(1))
    logits: Tensor | float = 0.0
    for _ in range(iterations - 1):
        logits = logits + (votes * v[:, None]).sum(-1)
        c = torch.softmax(logits, dim=1)
        v = squash((c[..., None] * votes).sum(1))
        kept.append(c)
    return v, torch.stack(kept) if keep else votes.new_empty(0, *votes.shape[:-1])


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
        convolution: type[nn.Conv2d | nn.ConvTranspose2d] = nn.ConvTranspose2d if transposed else nn.Conv2d
        self.capsules = capsules
        self.channels = channels
        self.conv = convolution(in_channels, capsules * channels, kernel, stride, padding)

    def forward(self, x: Tensor) -> Tensor:
        """``[B, I, C, H, W]`` to ``[B, J, C_J, H', W']``."""
        return self.routed(x, keep_coefficients=False).capsules

    def routed(self, x: Tensor, *, keep_coefficients: bool = True, window: tuple[Box, Box] | None = None) -> Routed:
        """The output with the routing coefficients of each iteration.

        ``window`` is where x lies in the layer's whole input, and which box of the output to compute, where that
        is not all.
        """
        batch, inputs = x.shape[:2]
        iterations = ITERATIONS if inputs > 1 else 1
        if not self.training and not torch.is_grad_enabled() and x.device.type == "cpu" and not being_recorded():
            from napari_synth.nets import winograd_cpu

            if winograd_cpu.fits(self.conv, self.channels, x):
                return turned(
                    *winograd_cpu.capsules(self.conv, self.channels, x, iterations, keep_coefficients, window)
                )
        out = convolved(self.conv, x.flatten(0, 1).contiguous(memory_format=torch.channels_last), window)
        height, width = out.shape[-2:]
        # In channels_last memory this is a view.
        votes = out.permute(0, 2, 3, 1).reshape(batch, inputs, height * width, self.capsules, self.channels)
        v, c = route(votes, iterations, keep=keep_coefficients)
        shape = (batch, height, width, self.capsules)
        return turned(v.reshape(*shape, self.channels), c.reshape(len(c), batch, inputs, *shape[1:]))


def turned(capsules: Tensor, coefficients: Tensor) -> Routed:
    """Capsules ``(B, H, W, J, C)`` and coefficients ``(iterations, B, I, H, W, J)`` with their places last."""
    return Routed(capsules.permute(0, 3, 4, 1, 2), coefficients.permute(0, 1, 2, 5, 3, 4))
