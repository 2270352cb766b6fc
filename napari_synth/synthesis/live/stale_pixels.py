"""Which pixels of a map are out of date."""

from __future__ import annotations

import numpy as np

from napari_synth.core.boxes import Box, bounds_of

SMALL = 64
"""Pixels that are not worth another box."""
NOWHERE = Box(0, 0, 0, 0)


class StalePixels:
    """The pixels of a map that wait to be computed again, as boxes on request.

    Parameters
    ----------
    canvas : Box
        The whole map; its corner is (0, 0).
    """

    def __init__(self, canvas: Box):
        self._pixels = np.zeros((canvas.height, canvas.width), bool)
        self._around = NOWHERE

    def __bool__(self) -> bool:
        return bool(self._around.area)

    @property
    def nbytes(self) -> int:
        """Memory that it takes."""
        return self._pixels.nbytes

    def add(self, box: Box) -> None:
        """All pixels of a box that is not empty are out of date."""
        self._over(box)[...] = True
        self._around = self._around.around(box) if self else box

    def boxes(self, window: Box | None = None) -> list[Box]:
        """Boxes without common pixels that hold all that is out of date, in a window or everywhere.

        At least half of a box is out of date, unless it is very small.
        """
        return self._parts(self._around if window is None else self._around.within(window))

    def done(self, boxes: list[Box]) -> None:
        """These boxes are up to date."""
        for box in boxes:
            self._over(box)[...] = False
        rest = self._over(self._around)
        self._around = bounds_of(rest, self._around) if rest.any() else NOWHERE

    def _over(self, box: Box) -> np.ndarray:
        return self._pixels[box.top : box.bottom, box.left : box.right]

    def _parts(self, box: Box) -> list[Box]:
        pixels = self._over(box)
        if not box.area or not pixels.any():
            return []
        box = bounds_of(pixels, box)
        if box.area <= max(SMALL, 2 * int(np.count_nonzero(self._over(box)))):
            return [box]
        return [part for half in box.halves() for part in self._parts(half)]
