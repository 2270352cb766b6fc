"""Dynamic routing on the CPU as one native loop.

Votes are read once: a tile of pixels is turned so that pixels lie side by side, all iterations run
on it while it is in the cache, and the capsules are written back. Every pixel is computed alike
wherever its tile runs, so the result does not depend on the number of threads.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from napari_synth.nets.native_loops import native, remark

Floats = npt.NDArray[np.float32]
Kernel = Callable[..., None]
TILE = 64
"""Pixels of a tile; with 16 × 32 votes each it takes 128 kB."""
PARTS_PER_THREAD = 2
F = np.float32
LOG2_E, LN2_HIGH, LN2_LOW = F(1.44269504), F(0.693359375), F(-2.12194440e-4)
TINY = F(np.finfo(np.float32).tiny)


@cache
def works() -> bool:
    """Whether the loop can be compiled here; if not, torch routes, slower."""
    votes = np.zeros((1, 2, 1, 1, 1), F)
    try:
        route_tiles(votes, np.empty((1, 1, 1, 1), F), np.empty((0, 1, 2, 1, 1), F), 2, 0, 1)
    except Exception as error:  # no memory that may be run, a full disk under the cache, no compiler for this machine
        remark(f"The routing of capsules could not be compiled, so it is slower ({error}).")
        return False
    return True


class NativeRoute(torch.autograd.Function):
    """Routing of contiguous float32 votes ``(B, I, P, J, C)`` on the CPU.

    Gives the capsules ``(B, P, J, C)`` and the coefficients ``(iterations, B, I, P, J)``, the latter
    empty unless they are kept; only the capsules have a gradient.
    """

    if TYPE_CHECKING:  # torch gives no types to it

        @classmethod
        def apply(cls, votes: Tensor, iterations: int, keep: bool) -> tuple[Tensor, Tensor]: ...

    @staticmethod
    def forward(ctx: Any, votes: Tensor, iterations: int, keep: bool) -> tuple[Tensor, Tensor]:
        ctx.save_for_backward(votes)
        ctx.iterations = iterations
        batch, inputs, pixels, capsules, channels = votes.shape
        out = votes.new_empty(batch, pixels, capsules, channels)
        coefficients = votes.new_empty(iterations if keep else 0, batch, inputs, pixels, capsules)
        spread(route_tiles, tiles_of(votes), votes.detach().numpy(), out.numpy(), coefficients.numpy(), iterations)
        ctx.mark_non_differentiable(coefficients)
        return out, coefficients

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        (votes,) = ctx.saved_tensors
        of_votes = torch.empty_like(votes)
        of_out = gradients[0].contiguous().numpy()
        spread(route_back_tiles, tiles_of(votes), votes.detach().numpy(), of_out, of_votes.numpy(), ctx.iterations)
        return of_votes, None, None


def tiles_of(votes: Tensor) -> int:
    """How many tiles votes ``(B, I, P, J, C)`` have."""
    return votes.shape[0] * -(-votes.shape[2] // TILE)


def spread(kernel: Kernel, tiles: int, *arguments: Any) -> None:
    """Run a kernel, given the first tile and the last + 1, over all tiles on as many threads as torch uses."""
    threads = torch.get_num_threads()
    count = min(tiles, threads * PARTS_PER_THREAD)
    if threads == 1 or count == 1:
        kernel(*arguments, 0, tiles)
        return
    bounds = [tiles * part // count for part in range(count + 1)]
    parts = [pool(threads).submit(kernel, *arguments, *part) for part in pairwise(bounds)]
    for part in parts:
        part.result()


@cache
def pool(threads: int) -> ThreadPoolExecutor:
    """Threads kept for all calls."""
    return ThreadPoolExecutor(threads, thread_name_prefix="routing")


@native
def route_tiles(votes: Floats, capsules: Floats, coefficients: Floats, iterations: int, first: int, last: int) -> None:
    """Capsules and coefficients (where there is room for them) in tiles first … last - 1."""
    inputs, pixels, outputs, channels = votes.shape[1:]
    w, s, v, c = workspace(inputs, channels, iterations)
    for tile in range(first, last):
        b, p, n = tile_at(tile, pixels)
        for j in range(outputs):
            load(votes, b, p, n, j, w)
            route_tile(w, s, v, c)
            for x in range(n):
                for k in range(channels):
                    capsules[b, p + x, j, k] = v[iterations - 1, k, x]
            for r in range(len(coefficients)):
                for i in range(inputs):
                    for x in range(n):
                        coefficients[r, b, i, p + x, j] = c[r, i, x]


@native
def route_back_tiles(
    votes: Floats, of_capsules: Floats, of_votes: Floats, iterations: int, first: int, last: int
) -> None:
    """Gradient of the votes from that of the capsules; the forward pass is repeated tile by tile."""
    inputs, pixels, outputs, channels = votes.shape[1:]
    w, s, v, c = workspace(inputs, channels, iterations)
    of_w = np.empty((inputs, channels, TILE), F)
    g = np.zeros((channels, TILE), F)
    of_logits = np.empty((inputs, TILE), F)
    for tile in range(first, last):
        b, p, n = tile_at(tile, pixels)
        for j in range(outputs):
            load(votes, b, p, n, j, w)
            route_tile(w, s, v, c)
            for k in range(channels):
                for x in range(n):
                    g[k, x] = of_capsules[b, p + x, j, k]
            of_w[:] = F(0)
            of_logits[:] = F(0)
            for r in range(iterations - 1, -1, -1):
                squash_back(s[r], g)
                spread_back(c[r], g, of_w)
                if r > 0:
                    softmax_back(c[r], w, g, of_logits)
                    weighted_sum(of_logits, w, g)
                    spread_back(of_logits, v[r - 1], of_w)
            for i in range(inputs):
                for x in range(n):
                    for k in range(channels):
                        of_votes[b, i, p + x, j, k] = of_w[i, k, x]


@native
def tile_at(tile: int, pixels: int) -> tuple[int, int, int]:
    """Image, first pixel and number of pixels of a tile."""
    tiles = (pixels + TILE - 1) // TILE
    b = tile // tiles
    p = (tile - b * tiles) * TILE
    return b, p, min(TILE, pixels - p)


@native
def workspace(inputs: int, channels: int, iterations: int) -> tuple[Floats, Floats, Floats, Floats]:
    """Room for the votes of a tile, and for the sums, capsules and coefficients of each iteration."""
    w = np.zeros((inputs, channels, TILE), F)
    s = np.empty((iterations, channels, TILE), F)
    v = np.empty((iterations, channels, TILE), F)
    c = np.empty((iterations, inputs, TILE), F)
    return w, s, v, c


@native
def load(votes: Floats, b: int, p: int, n: int, j: int, w: Floats) -> None:
    """Votes for output capsule j at n pixels from p on, as (I, C, pixel)."""
    inputs, channels = w.shape[:2]
    for i in range(inputs):
        for k in range(channels):
            for x in range(n):
                w[i, k, x] = votes[b, i, p + x, j, k]


@native
def route_tile(w: Floats, s: Floats, v: Floats, c: Floats) -> None:
    """All iterations for one output capsule: sums s, capsules v and coefficients c of each."""
    iterations, inputs = c.shape[:2]
    logits = np.zeros((inputs, TILE), F)
    c[0] = F(1) / F(inputs)
    for r in range(iterations):
        weighted_sum(c[r], w, s[r])
        squash_tile(s[r], v[r])
        if r + 1 < iterations:
            agree(w, v[r], logits)
            softmax(logits, c[r + 1])


@native
def weighted_sum(c: Floats, w: Floats, s: Floats) -> None:
    """S = Σ_i c_i w_i."""
    inputs, channels = w.shape[:2]
    for k in range(channels):
        for x in range(TILE):
            s[k, x] = c[0, x] * w[0, k, x]
        for i in range(1, inputs):
            for x in range(TILE):
                s[k, x] += c[i, x] * w[i, k, x]


@native
def agree(w: Floats, v: Floats, logits: Floats) -> None:
    """logits_i += w_i · v."""
    inputs, channels = w.shape[:2]
    for i in range(inputs):
        for k in range(channels):
            for x in range(TILE):
                logits[i, x] += w[i, k, x] * v[k, x]


@native
def squash_tile(s: Floats, v: Floats) -> None:
    """Squash the sums s into v, see `capsule.squash`."""
    channels = s.shape[0]
    factor = np.zeros(TILE, F)
    for k in range(channels):
        for x in range(TILE):
            factor[x] += s[k, x] * s[k, x]
    for x in range(TILE):
        factor[x] = math.sqrt(factor[x]) / (F(1) + factor[x])
    for k in range(channels):
        for x in range(TILE):
            v[k, x] = s[k, x] * factor[x]


@native
def softmax(logits: Floats, c: Floats) -> None:
    """Softmax over the input capsules, with exp as 2^n times a polynomial so that it runs on vectors."""
    inputs = logits.shape[0]
    highest = logits[0].copy()
    total = np.zeros(TILE, F)
    power = np.empty(TILE, np.int32)
    two_to_power = power.view(F)
    for i in range(1, inputs):
        for x in range(TILE):
            highest[x] = max(highest[x], logits[i, x])
    for i in range(inputs):
        for x in range(TILE):
            y = max(logits[i, x] - highest[x], F(-87))
            whole = np.floor(y * LOG2_E + F(0.5))
            y = y - whole * LN2_HIGH - whole * LN2_LOW
            z = F(1.9875691500e-4) * y + F(1.3981999507e-3)
            z = ((z * y + F(8.3334519073e-3)) * y + F(4.1665795894e-2)) * y + F(1.6666665459e-1)
            c[i, x] = (z * y + F(5.0000001201e-1)) * y * y + y + F(1)
            power[x] = (np.int32(whole) + np.int32(127)) << np.int32(23)
        for x in range(TILE):
            c[i, x] *= two_to_power[x]
            total[x] += c[i, x]
    for x in range(TILE):
        total[x] = F(1) / total[x]
    for i in range(inputs):
        for x in range(TILE):
            c[i, x] *= total[x]


@native
def squash_back(s: Floats, g: Floats) -> None:
    """Turn the gradient g of squash(s) into that of s."""
    channels = s.shape[0]
    squared, along = np.zeros(TILE, F), np.zeros(TILE, F)
    for k in range(channels):
        for x in range(TILE):
            squared[x] += s[k, x] * s[k, x]
            along[x] += s[k, x] * g[k, x]
    for x in range(TILE):
        n = max(squared[x], TINY)
        length = math.sqrt(n)
        along[x] *= (F(1) - n) / (length * (F(1) + n) * (F(1) + n))
        squared[x] = length / (F(1) + n)
    for k in range(channels):
        for x in range(TILE):
            g[k, x] = squared[x] * g[k, x] + along[x] * s[k, x]


@native
def spread_back(c: Floats, g: Floats, of_w: Floats) -> None:
    """of_w_i += c_i g."""
    inputs, channels = of_w.shape[:2]
    for i in range(inputs):
        for k in range(channels):
            for x in range(TILE):
                of_w[i, k, x] += c[i, x] * g[k, x]


@native
def softmax_back(c: Floats, w: Floats, g: Floats, of_logits: Floats) -> None:
    """of_logits += the gradient through the coefficients of s = Σ_i c_i w_i, given that of s."""
    inputs = w.shape[0]
    of_c = np.zeros((inputs, TILE), F)
    agree(w, g, of_c)
    mean = np.zeros(TILE, F)
    for i in range(inputs):
        for x in range(TILE):
            mean[x] += c[i, x] * of_c[i, x]
    for i in range(inputs):
        for x in range(TILE):
            of_logits[i, x] += c[i, x] * (of_c[i, x] - mean[x])
