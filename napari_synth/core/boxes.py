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
