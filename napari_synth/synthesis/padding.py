"""Continuing arrays by reflection to the sizes that a network accepts."""

from __future__ import annotations

import numpy as np


def padded_side(side: int, multiple: int) -> int:
    """The next multiple."""
    return side + -side % multiple


def padded_to(array: np.ndarray, multiple: int) -> np.ndarray:
    """An array continued by reflection until all its sides are multiples; itself where they are."""
    missing = [(0, padded_side(side, multiple) - side) for side in array.shape]
    if not any(after for _, after in missing):
        return array
    return np.pad(array, missing, mode="symmetric")
