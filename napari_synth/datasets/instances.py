"""The nuclei of a mask, one by one, and what can be measured on them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from napari_synth.core.errors import InputError
from napari_synth.datasets.image_files import as_labels

EIGHT = np.ones((3, 3), bool)
SCATTERED = 20
"""So many parts per label, on average, has an image that was taken for a mask."""


@dataclass(frozen=True)
class Instance:
    """One nucleus of a mask.

    Attributes
    ----------
    label : int
    box : tuple of slice
        Its bounding box.
    mask : ndarray of bool, shape (h, w)
        Its pixels in the box.
    parts : int
        Number of its 8-connected parts.
    on_border : bool
        Whether it touches the border of the mask.
    """

    label: int
    box: tuple[slice, slice]
    mask: np.ndarray
    parts: int
    on_border: bool

    @property
    def area(self) -> int:
        return int(np.count_nonzero(self.mask))


def instances(mask: np.ndarray, what: str = "The mask") -> list[Instance]:
    """The nuclei of a mask in the order of their labels; a binary mask is split into connected parts.

    Raises
    ------
    InputError
        If the mask is not usable as labels, or looks like a grey image.
    """
    labels = as_labels(mask, what)
    present, dense = np.unique(labels, return_inverse=True)
    dense = dense.reshape(labels.shape)
    if present[0] != 0:
        dense, present = dense + 1, np.concatenate([[0], present])
    if len(present) == 2:
        dense, count = ndimage.label(dense, EIGHT)
        present = np.arange(count + 1)
    height, width = labels.shape
    found = []
    for number, box in enumerate(ndimage.find_objects(dense), 1):
        pixels = dense[box] == number
        on_border = box[0].start == 0 or box[1].start == 0 or box[0].stop == height or box[1].stop == width
        found.append(Instance(int(present[number]), box, pixels, ndimage.label(pixels, EIGHT)[1], on_border))
    if len(found) > 1 and np.mean([nucleus.parts for nucleus in found]) > SCATTERED:
        raise InputError(
            f"{what} is an image rather than a mask: most of its values lie scattered.",
            "Use a mask in which each number is one nucleus.",
        )
    return found


@dataclass(frozen=True)
class Moments:
    """Second moments of shapes.

    Attributes
    ----------
    area : ndarray, shape (N,)
        Pixels.
    eccentricity : ndarray, shape (N,)
        Of the ellipse with the same moments: 0 circle, towards 1 elongated.
    axis : ndarray, shape (N,)
        Direction of its long axis in degrees, counter-clockwise from the x axis, in [0, 180).
    """

    area: np.ndarray
    eccentricity: np.ndarray
    axis: np.ndarray


def moments(shapes: np.ndarray) -> Moments:
    """`Moments` of binary shapes ``(N, h, w)``, all at once; those of an empty shape are 0."""
    present = np.asarray(shapes).astype(np.float32)
    height, width = present.shape[1:]
    y, x = np.arange(height, dtype=np.float32), np.arange(width, dtype=np.float32)
    rows, columns = present.sum(2), present.sum(1)
    area = rows.sum(1)
    safe = np.maximum(area, 1)
    mean_y, mean_x = rows @ y / safe, columns @ x / safe
    twelfth = 1 / 12  # a pixel is a square, not a point
    yy = rows @ y**2 / safe - mean_y**2 + twelfth
    xx = columns @ x**2 / safe - mean_x**2 + twelfth
    xy = np.einsum("nyx,y,x->n", present, y, x, optimize=True) / safe - mean_y * mean_x
    root = np.sqrt((yy - xx) ** 2 + 4 * xy**2)
    long, short = (yy + xx + root) / 2, (yy + xx - root) / 2
    eccentricity = np.sqrt(np.clip(1 - short / np.maximum(long, 1e-9), 0, 1))
    axis = np.rad2deg(0.5 * np.arctan2(-2 * xy, xx - yy)) % 180  # y points down on the screen
    empty = area == 0
    return Moments(area, np.where(empty, 0, eccentricity), np.where(empty, 0, axis))


def solidity(mask: np.ndarray) -> float:
    """Share of its convex hull that a nucleus fills."""
    from skimage.measure import regionprops

    return float(regionprops(np.asarray(mask).astype(np.uint8))[0].solidity)
