"""The orientation tag of TIFF and EXIF (tag 274): how rows and columns are stored.

Source: TIFF 6.0, section 8, "Orientation".
"""

from __future__ import annotations

import numpy as np

TAG = 274
_STEPS = {
    # Value of the tag: (rows and columns exchanged, first axis reversed, second axis reversed), done in this order.
    1: (False, False, False),
    2: (False, False, True),
    3: (False, True, True),
    4: (False, True, False),
    5: (True, False, False),
    6: (True, False, True),
    7: (True, True, True),
    8: (True, True, False),
}


def upright(pixels: np.ndarray, tag: int, axes: tuple[int, int] = (0, 1)) -> np.ndarray:
    """Pixels as they are shown.

    Parameters
    ----------
    pixels : ndarray
    tag : int
        Value of tag 274, 1 to 8; any other value counts as 1.
    axes : tuple of int
        The axes of rows and columns.
    """
    exchanged, up, left = _STEPS.get(tag, _STEPS[1])
    if exchanged:
        pixels = np.swapaxes(pixels, *axes)
    turned = tuple(axis for axis, back in zip(axes, (up, left), strict=True) if back)
    return np.ascontiguousarray(np.flip(pixels, turned)) if turned or exchanged else pixels
