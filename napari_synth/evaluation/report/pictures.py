"""Pictures for a page."""

from __future__ import annotations

import io

import imageio.v3 as iio
import numpy as np
from scipy import ndimage

REAL, MADE = (40, 170, 255), (255, 160, 0)
"""Blue and orange: told apart by everybody, on every stain."""


def png(image: np.ndarray) -> bytes:
    """An image ``(Y, X)`` or ``(Y, X, 3)`` uint8 as the bytes of a PNG."""
    buffer = io.BytesIO()
    iio.imwrite(buffer, np.ascontiguousarray(image), extension=".png")
    return buffer.getvalue()


def outlined(image: np.ndarray, labels: np.ndarray, colour: tuple[int, int, int] = REAL) -> np.ndarray:
    """An image ``(Y, X, 3)`` uint8 with the borders of its labels in a colour."""
    inside = labels > 0
    border = inside & ((ndimage.minimum_filter(labels, 3) != labels) | (ndimage.maximum_filter(labels, 3) != labels))
    drawn = np.array(image if image.ndim == 3 else np.repeat(image[..., None], 3, -1))
    drawn[border] = colour
    return drawn
