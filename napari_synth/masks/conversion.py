"""Labels of an image that is meant as a mask."""

from __future__ import annotations

from typing import Literal

import numpy as np
from skimage.measure import label as connected

from napari_synth.core.errors import InputError
from napari_synth.datasets.image_files import as_labels
from napari_synth.datasets.plausible import colours_to_labels, scatter, two_levels
from napari_synth.masks.binary import binary_instances

How = Literal["as it is", "split", "parts", "colours"]
"""Each number stays; touching nuclei of a binary mask are parted; each connected part, or colour, gets a number."""


def labels_of(pixels: np.ndarray, what: str, how: How = "as it is") -> np.ndarray:
    """Labels of an image.

    Parameters
    ----------
    pixels : ndarray, shape (Y, X) or (Y, X, 3 or 4)
        Labels, two values, or a colour for each nucleus.
    what : str
        Subject of the error sentences.
    how : {'as it is', 'split', 'parts', 'colours'}

    Returns
    -------
    ndarray, shape (Y, X), int32

    Raises
    ------
    InputError
        If its numbers cannot be labels, or it is empty.
    """
    if how == "colours" and pixels.ndim == 3:
        labels = colours_to_labels(pixels[..., :3])
    else:
        plane = pixels[..., 0] if pixels.ndim == 3 else pixels
        labels = as_labels(plane, what) if how == "as it is" else _of_foreground(_foreground(plane), how)
    if not labels.any():
        raise InputError(f"{what} has no nuclei: all of it is background.", "Choose another layer.")
    if how == "as it is" and scatter(labels).is_noise:
        raise InputError(
            f"{what} has grey values scattered like those of a picture, not labels.",
            "Choose an image with one number for each nucleus.",
        )
    return labels


def _foreground(plane: np.ndarray) -> np.ndarray:
    """Where nuclei are: the upper of two values, also of a mask that was compressed or resized."""
    levels = np.unique(plane)
    if len(levels) == 1:
        return np.zeros(plane.shape, bool)
    blurred = two_levels(plane) if len(levels) > 2 else None
    foreground: np.ndarray = blurred if blurred is not None else plane > levels[0]
    return foreground


def _of_foreground(foreground: np.ndarray, how: How) -> np.ndarray:
    if how == "split":
        return binary_instances(foreground)
    return np.asarray(connected(foreground, connectivity=2), np.int32)
