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
THIN = 0.05
"""Share of pixels in thin parts of their number that noise has at least."""
REACH = 12
"""Pixels from the even inside of a nucleus within which its blurred edge lies."""
CHANGES = 0.01
"""Share of neighbours with two numbers below which labels need no closer look."""
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
    thin : float
        Share of all pixels that lie in parts without a square of 3×3 pixels.
    orphans : float
        Share of the numbers that have only such parts.
    fringe : bool
        The orphans lie between two levels, as where a mask of two levels was compressed or resized.
    """

    values: int
    parts: int = 0
    specks: float = 0.0
    thin: float = 0.0
    orphans: float = 0.0
    fringe: bool = False

    @property
    def is_noise(self) -> bool:
        """Whether the numbers are those of an image: compression noise, interpolated edges, grey values."""
        many = self.parts > max(FEW, 2 * self.values) and self.specks > 0.5
        return self.values > 2 and (self.fringe or (many and (self.thin > THIN or self.orphans > 0.5)))


def is_scattered(labels: np.ndarray) -> bool:
    """Whether the numbers of a mask ``(Y, X)`` are those of an image, as `scatter` finds; quick for plain labels.

    In labels few neighbouring pixels have two numbers that are both not 0.
    """
    left, right = labels[:, :-1], labels[:, 1:]
    changes = np.count_nonzero((left != right) & (left != 0) & (right != 0))
    return bool(changes > CHANGES * np.count_nonzero(labels)) and scatter(labels).is_noise


def scatter(labels: np.ndarray) -> Scatter:
    """Measure how the numbers of a mask ``(Y, X)`` of whole numbers lie."""
    present = np.unique(labels)
    present = present[present != 0]
    if len(present) <= 2:
        return Scatter(len(present))
    sizes = np.bincount(connected(labels, background=0, connectivity=2).ravel())[1:]
    whole = parts_with_a_square(labels, 3)
    orphans = np.setdiff1d(present, labels[whole])
    low = orphans < 0.75 * present[-1]
    fringe = len(orphans) > 0.5 * len(present) and bool(low.any()) and two_levels(labels) is not None
    return Scatter(
        len(present),
        len(sizes),
        float(np.mean(sizes <= SPECK)),
        float(1 - whole.mean()),
        len(orphans) / len(present),
        fringe,
    )


def parts_with_a_square(labels: np.ndarray, side: int) -> np.ndarray:
    """Pixels of the connected parts of one number, background too, in which a square has room."""
    parts = connected(labels, background=-1, connectivity=1)
    inner = ndimage.minimum_filter(parts, size=side) == ndimage.maximum_filter(parts, size=side)
    thick = np.zeros(parts.max() + 1, bool)
    thick[np.unique(parts[inner])] = True
    whole: np.ndarray = thick[parts]
    return whole


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
    """Labels without scattered numbers: such a pixel joins the nearest whole nucleus, or the background.

    It joins the nucleus where its number is at least half of the nucleus' own and the nucleus is at most `REACH` away.
    What is whole has room for a square of 5×5 pixels, of 3×3 where nothing is that large.
    """
    for side in (5, 3):
        whole = parts_with_a_square(labels, side)
        nuclei = whole & (labels > 0)
        if nuclei.any():
            away, (y, x) = ndimage.distance_transform_edt(~nuclei, return_indices=True)
            joined = np.where((2 * labels >= labels[y, x]) & (away <= REACH), labels[y, x], 0)
            return np.where(whole, labels, joined)
    return labels


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
