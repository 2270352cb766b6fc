"""How different the images of a set are from each other."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import combinations

import numpy as np

from napari_synth.evaluation.metrics.base import Metric


def mean_distance(images: Iterable[np.ndarray], masks: Sequence[np.ndarray] | None = None) -> float:
    """Mean over all pairs of the mean absolute difference of two images, in their own grey values.

    Parameters
    ----------
    images : iterable of ndarray, shape (Y, X) or (Y, X, C)
        At least two. Of two sizes the common upper left part is compared.
    masks : sequence of ndarray, shape (Y, X), optional
        Then only pixels count at which both images show an object or both show none, so that images of several masks
        are as different as their looks, not as their masks.

    Raises
    ------
    ValueError
        If there are fewer than two images, or as many masks as images are not given.
    """
    images = list(images)
    if len(images) < 2 or (masks is not None and len(masks) != len(images)):
        raise ValueError("at least two images, and a mask for each or for none")
    distances = []
    for one, other in combinations(range(len(images)), 2):
        height, width = np.minimum(images[one].shape[:2], images[other].shape[:2])
        cut = np.s_[:height, :width]
        apart = np.abs(images[one][cut].astype(np.float32) - images[other][cut])
        apart = apart.reshape(height, width, -1).mean(-1)
        if masks is not None:
            apart = apart[(masks[one][cut] > 0) == (masks[other][cut] > 0)]
        distances += [float(apart.mean())] if apart.size else []
    return float(np.mean(distances)) if distances else 0.0


def variety(real: Iterable[np.ndarray], made: Iterable[np.ndarray]) -> float:
    """Mean distance between the made images as a part of that between the real ones; infinite where those are alike."""
    usual = mean_distance(real)
    return mean_distance(made) / usual if usual else float("inf")


VARIETY = Metric("distance between images, as a part of the real ones'", "two sets of images", "higher", variety)
