"""Rectangles of pixels."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np


class Box(NamedTuple):
    """Pixels ``top … bottom - 1`` by ``left … right - 1``."""

    top: int
    left: int
    bottom: int
    right: int

    @property
    def height(self) -> int:
        return max(0, self.bottom - self.top)

    @property
    def width(self) -> int:
        return max(0, self.right - self.left)

    @property
    def area(self) -> int:
        return self.height * self.width

    def within(self, other: Box) -> Box:
        """The part that lies in another box; empty boxes have the area 0."""
        return Box(
            max(self.top, other.top),
            max(self.left, other.left),
            min(self.bottom, other.bottom),
            min(self.right, other.right),
        )

    def around(self, other: Box) -> Box:
        """The smallest box that holds both."""
        return Box(
            min(self.top, other.top),
            min(self.left, other.left),
            max(self.bottom, other.bottom),
            max(self.right, other.right),
        )

    def grown(self, by: int) -> Box:
        return Box(self.top - by, self.left - by, self.bottom + by, self.right + by)

    def halves(self) -> tuple[Box, Box]:
        """The box cut in two across its longer side."""
        if self.height >= self.width:
            middle = (self.top + self.bottom) // 2
            return self._replace(bottom=middle), self._replace(top=middle)
        middle = (self.left + self.right) // 2
        return self._replace(right=middle), self._replace(left=middle)

    def seen_from(self, origin: Box) -> tuple[slice, slice]:
        """Slices of an array whose first element is at the corner of ``origin``."""
        return (
            slice(self.top - origin.top, self.bottom - origin.top),
            slice(self.left - origin.left, self.right - origin.left),
        )


def full_box(height: int, width: int) -> Box:
    """The box of a map of this size."""
    return Box(0, 0, height, width)


def bounds_of(true: np.ndarray, box: Box) -> Box:
    """The smallest box that holds all true pixels of an array over a box; there is one at least."""
    rows, columns = np.flatnonzero(true.any(1)), np.flatnonzero(true.any(0))
    return Box(
        box.top + int(rows[0]), box.left + int(columns[0]), box.top + int(rows[-1]) + 1, box.left + int(columns[-1]) + 1
    )


def merged(boxes: Iterable[Box]) -> list[Box]:
    """Boxes with the same pixels or a few more, joined where one is not larger than the two apart."""
    left = [box for box in boxes if box.area]
    done: list[Box] = []
    while left:
        box = left.pop()
        for other in done:
            both = box.around(other)
            if both.area <= box.area + other.area:
                done.remove(other)
                left.append(both)
                break
        else:
            done.append(box)
    return done


def strips(box: Box, pixels: int) -> Iterator[Box]:
    """The box in bands of whole rows with about so many pixels each."""
    rows = max(1, pixels // max(1, box.width))
    for top in range(box.top, box.bottom, rows):
        yield Box(top, box.left, min(top + rows, box.bottom), box.right)


def fullest_part(labels: np.ndarray, side: int) -> tuple[slice, slice]:
    """The square of at most ``side`` pixels in which most pixels are not 0, on a grid of half a side.

    Of large arrays some pixels are looked at, not all; where these are all 0, the square around the first other one.
    """
    height, width = (min(side, n) for n in labels.shape)
    step = max(1, side // 32)
    seen = labels[::step, ::step] > 0
    if not seen.any():
        return _around_first(labels, height, width)
    tops, lefts = ([*range(0, n - side, max(side // 2, 1)), max(n - side, 0)] for n in labels.shape)
    cuts = [(slice(top, top + height), slice(left, left + width)) for top in tops for left in lefts]

    def filled(cut: tuple[slice, slice]) -> int:
        rows, columns = (slice(-(-part.start // step), -(-part.stop // step)) for part in cut)
        return int(np.count_nonzero(seen[rows, columns]))

    return max(cuts, key=filled)


def _around_first(labels: np.ndarray, height: int, width: int) -> tuple[slice, slice]:
    y, x = np.unravel_index(int((labels > 0).argmax()), labels.shape)
    top, left = (
        min(max(int(at) - length // 2, 0), n - length)
        for at, length, n in zip((y, x), (height, width), labels.shape, strict=True)
    )
    return slice(top, top + height), slice(left, left + width)
