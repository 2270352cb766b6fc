"""The mask channel of a padded canvas, kept while the mask is edited."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from napari_synth.core.boxes import Box, bounds_of, full_box, merged
from napari_synth.datasets.mask_encoding import REACH, mask_plane
from napari_synth.synthesis.padding import padded_to


class PaddedPlane:
    """The mask channel, continued by reflection to the size the network accepts.

    Parameters
    ----------
    labels : ndarray, shape (Y, X), int
    multiple : int
        Height and width of the canvas are multiples of this.
    meaning : str
        A key of `core.meanings.MASK_MEANINGS`.
    """

    def __init__(self, labels: np.ndarray, multiple: int, meaning: str):
        self.shape = labels.shape
        self._meaning = meaning
        # Sources of the padded rows and columns.
        self._rows, self._columns = (padded_to(np.arange(side), multiple) for side in labels.shape)
        self.values = mask_plane(labels[np.ix_(self._rows, self._columns)], meaning)

    @property
    def canvas(self) -> Box:
        return full_box(*self.values.shape)

    def over(self, box: Box) -> np.ndarray:
        """The values over a box, a view."""
        return self.values[box.top : box.bottom, box.left : box.right]

    def update(self, labels: np.ndarray, boxes: Sequence[Box] | None) -> list[Box]:
        """Take over labels that changed in some boxes, or anywhere; where the plane changed."""
        found = []
        for box in [self.canvas] if boxes is None else merged(self._reached(box) for box in boxes):
            seen = box.grown(REACH).within(self.canvas)
            under = labels[np.ix_(self._rows[seen.top : seen.bottom], self._columns[seen.left : seen.right])]
            new = mask_plane(under, self._meaning)[box.seen_from(seen)]
            old = self.over(box)
            different = new != old
            if different.any():
                old[...] = new
                found.append(bounds_of(different, box))
        return found

    def _reached(self, box: Box) -> Box:
        """Where labels in a box change the plane."""
        box = box.grown(REACH).within(full_box(*self.shape))
        if not box.area:
            return box
        # The padding repeats the last rows and columns, and in a mask of a few pixels all of them.
        (height, width), canvas = self.shape, self.canvas
        bottom = canvas.bottom if box.bottom > 2 * height - canvas.bottom else box.bottom
        right = canvas.right if box.right > 2 * width - canvas.right else box.right
        return Box(box.top, box.left, bottom, right)
