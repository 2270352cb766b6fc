"""A label image on which nuclei are placed without ever merging two."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from napari_synth.masks.outlines import FOUR, Outline


@dataclass(frozen=True, eq=False)
class Footprint:
    """An outline as a canvas sees it.

    Attributes
    ----------
    outline : Outline
    inner, grown : ndarray of int64
        Its pixels, and those grown by the gap, as steps in the flat array of the canvas.
    top, left, bottom, right : int
        Its extent around its centre.
    """

    outline: Outline
    inner: np.ndarray
    grown: np.ndarray
    top: int
    left: int
    bottom: int
    right: int


class Canvas:
    """Labels with room around them, so that a nucleus may reach over the border.

    Parameters
    ----------
    labels : ndarray, shape (Y, X)
        What lies there already; 0 is free.
    outlines : list of Outline
        What is to be placed.
    """

    def __init__(self, labels: np.ndarray, outlines: list[Outline]):
        self.height, self.width = labels.shape
        self.margin = max((outline.reach for outline in outlines), default=0) + 1
        self._padded = np.pad(np.asarray(labels, np.int32), self.margin)
        self._flat = self._padded.reshape(-1)
        self._stride = self._padded.shape[1]

    @property
    def labels(self) -> np.ndarray:
        """What lies on the canvas, ``(Y, X)`` int32."""
        m = self.margin
        return np.ascontiguousarray(self._padded[m : m + self.height, m : m + self.width])

    def footprint(self, outline: Outline) -> Footprint:
        """An outline made ready for this canvas."""
        dy, dx = outline.dy, outline.dx
        return Footprint(
            outline,
            dy.astype(np.int64) * self._stride + dx,
            outline.grown_dy.astype(np.int64) * self._stride + outline.grown_dx,
            int(dy[0]),
            int(dx.min()),
            int(dy[-1]),
            int(dx.max()),
        )

    def under(self, y: int, x: int, steps: np.ndarray) -> np.ndarray:
        """The labels under the pixels of a footprint whose centre is there."""
        labels: np.ndarray = self._flat[steps + ((y + self.margin) * self._stride + x + self.margin)]
        return labels

    def is_free(self, y: int, x: int) -> bool:
        """Whether a pixel belongs to no nucleus."""
        return bool(self._padded[y + self.margin, x + self.margin] == 0)

    def visible(self, y: int, x: int, footprint: Footprint, only_free: bool) -> np.ndarray | None:
        """Which pixels of an outline would be seen, or None where they are none or not one part.

        Parameters
        ----------
        only_free : bool
            Leave out the pixels that other nuclei have.
        """
        rows, columns = footprint.outline.dy + y, footprint.outline.dx + x
        seen: np.ndarray = (rows >= 0) & (rows < self.height) & (columns >= 0) & (columns < self.width)
        if only_free:
            seen &= self.under(y, x, footprint.inner) == 0
        if seen.all():
            return seen
        return seen if seen.any() and is_one_part(rows[seen], columns[seen]) else None

    def put(self, y: int, x: int, footprint: Footprint, label: int) -> int:
        """Give the free pixels of an outline a label; returns how many of them lie on the canvas."""
        places = footprint.inner + ((y + self.margin) * self._stride + x + self.margin)
        free = self._flat[places] == 0
        self._flat[places[free]] = label
        if not self.reaches_over(y, x, footprint):
            return int(np.count_nonzero(free))
        rows, columns = footprint.outline.dy[free] + y, footprint.outline.dx[free] + x
        inside = (rows >= 0) & (rows < self.height) & (columns >= 0) & (columns < self.width)
        return int(np.count_nonzero(inside))

    def reaches_over(self, y: int, x: int, footprint: Footprint) -> bool:
        """Whether a part of the outline lies outside the canvas."""
        return (
            footprint.top + y < 0
            or footprint.left + x < 0
            or footprint.bottom + y >= self.height
            or footprint.right + x >= self.width
        )


def is_one_part(rows: np.ndarray, columns: np.ndarray) -> bool:
    """Whether pixels are 4-connected."""
    box = np.zeros((np.ptp(rows) + 1, np.ptp(columns) + 1), bool)
    box[rows - rows.min(), columns - columns.min()] = True
    return bool(ndimage.label(box, FOUR)[1] == 1)
