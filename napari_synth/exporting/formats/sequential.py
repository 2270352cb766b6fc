"""Label maps as trainers want them: numbered from 1 without gaps, without holes."""

from __future__ import annotations

import numpy as np
from scipy import ndimage


def sequential(labels: np.ndarray) -> np.ndarray:
    """Labels ``(Y, X)`` numbered 1…N in the order of their numbers, int32."""
    values = np.unique(labels)
    values = values[values > 0]
    numbers = np.searchsorted(values, labels) + 1
    return np.where(labels > 0, numbers, 0).astype(np.int32)


def without_holes(labels: np.ndarray) -> np.ndarray:
    """Labels with the background inside of nuclei given to them; other nuclei in there stay."""
    filled = labels.copy()
    for number, box in enumerate(ndimage.find_objects(labels), 1):
        if box is None:
            continue
        nucleus = labels[box] == number
        if nucleus.all():
            continue
        hole = ndimage.binary_fill_holes(nucleus) & (labels[box] == 0)
        filled[box][hole] = number
    return filled


def largest_part(nucleus: np.ndarray) -> np.ndarray:
    """The largest piece of a nucleus, ``(Y, X)`` bool, of pixels that touch at sides or corners."""
    parts, count = ndimage.label(nucleus, np.ones((3, 3)))
    if count < 2:
        return nucleus
    largest: np.ndarray = parts == np.bincount(parts.ravel())[1:].argmax() + 1
    return largest
