"""Preview grids and thumbnails."""

from __future__ import annotations

import base64
import io

import imageio.v3 as iio
import numpy as np
from skimage.color import label2rgb

GAP = 4
THUMBNAIL = 96


def label_picture(labels: np.ndarray) -> np.ndarray:
    """Instance labels in colours on black, ``(Y, X, 3)`` uint8."""
    return (255 * label2rgb(labels, bg_label=0)).astype(np.uint8)


def grid(rows: list[list[np.ndarray]]) -> np.ndarray:
    """Pictures of one size side by side on white, ``(Y, X, 3)`` uint8."""
    height, width = rows[0][0].shape[:2]
    columns = max(len(row) for row in rows)
    sheet = np.full((len(rows) * (height + GAP) - GAP, columns * (width + GAP) - GAP, 3), 255, np.uint8)
    for r, row in enumerate(rows):
        for c, picture in enumerate(row):
            picture = picture if picture.ndim == 3 else np.repeat(picture[..., None], 3, -1)
            y, x = r * (height + GAP), c * (width + GAP)
            sheet[y : y + height, x : x + width] = picture
    return sheet


def thumbnail(image: np.ndarray) -> str:
    """The centre of an image as a base64 PNG of at most 96x96 pixels."""
    top, left = (max(n - THUMBNAIL, 0) // 2 for n in image.shape[:2])
    buffer = io.BytesIO()
    iio.imwrite(buffer, image[top : top + THUMBNAIL, left : left + THUMBNAIL], extension=".png")
    return base64.b64encode(buffer.getvalue()).decode()
