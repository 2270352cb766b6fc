"""Routing on a GPU in one kernel: the votes are read once, and nothing between them and the capsules is stored.

Loaded only where Triton is installed, which torch for CUDA brings along; see `routing_gpu`.
"""

from __future__ import annotations

from typing import Any

import torch
import triton  # type: ignore[import-not-found, unused-ignore]
import triton.language as tl  # type: ignore[import-not-found, unused-ignore]
from torch import Tensor

TINY = tl.constexpr(1.1754943508222875e-38)
ELEMENTS = 4096
"""Numbers of the votes that one program holds in registers."""
WARPS = 4


@triton.jit  # type: ignore[untyped-decorator, unused-ignore]
def _squashed(s):  # type: ignore[no-untyped-def]
    """Squash of ``[row, channel]``."""
    squared = tl.sum(s * s, 1)
    length = tl.sqrt(tl.maximum(squared, TINY))
    return s * (length / (1 + squared))[:, None]


@triton.jit  # type: ignore[untyped-decorator, unused-ignore]
def _squash_back(s, g):  # type: ignore[no-untyped-def]
    """The gradient of s, given that of squash(s)."""
    squared = tl.maximum(tl.sum(s * s, 1), TINY)
    length = tl.sqrt(squared)
    along = tl.sum(s * g, 1) * ((1 - squared) / (length * (1 + squared) * (1 + squared)))
    return g * (length / (1 + squared))[:, None] + s * along[:, None]


@triton.jit  # type: ignore[untyped-decorator, unused-ignore]
def _softmax(logits, present):  # type: ignore[no-untyped-def]
    """Softmax over the input capsules, ``[row, input]``."""
    logits = tl.where(present[None, :], logits, -float("inf"))
    power = tl.exp(logits - tl.max(logits, 1)[:, None])
    return power / tl.sum(power, 1)[:, None]


@triton.jit  # type: ignore[untyped-decorator, unused-ignore]
def _softmax_back(c, of_c):  # type: ignore[no-untyped-def]
    """The gradient of the logits, given that of their softmax."""
    return c * (of_c - tl.sum(c * of_c, 1)[:, None])


@triton.jit  # type: ignore[untyped-decorator, unused-ignore]
def _forward(  # type: ignore[no-untyped-def]
    votes, capsules, rows, places,
    CAPSULES: tl.constexpr, INPUTS: tl.constexpr, CHANNELS: tl.constexpr,
    INPUTS_PADDED: tl.constexpr, CHANNELS_PADDED: tl.constexpr, ITERATIONS: tl.constexpr, ROWS: tl.constexpr,
):  # fmt: skip
    """One program: ``ROWS`` pairs of place and output capsule of one image."""
    image = tl.program_id(1).to(tl.int64)
    row = tl.program_id(0) * ROWS + tl.arange(0, ROWS)
    i, c = tl.arange(0, INPUTS_PADDED), tl.arange(0, CHANNELS_PADDED)
    present = i < INPUTS
    inside = (row < rows)[:, None] & (c < CHANNELS)[None, :]
    start = (image * INPUTS + i.to(tl.int64)) * rows
    index = (start[None, :, None] + row[:, None, None]) * CHANNELS + c[None, None, :]
    w = tl.load(votes + index, mask=inside[:, None, :] & present[None, :, None], other=0.0).to(tl.float32)
    v = _squashed(tl.sum(w, 1) / INPUTS)
    if ITERATIONS > 1:
        logits = tl.sum(w * v[:, None, :], 2)
        for _ in tl.static_range(ITERATIONS - 2):
            v = _squashed(tl.sum(_softmax(logits, present)[:, :, None] * w, 1))
            logits += tl.sum(w * v[:, None, :], 2)
        v = _squashed(tl.sum(_softmax(logits, present)[:, :, None] * w, 1))
    place, j = row // CAPSULES, row % CAPSULES
    target = ((image * CAPSULES + j) * places + place)[:, None] * CHANNELS + c[None, :]
    tl.store(capsules + target, v.to(capsules.dtype.element_ty), mask=inside)


@triton.jit  # type: ignore[untyped-decorator, unused-ignore]
def _backward(  # type: ignore[no-untyped-def]
    votes, gradient, of_votes, rows, places,
    CAPSULES: tl.constexpr, INPUTS: tl.constexpr, CHANNELS: tl.constexpr,
    INPUTS_PADDED: tl.constexpr, CHANNELS_PADDED: tl.constexpr, ITERATIONS: tl.constexpr, ROWS: tl.constexpr,
):  # fmt: skip
    """As `_forward`, which is computed again; then the three iterations, or the only one, backwards."""
    image = tl.program_id(1).to(tl.int64)
    row = tl.program_id(0) * ROWS + tl.arange(0, ROWS)
    i, c = tl.arange(0, INPUTS_PADDED), tl.arange(0, CHANNELS_PADDED)
    present = i < INPUTS
    inside = (row < rows)[:, None] & (c < CHANNELS)[None, :]
    start = (image * INPUTS + i.to(tl.int64)) * rows
    index = (start[None, :, None] + row[:, None, None]) * CHANNELS + c[None, None, :]
    there = inside[:, None, :] & present[None, :, None]
    w = tl.load(votes + index, mask=there, other=0.0).to(tl.float32)
    place, j = row // CAPSULES, row % CAPSULES
    source = ((image * CAPSULES + j) * places + place)[:, None] * CHANNELS + c[None, :]
    g = tl.load(gradient + source, mask=inside, other=0.0).to(tl.float32)
    s0 = tl.sum(w, 1) / INPUTS
    if ITERATIONS == 1:
        of_w = tl.broadcast_to((_squash_back(s0, g) / INPUTS)[:, None, :], (ROWS, INPUTS_PADDED, CHANNELS_PADDED))
    else:
        v0 = _squashed(s0)
        logits = tl.sum(w * v0[:, None, :], 2)
        c1 = _softmax(logits, present)
        s1 = tl.sum(c1[:, :, None] * w, 1)
        v1 = _squashed(s1)
        c2 = _softmax(logits + tl.sum(w * v1[:, None, :], 2), present)
        s2 = tl.sum(c2[:, :, None] * w, 1)

        of_s = _squash_back(s2, g)
        of_w = c2[:, :, None] * of_s[:, None, :]
        of_logits = _softmax_back(c2, tl.sum(w * of_s[:, None, :], 2))
        of_w += of_logits[:, :, None] * v1[:, None, :]
        of_s = _squash_back(s1, tl.sum(of_logits[:, :, None] * w, 1))
        of_w += c1[:, :, None] * of_s[:, None, :]
        of_logits += _softmax_back(c1, tl.sum(w * of_s[:, None, :], 2))
        of_w += of_logits[:, :, None] * v0[:, None, :]
        of_w += (_squash_back(s0, tl.sum(of_logits[:, :, None] * w, 1)) / INPUTS)[:, None, :]
    tl.store(of_votes + index, of_w.to(of_votes.dtype.element_ty), mask=there)


class FusedRoute(torch.autograd.Function):
    """Votes ``[B, I, P, J, C]`` to capsules ``[B, J, P, C]``, both in the dtype of the votes; computed in float32."""

    @staticmethod
    def forward(ctx: Any, votes: Tensor, iterations: int) -> Tensor:
        votes = votes.contiguous()
        batch, _, places, capsules, channels = votes.shape
        out = votes.new_empty(batch, capsules, places, channels)
        _launch(_forward, votes, iterations, ELEMENTS, out)
        ctx.save_for_backward(votes)
        ctx.iterations = iterations
        return out

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        (votes,) = ctx.saved_tensors
        of_votes = torch.empty_like(votes)
        _launch(_backward, votes, ctx.iterations, ELEMENTS // 2, gradient.contiguous(), of_votes)
        return of_votes, None


def _launch(kernel: Any, votes: Tensor, iterations: int, elements: int, *others: Tensor) -> None:
    batch, inputs, places, capsules, channels = votes.shape
    inputs_padded, channels_padded = triton.next_power_of_2(inputs), triton.next_power_of_2(channels)
    at_once = max(1, elements // (inputs_padded * channels_padded))
    rows = places * capsules
    kernel[(triton.cdiv(rows, at_once), batch)](
        votes, *others, rows, places,
        capsules, inputs, channels, inputs_padded, channels_padded, iterations, at_once, num_warps=WARPS,
    )  # fmt: skip
