"""Winograd's minimal filtering: a small convolution as products at the eight points 0, ±1, ±2, ±1/2 and infinity.

Eight neighbouring inputs give, with a kernel of 5, four outputs, with one of 3 six: what reads the inputs is the same
for both. In two dimensions a tile of 4×4 outputs costs 64 products for each pair of channels instead of 400.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

POINTS = 8


def enter(d: Sequence[Any]) -> list[Any]:
    """Eight inputs in a row at the points."""
    even, odd = d[2] + d[6] - d[4] * 4.25, d[1] + d[5] - d[3] * 4.25
    even_of_2, odd_of_2 = d[6] + d[2] * 0.25 - d[4] * 1.25, d[1] * 0.5 - d[3] * 2.5 + d[5] * 2.0
    even_of_half, odd_of_half = d[6] + d[2] * 4.0 - d[4] * 5.0, d[1] * 2.0 - d[3] * 2.5 + d[5] * 0.5
    return [
        d[0] - d[6] + (d[4] - d[2]) * 5.25,
        even + odd,
        even - odd,
        even_of_2 + odd_of_2,
        even_of_2 - odd_of_2,
        even_of_half + odd_of_half,
        even_of_half - odd_of_half,
        d[7] - d[1] + (d[3] - d[5]) * 5.25,
    ]


def leave(m: Sequence[Any], outputs: int) -> list[Any]:
    """The products at the points as ``outputs`` in a row: four for a kernel of 5, six for one of 3."""
    even = m[1] + m[2], m[3] + m[4], m[5] + m[6]
    odd = m[1] - m[2], m[3] - m[4], m[5] - m[6]
    made = []
    for power in range(outputs):
        of_1, of_2, of_half = odd if power % 2 else even
        if power == 0:
            of_1 = m[0] + of_1
        if power == outputs - 1:
            of_1 = m[7] + of_1
        made.append(of_1 + of_2 * 2.0**power + of_half * 0.5**power)
    return made


@cache
def kernel_matrix(outputs: int) -> npt.NDArray[np.float64]:
    """What takes a kernel of ``9 - outputs`` numbers to the points, ``(8, 9 - outputs)``.

    The one matrix G with which ``leave(G g · enter(d))`` is the convolution for every g and d.
    """
    into = np.array(enter(list(np.eye(POINTS))))
    out = np.array(leave(list(np.eye(POINTS)), outputs))
    taps = POINTS + 1 - outputs
    products = (out[:, None] * into.T).reshape(-1, POINTS)
    wanted = np.stack([np.eye(outputs, POINTS, k).ravel() for k in range(taps)], axis=1)
    matrix: npt.NDArray[np.float64] = np.linalg.lstsq(products, wanted)[0]
    return matrix


def at_points(kernels: Tensor) -> Tensor:
    """Kernels ``(..., 5, 5)`` or ``(..., 3, 3)`` at the 8 × 8 points, ``(..., 64)`` float64."""
    taps = kernels.shape[-1]
    matrix = torch.from_numpy(kernel_matrix(POINTS + 1 - taps))
    values: Tensor = kernels.double().flatten(-2) @ torch.kron(matrix, matrix).T
    return values
