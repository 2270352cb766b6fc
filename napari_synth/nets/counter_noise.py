"""Noise by position: every pixel of an endless canvas has its own number, whatever part of it is drawn.

A number is a hash of (key, plane, row, column), computed in whole numbers, so it is the same on every device;
normal numbers come from a table of quantiles and coarser planes from plain multiplications and additions,
which IEEE arithmetic rounds alike everywhere.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
from scipy.special import ndtri
from torch import Tensor

WORD = 0xFFFFFFFF
QUANTILES = 1 << 16
# Of a multiplier of 32 bits only the value modulo 2**32 counts; taken as signed, no product leaves 64 bits.
_MULTIPLIERS = (0x21F0AAAD, 0xD35A2D97 - (1 << 32))
_ROW_SALT = 0x3C6EF372
TAPS = 5


def mixed(words: Tensor) -> Tensor:
    """A bijection of 32-bit words in which every bit of the input changes each bit of the output half of the time.

    Xor-shifts and multiplications (the form of MurmurHash3's finaliser, with the constants of C. Wellons'
    search for the least bias).

    Parameters
    ----------
    words : Tensor, int64
        In [0, 2**32).
    """
    words = words ^ (words >> 16)
    words = (words * _MULTIPLIERS[0]) & WORD
    words = words ^ (words >> 15)
    words = (words * _MULTIPLIERS[1]) & WORD
    return words ^ (words >> 15)


def counter_words(
    key: int | Tensor,
    plane: int,
    y: int | Tensor,
    x: int | Tensor,
    height: int,
    width: int,
    device: torch.device | str = "cpu",
) -> Tensor:
    """The random 32-bit words of a window.

    Parameters
    ----------
    key : int or Tensor, shape (), int64
        Names the noise, in [0, 2**32).
    plane : int
        Number of the plane, in [0, 2**16).
    y, x : int or Tensor, shape (), int64
        Position of the window's first pixel; may be negative. Key and position that lie on the device already
        are not waited for.
    height, width : int
        Its size in pixels.

    Returns
    -------
    Tensor, shape (height, width), int64
        In [0, 2**32).
    """
    named = key & WORD if isinstance(key, Tensor) else torch.tensor(key & WORD)
    start = mixed(mixed(named) ^ plane).to(device)
    rows = (torch.arange(height, device=device) + y) & WORD
    columns = (torch.arange(width, device=device) + x) & WORD
    # Two words per row: rows with the same first one still differ.
    first = mixed(mixed(rows) ^ start)
    second = mixed((first + _ROW_SALT + rows) & WORD)
    return mixed((mixed(first[:, None] ^ columns) + second[:, None]) & WORD)


def counter_uniform(
    key: int, plane: int, y: int, x: int, height: int, width: int, device: torch.device | str = "cpu"
) -> Tensor:
    """Uniform numbers in (0, 1) of a window, float32; parameters as `counter_words`."""
    words = counter_words(key, plane, y, x, height, width, device)
    return ((words >> 9).to(torch.float32) + 0.5) * (1 / (1 << 23))


def counter_normal(
    key: int | Tensor,
    plane: int,
    y: int | Tensor,
    x: int | Tensor,
    height: int,
    width: int,
    device: torch.device | str = "cpu",
) -> Tensor:
    """Numbers of N(0, 1) of a window, float32; parameters as `counter_words`.

    They are the quantiles (i + 0.5) / 65536 of the normal distribution, at most 4.3 from 0.
    """
    words = counter_words(key, plane, y, x, height, width, device)
    return _quantiles(str(device))[words >> 16]


@lru_cache(maxsize=8)
def _quantiles(device: str) -> Tensor:
    return torch.from_numpy(ndtri((np.arange(QUANTILES) + 0.5) / QUANTILES).astype(np.float32)).to(device)


def cells_of(start: int, size: int, period: int) -> tuple[int, int]:
    """First cell and number of cells of a coarse grid that ``size`` pixels from ``start`` are made of."""
    first = start // period - TAPS // 2
    return first, (start + size - 1) // period + TAPS // 2 - first + 1


def enlarged(grid: Tensor, period: int, y: int, x: int, height: int, width: int) -> Tensor:
    """A window of a coarse grid enlarged bicubically (a = -0.75, as `torch.nn.functional.interpolate`).

    Parameters
    ----------
    grid : Tensor, shape (..., rows, columns), float32
        The cells that `cells_of` names, in both directions.
    period : int
        Pixels per cell.
    y, x, height, width : int
        The window, in pixels; cell (0, 0) has its corner at pixel (0, 0).

    Returns
    -------
    Tensor, shape (..., height, width), float32
    """
    across = _along_last(grid.transpose(-1, -2), period, y, height).transpose(-1, -2)
    return _along_last(across, period, x, width)


def _along_last(grid: Tensor, period: int, start: int, size: int) -> Tensor:
    first, _ = cells_of(start, size, period)
    pixels = torch.arange(start, start + size, device=grid.device)
    cells = torch.div(pixels, period, rounding_mode="floor") - first - TAPS // 2
    weights = _cubic_weights(period, str(grid.device))[pixels.remainder(period)]
    total = grid[..., cells] * weights[:, 0]
    for tap in range(1, TAPS):
        total = total + grid[..., cells + tap] * weights[:, tap]
    return total


@lru_cache(maxsize=16)
def _cubic_weights(period: int, device: str, a: float = -0.75) -> Tensor:
    """Weight of each of the five nearest cells for each pixel of a cell, ``(period, 5)``."""
    centre = (np.arange(period) + 0.5) / period - 0.5
    t = np.abs(centre[:, None] - np.arange(-(TAPS // 2), TAPS // 2 + 1))
    near = (a + 2) * t**3 - (a + 3) * t**2 + 1
    far = a * t**3 - 5 * a * t**2 + 8 * a * t - 4 * a
    weights = np.where(t <= 1, near, np.where(t < 2, far, 0))
    return torch.from_numpy(weights.astype(np.float32)).to(device)


def noise_planes(
    key: int,
    periods: tuple[int, ...],
    y: int,
    x: int,
    height: int,
    width: int,
    device: torch.device | str = "cpu",
) -> Tensor:
    """Planes of noise, each coarse by its period; a window equals that part of the whole, bit by bit.

    Parameters
    ----------
    key : int
        Names the noise, for example ``derived_seed(seed, "render")``.
    periods : tuple of int
        Pixels per cell of each plane; 1 is noise of single pixels.
    y, x, height, width : int
        The window, in pixels.

    Returns
    -------
    Tensor, shape (len(periods), height, width), float32
    """
    planes = []
    for plane, period in enumerate(periods):
        if period == 1:
            planes.append(counter_normal(key, plane, y, x, height, width, device))
            continue
        (top, rows), (left, columns) = cells_of(y, height, period), cells_of(x, width, period)
        grid = counter_normal(key, plane, top, left, rows, columns, device)
        planes.append(enlarged(grid, period, y, x, height, width))
    return torch.stack(planes)


def noise_planes_at(key: Tensor, periods: tuple[int, ...], y: Tensor, x: Tensor, height: int, width: int) -> Tensor:
    """`noise_planes` of a key and a place that lie on a device, which is not waited for.

    Parameters
    ----------
    key, y, x : Tensor, shape (), int64
        ``y`` and ``x`` are multiples of all periods.

    Returns
    -------
    Tensor, shape (len(periods), height, width), float32
    """
    planes = []
    for plane, period in enumerate(periods):
        if period == 1:
            planes.append(counter_normal(key, plane, y, x, height, width, key.device))
            continue
        (first, rows), (_, columns) = cells_of(0, height, period), cells_of(0, width, period)
        top, left = (torch.div(start, period, rounding_mode="floor") + first for start in (y, x))
        grid = counter_normal(key, plane, top, left, rows, columns, key.device)
        planes.append(enlarged(grid, period, 0, 0, height, width))
    return torch.stack(planes)


def drawn_planes(batch: int, periods: tuple[int, ...], height: int, width: int, generator: torch.Generator) -> Tensor:
    """Planes like those of `noise_planes` at (0, 0), from a generator on its device: for training.

    Returns
    -------
    Tensor, shape (batch, len(periods), height, width), float32
    """
    device = generator.device
    planes = []
    for period in periods:
        shape = (height, width) if period == 1 else (cells_of(0, height, period)[1], cells_of(0, width, period)[1])
        grid = torch.randn(batch, *shape, generator=generator, device=device)
        planes.append(grid if period == 1 else enlarged(grid, period, 0, 0, height, width))
    return torch.stack(planes, 1)
