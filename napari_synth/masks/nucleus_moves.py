"""Nuclei of a mask moved, turned, scaled, copied and removed as they were drawn, pixel by pixel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from napari_synth.core.errors import InputError

SMALLEST = 0.05
"""The factor by which nuclei are made smaller at most."""
LARGEST = 20.0


@dataclass(frozen=True)
class Motion:
    """How nuclei change their place: turned and scaled about their common centre, then moved.

    Attributes
    ----------
    dy, dx : float
        Pixels down and right.
    turn : float
        Degrees, counter-clockwise.
    factor : float
        By which their sides grow.
    """

    dy: float = 0.0
    dx: float = 0.0
    turn: float = 0.0
    factor: float = 1.0


@dataclass(frozen=True, eq=False)
class Change:
    """A change of a mask: ``labels[rows, columns] = values``.

    Attributes
    ----------
    rows, columns, values : ndarray, shape (P,)
    numbers : tuple of int
        The nuclei that were put down.
    areas : tuple of int
        Their pixels.
    """

    rows: np.ndarray
    columns: np.ndarray
    values: np.ndarray
    numbers: tuple[int, ...]
    areas: tuple[int, ...]


def pixels_of(labels: np.ndarray, numbers: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns of some nuclei."""
    chosen = labels == numbers[0] if len(numbers) == 1 else np.isin(labels, numbers)
    rows, columns = np.nonzero(chosen)
    return rows, columns


def middle(rows: np.ndarray, columns: np.ndarray) -> tuple[float, float]:
    """The middle (y, x) of the box around some pixels."""
    return float(rows.min() + rows.max()) / 2, float(columns.min() + columns.max()) / 2


def centre_of(labels: np.ndarray, numbers: Sequence[int]) -> tuple[float, float]:
    """The middle (y, x) of the box around some nuclei."""
    return middle(*pixels_of(labels, numbers))


def pixels_after(rows: np.ndarray, columns: np.ndarray, motion: Motion, about: tuple[float, float]) -> np.ndarray:
    """Where the pixels of a nucleus come to lie, whatever lies there; ``(P, 2)`` int, some may be outside."""
    if motion.turn == 0 and motion.factor == 1:
        return np.stack([rows + round(motion.dy), columns + round(motion.dx)], 1)
    top, left = rows.min() - 1, columns.min() - 1
    drawn = np.zeros((rows.max() - top + 2, columns.max() - left + 2), np.float32)
    drawn[rows - top, columns - left] = 1
    angle, factor = np.deg2rad(motion.turn), float(np.clip(motion.factor, SMALLEST, LARGEST))
    # (y, x) points down and right, so that counter-clockwise as seen is this
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) * factor
    corners = np.array([[y, x] for y in (0, drawn.shape[0]) for x in (0, drawn.shape[1])], float)
    goal = np.add(about, (motion.dy, motion.dx))
    moved = (corners - np.subtract(about, (top, left))) @ turn.T + goal
    low, high = np.floor(moved.min(0)).astype(int) - 1, np.ceil(moved.max(0)).astype(int) + 2
    back = np.linalg.inv(turn)
    offset = back @ (low - goal) + np.subtract(about, (top, left))
    seen = ndimage.affine_transform(drawn, back, offset, tuple(high - low), order=1) > 0.5
    found: np.ndarray = np.argwhere(seen) + low
    return found


def moved(labels: np.ndarray, numbers: Sequence[int], motion: Motion) -> Change:
    """Take nuclei up and put them down elsewhere; other nuclei keep all their pixels.

    Parameters
    ----------
    labels : ndarray, shape (Y, X)
    numbers : sequence of int
        Nuclei of the mask.
    motion : Motion

    Raises
    ------
    InputError
        If one of them would have no pixel left.
    """
    free = labels.copy()
    free[pixels_of(labels, numbers)] = 0
    about = centre_of(labels, numbers)
    return _put_down(labels, free, [(n, pixels_after(*pixels_of(labels, [n]), motion, about)) for n in numbers])


def copied(labels: np.ndarray, numbers: Sequence[int], dy: int, dx: int) -> Change:
    """Put copies of nuclei, with new numbers, beside them where the mask is free.

    Raises
    ------
    InputError
        If there is no room for one of them.
    """
    first = int(labels.max(initial=0)) + 1
    motion, about = Motion(dy, dx), centre_of(labels, numbers)
    copies = [(first + i, pixels_after(*pixels_of(labels, [n]), motion, about)) for i, n in enumerate(numbers)]
    return _put_down(labels, labels.copy(), copies)


def removed(labels: np.ndarray, numbers: Sequence[int]) -> Change:
    """Make nuclei background."""
    rows, columns = pixels_of(labels, numbers)
    return Change(rows, columns, np.zeros(rows.size, np.int64), (), ())


def _put_down(labels: np.ndarray, onto: np.ndarray, nuclei: list[tuple[int, np.ndarray]]) -> Change:
    """Nuclei on free pixels of ``onto``, which is written to."""
    areas = []
    for number, pixels in nuclei:
        inside = (pixels >= 0).all(1) & (pixels < labels.shape).all(1)
        rows, columns = pixels[inside].T
        free = onto[rows, columns] == 0
        onto[rows[free], columns[free]] = number
        areas.append(int(np.count_nonzero(free)))
    if not all(areas):
        raise InputError("There is no room for this change.", "Move the nucleus where the mask is free.")
    rows, columns = np.nonzero(onto != labels)
    return Change(rows, columns, onto[rows, columns].astype(np.int64), tuple(n for n, _ in nuclei), tuple(areas))
