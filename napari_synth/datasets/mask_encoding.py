"""What a generator sees of a mask, and of an image: the same for training and for rendering."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

REACH = 1
"""How far, in pixels, a label changes the mask channel beyond itself."""


def mask_plane(labels: np.ndarray, meaning: str = "foreground-gap") -> np.ndarray:
    """The mask channel of the network.

    Parameters
    ----------
    labels : ndarray, shape (Y, X), int
        Instance labels, 0 = background. A binary mask has no touching instances to part.
    meaning : str
        A key of `core.meanings.MASK_MEANINGS`.

    Returns
    -------
    ndarray, shape (Y, X), float32
        0 or 1; -1 or 1 for ``foreground-signed``.
    """
    plane = labels > 0
    if meaning == "foreground-gap":
        # Of two touching instances the one with the lower label gives way by a pixel.
        plane &= ndimage.maximum_filter(labels, size=3) <= labels
    if meaning == "foreground-signed":
        return 2 * plane.astype(np.float32) - 1
    return plane.astype(np.float32)


def to_uint8_rgb(image: np.ndarray) -> np.ndarray:
    """An image in the generator's terms: ``(Y, X, 3)`` uint8.

    RGB of 8 bits stays as it is. Grey images, and any of another dtype, are stretched from their
    0.1 to their 99.9 percentile, because their absolute level depends on exposure alone. NaN becomes black;
    it and infinity have no part in the percentiles.
    """
    if not (image.ndim == 3 and image.dtype == np.uint8):
        values: np.ndarray = image.astype(np.float32 if image.dtype.itemsize <= 2 else np.float64)
        finite = np.isfinite(values)
        low, high = np.percentile(values if finite.all() else values[finite], (0.1, 99.9)) if finite.any() else (0, 1)
        values = np.nan_to_num((values - low) / max(high - low, 1e-6), nan=0, posinf=1, neginf=0)
        image = (255 * np.clip(values, 0, 1)).round().astype(np.uint8)
    return image if image.ndim == 3 else np.repeat(image[..., None], 3, axis=-1)


def to_network(image: np.ndarray) -> np.ndarray:
    """uint8 to float32 in [-1, 1]."""
    return image.astype(np.float32) / 127.5 - 1


def from_network(values: np.ndarray, black: float = -1, white: float = 1) -> np.ndarray:
    """Float in [black, white] to uint8; values outside are clipped."""
    return np.clip((values - black) * (255 / (white - black)), 0, 255).round().astype(np.uint8)
