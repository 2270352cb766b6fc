"""A label image on which nuclei are placed without ever merging two."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from napari_synth.masks.outlines import FOUR, Outline


class Canvas:
    """Labels with room around them, so that a nucleus may reach over the border.

    Parameters
    ----------
    labels : ndarray, shape (Y, X)
        What lies there already; 0 is free.
    margin : int
        At least the reach of the largest outline, with its gap.
    """

    def __init__(self, labels: np.ndarray, margin: int):
        self.height, self.width = labels.shape
        self.margin = margin
        self._padded = np.pad(np.asarray(labels, np.int32), margin)
        self._flat = self._padded.reshape(-1)
        self._stride = self._padded.shape[1]

    @property
    def labels(self) -> np.ndarray:
        """What lies on the canvas, ``(Y, X)`` int32."""
        m = self.margin
        return np.ascontiguousarray(self._padded[m : m + self.height, m : m + self.width])

    def offsets(self, dy: np.ndarray, dx: np.ndarray) -> np.ndarray:
        """Relative rows and columns as steps in the flat array."""
        return dy.astype(np.int64) * self._stride + dx

    def position(self, y: int, x: int) -> int:
        """A pixel as a place in the flat array."""
        return (y + self.margin) * self._stride + x + self.margin

    def is_free(self, position: int) -> bool:
        return self._flat[position] == 0

    def under(self, position: int, offsets: np.ndarray) -> np.ndarray:
        """The labels under pixels."""
        return self._flat[position + offsets]

    def visible(self, y: int, x: int, outline: Outline, only_free: bool) -> np.ndarray | None:
        """Which pixels of an outline would be seen, or None where they are none or not one part.

        Parameters
        ----------
        only_free : bool
            Leave out the pixels that other nuclei have.
        """
        rows, columns = outline.dy + y, outline.dx + x
        seen = (rows >= 0) & (rows < self.height) & (columns >= 0) & (columns < self.width)
        if only_free:
            seen &= self.under(self.position(y, x), self.offsets(outline.dy, outline.dx)) == 0
        if seen.all():
            return seen
        return seen if seen.any() and is_one_part(rows[seen], columns[seen]) else None

    def put(self, y: int, x: int, outline: Outline, label: int) -> None:
        """Give the free pixels of an outline a label."""
        places = self.position(y, x) + self.offsets(outline.dy, outline.dx)
        self._flat[places[self._flat[places] == 0]] = label

    def reaches_over(self, y: int, x: int, outline: Outline) -> bool:
        """Whether a part of the outline lies outside the canvas."""
        return bool(
            outline.dy.min() + y < 0
            or outline.dx.min() + x < 0
            or outline.dy.max() + y >= self.height
            or outline.dx.max() + x >= self.width
        )


def is_one_part(rows: np.ndarray, columns: np.ndarray) -> bool:
    """Whether pixels are 4-connected."""
    box = np.zeros((np.ptp(rows) + 1, np.ptp(columns) + 1), bool)
    box[rows - rows.min(), columns - columns.min()] = True
    return ndimage.label(box, FOUR)[1] == 1
