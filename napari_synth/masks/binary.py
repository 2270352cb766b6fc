"""A binary mask to instance labels: crumbs and pinholes off, nuclei that touch parted.

Used for the masks of models that make pairs from noise, and for binary masks from elsewhere.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage
from skimage.morphology import h_maxima
from skimage.segmentation import watershed

from napari_synth.core.errors import InputError

EIGHT = np.ones((3, 3), bool)
CRUMB_PIXELS = 20
"""Smaller components are no objects."""
CRUMB_SHARE = 0.1
"""Neither are those smaller than this part of the median one."""
HOLE_SHARE = 0.1
"""Holes up to this part of their object are filled."""
BLUR = 1.0
"""Gaussian sigma, in pixels, on the distance map: the ridges of a pixelated outline are no centres."""
RISE = 0.05
"""A centre stands out from its surroundings by this part of the median radius."""
UNSURE = 0.5
"""Mask values nearer to 0 than this are neither."""
MOST_UNSURE, LEAST_FOREGROUND, MOST_FOREGROUND = 0.05, 0.01, 0.90


def binary_instances(foreground: np.ndarray, rise: float = RISE) -> np.ndarray:
    """Instance labels of a binary mask.

    Components under `CRUMB_PIXELS` or a tenth of the median area go, holes under a tenth of their object
    are filled, and what is left is parted by a watershed from the centres of the distance map.

    Parameters
    ----------
    foreground : ndarray of bool, shape (Y, X)
    rise : float
        A centre stands out from its surroundings by this part of the median radius: more parts fewer objects.

    Returns
    -------
    ndarray, shape (Y, X), int32
        1…N, 0 = background.

    Raises
    ------
    InputError
        If the array is not two-dimensional and bool.
    """
    if foreground.ndim != 2 or foreground.dtype != bool:
        raise InputError(
            f"A binary mask must be bool of shape (Y, X), not {foreground.dtype} of shape {foreground.shape}.",
            "Threshold it first, for example mask > 0.",
        )
    solid = without_holes(without_crumbs(foreground))
    components, count = ndimage.label(solid, EIGHT)
    if not count:
        return np.zeros(foreground.shape, np.int32)
    median_radius = np.sqrt(np.median(_areas(components)) / np.pi)
    distance = ndimage.gaussian_filter(_distance(solid), BLUR)
    centres = h_maxima(distance, rise * median_radius)
    markers, _ = ndimage.label(centres.astype(bool) & solid, EIGHT)
    markers = _with_every_component(markers, components, distance)
    labels: np.ndarray = watershed(-distance, markers, EIGHT, mask=solid).astype(np.int32)
    return labels


def without_crumbs(foreground: np.ndarray) -> np.ndarray:
    """The mask without components under `CRUMB_PIXELS` or under a tenth of the median of the others."""
    components, _ = ndimage.label(foreground, EIGHT)
    areas = _areas(components)
    large = areas[areas >= CRUMB_PIXELS]
    least = max(CRUMB_PIXELS, CRUMB_SHARE * np.median(large)) if len(large) else np.inf
    kept: np.ndarray = np.concatenate([[False], areas >= least])[components]
    return kept


def without_holes(foreground: np.ndarray) -> np.ndarray:
    """The mask with each hole filled that is under a tenth of the object around it."""
    filled = ndimage.binary_fill_holes(foreground)
    holes, count = ndimage.label(filled & ~foreground)
    if not count:
        return foreground.copy()
    objects, _ = ndimage.label(filled, EIGHT)
    owners = ndimage.maximum(objects, holes, np.arange(1, count + 1)).astype(int)
    object_areas = np.bincount(objects[foreground], minlength=objects.max() + 1)
    small = _areas(holes) < HOLE_SHARE * object_areas[owners]
    closed: np.ndarray = foreground | np.concatenate([[False], small])[holes]
    return closed


def why_unusable(values: np.ndarray, labels: np.ndarray) -> str:
    """Why a mask made from noise is no good, or an empty text.

    Parameters
    ----------
    values : ndarray, shape (Y, X), float
        The network's mask in [-1, 1]: 1 in nuclei, -1 elsewhere.
    labels : ndarray, shape (Y, X), int
        `binary_instances` of it.
    """
    if (np.abs(values) < UNSURE).mean() > MOST_UNSURE:
        return "grey"
    foreground = (values > 0).mean()
    if not labels.any() or foreground < LEAST_FOREGROUND:
        return "empty"
    return "full" if foreground > MOST_FOREGROUND else ""


def _areas(components: np.ndarray) -> np.ndarray:
    """Pixels of each component, without the background."""
    return np.bincount(components.ravel())[1:]


def _distance(solid: np.ndarray) -> np.ndarray:
    """Distance of each pixel to the background; beyond the border the mask goes on as at the border."""
    padded = np.pad(solid, 1, "edge")
    if padded.all():
        return np.ones(solid.shape)  # no background anywhere
    distance: np.ndarray = ndimage.distance_transform_edt(padded)[1:-1, 1:-1]
    return distance


def _with_every_component(markers: np.ndarray, components: np.ndarray, distance: np.ndarray) -> np.ndarray:
    """A centre for each component that stands out too little to have one."""
    count = components.max()
    found = np.zeros(count + 1, bool)
    found[components[markers > 0]] = True
    missing = [number for number in range(1, count + 1) if not found[number]]
    if missing:
        places = ndimage.maximum_position(distance, components, missing)
        next_label = markers.max() + 1
        markers = markers.copy()
        for label, place in enumerate(places, next_label):
            markers[tuple(int(n) for n in place)] = label
    return markers
