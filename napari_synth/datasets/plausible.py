"""Whether the numbers of a mask can be labels, and what to do where they cannot."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage
from skimage.measure import label as connected

SPECK = 4
"""Square pixels; where half of all parts are no larger, the numbers are noise and no nuclei."""
FEW = 12
"""So many parts and fewer tell nothing."""
BETWEEN = 0.12
"""Largest share of pixels in the middle half of the range that a blurred or compressed 0/1 mask has."""


@dataclass(frozen=True)
class Scatter:
    """How the numbers of a mask lie.

    Attributes
    ----------
    values : int
        Different numbers but 0.
    parts : int
        Connected parts of one number.
    specks : float
        Share of the parts that have at most `SPECK` pixels.
    """

    values: int
    parts: int
    specks: float

    @property
    def is_noise(self) -> bool:
        """Whether the numbers are those of an image: compression noise, interpolated edges, grey values."""
        return self.parts > max(FEW, 2 * self.values) and self.values > 2 and self.specks > 0.5


def scatter(labels: np.ndarray) -> Scatter:
    """Measure how the numbers of a mask ``(Y, X)`` of whole numbers lie."""
    values = int(np.count_nonzero(np.unique(labels)))
    if values <= 2:
        return Scatter(values, values, 0.0)
    sizes = np.bincount(connected(labels, background=0, connectivity=2).ravel())[1:]
    return Scatter(values, len(sizes), float(np.mean(sizes <= SPECK)))


def two_levels(values: np.ndarray) -> np.ndarray | None:
    """The foreground of a 0/1 mask that was compressed, blurred or resized; None where it has more levels.

    Parameters
    ----------
    values : ndarray, shape (Y, X)
        Numbers of any range.

    Returns
    -------
    ndarray of bool, shape (Y, X), or None
        Values over the middle of the range.
    """
    grey = np.asarray(values, np.float64)
    low, high = grey.min(), grey.max()
    if high <= low:
        return None
    share = (grey - low) / (high - low)
    between = np.mean((share > 0.25) & (share < 0.75))
    upper = share[share >= 0.75]
    level = np.median(upper)
    flat = np.mean(np.abs(upper - level) < 0.06)
    rare = between < BETWEEN and between < 0.6 * min(upper.size / share.size, 1 - upper.size / share.size)
    return share > 0.5 if rare and flat > 0.6 else None


def snapped(labels: np.ndarray) -> np.ndarray:
    """Labels without scattered numbers: each such pixel gets the number of the nearest whole nucleus, or 0.

    A number belongs to a nucleus where one of its parts is larger than `SPECK` and thicker than two pixels.
    """
    parts = connected(labels, background=-1, connectivity=1)
    thick = np.zeros(parts.max() + 1, bool)
    inner = ndimage.minimum_filter(parts, size=3) == ndimage.maximum_filter(parts, size=3)
    thick[np.unique(parts[inner])] = True
    whole = thick[parts]
    if not whole.any():
        return labels
    y, x = ndimage.distance_transform_edt(~whole, return_distances=False, return_indices=True)
    nearest: np.ndarray = labels[y, x]
    return nearest


def colours_to_labels(colours: np.ndarray) -> np.ndarray:
    """Labels ``(Y, X)`` int32 of a colour-mapped mask ``(Y, X, 3)``: one number per colour and connected part.

    The background is black where there is black, else the colour most common along the border.
    """
    flat, inverse = np.unique(colours.reshape(-1, colours.shape[-1]), axis=0, return_inverse=True)
    numbers = inverse.reshape(colours.shape[:2])
    black = np.flatnonzero(~flat.any(1))
    border = np.concatenate([numbers[0], numbers[-1], numbers[:, 0], numbers[:, -1]])
    background = int(black[0]) if black.size else int(np.bincount(border).argmax())
    return np.asarray(connected(numbers, background=background, connectivity=2), np.int32)
