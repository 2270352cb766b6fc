"""Preview grids and thumbnails."""

from __future__ import annotations

import base64
import io

import imageio.v3 as iio
import numpy as np
from skimage.color import label2rgb

GAP = 4
THUMBNAIL = 96
STRIDE = 16
TELLING_SHARE = 0.3


def label_picture(labels: np.ndarray) -> np.ndarray:
    """Instance labels in colours on black, ``(Y, X, 3)`` uint8."""
    colours: np.ndarray = 255 * label2rgb(labels, bg_label=0)
    return colours.astype(np.uint8)


def picture_sheet(rows: list[list[np.ndarray]]) -> np.ndarray:
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


def thumbnail(image: np.ndarray, labels: np.ndarray) -> str:
    """A telling part of an image, of at most 96×96 pixels, as a base64 PNG.

    It is the one whose share of nuclei is nearest to `TELLING_SHARE`.
    """
    height, width = (max(n - THUMBNAIL, 0) for n in image.shape[:2])
    places = [(top, left) for top in range(0, height + 1, STRIDE) for left in range(0, width + 1, STRIDE)]

    def distance(place: tuple[int, int]) -> float:
        top, left = place
        return abs(float((labels[top : top + THUMBNAIL, left : left + THUMBNAIL] > 0).mean()) - TELLING_SHARE)

    top, left = min(places, key=distance)
    buffer = io.BytesIO()
    iio.imwrite(buffer, image[top : top + THUMBNAIL, left : left + THUMBNAIL], extension=".png")
    return base64.b64encode(buffer.getvalue()).decode()
