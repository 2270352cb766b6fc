"""Colour models other than RGB, as RGB."""

from __future__ import annotations

import numpy as np


def rgb_of_cmyk(cmyk: np.ndarray) -> np.ndarray:
    """Ink ``(..., 4)`` of an unsigned type as RGB ``(..., 3)`` of it: what one ink lets through, the next one dims."""
    white = np.iinfo(cmyk.dtype).max
    clear = (white - cmyk.astype(np.float64)) / white
    rgb: np.ndarray = np.rint(clear[..., :3] * clear[..., 3:] * white)
    return rgb.astype(cmyk.dtype)


def rgb_of_ycbcr(ycbcr: np.ndarray) -> np.ndarray:
    """Full-range YCbCr ``(..., 3)`` uint8 of JPEG (ITU-T T.871) as RGB."""
    y, cb, cr = np.moveaxis(ycbcr.astype(np.float64), -1, 0)
    cb, cr = cb - 128, cr - 128
    rgb = np.stack([y + 1.402 * cr, y - 0.344136 * cb - 0.714136 * cr, y + 1.772 * cb], axis=-1)
    whole: np.ndarray = np.clip(rgb.round(), 0, 255)
    return whole.astype(np.uint8)


def in_colours(indices: np.ndarray, palette: np.ndarray) -> np.ndarray:
    """Palette indices as RGB; as grey ``(Y, X)`` where every colour in use is grey."""
    table = np.zeros((max(int(indices.max(initial=0)) + 1, len(palette)), 3), np.uint8)
    table[: len(palette)] = palette
    used = np.asarray(table[np.unique(indices)])
    if (used == used[:, :1]).all():
        table = table[:, 0]
    coloured: np.ndarray = table[indices]
    return coloured
