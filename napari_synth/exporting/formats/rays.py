"""Which nuclei can be drawn by rays from their middle, as StarDist draws them.

Source: U. Schmidt et al., "Cell detection with star-convex polygons", MICCAI 2018; ``stardist.geometry.star_dist``:
from a pixel each ray goes in steps of one pixel to where the label changes.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage
from skimage.draw import polygon2mask


def drawable(labels: np.ndarray, rays: int) -> list[float]:
    """IoU of each nucleus with the polygon at the ends of its rays.

    Parameters
    ----------
    labels : ndarray, shape (Y, X), int
        Numbered from 1 without gaps.
    rays : int
    """
    fits = []
    for number, box in enumerate(ndimage.find_objects(labels), 1):
        if box is not None:
            nucleus = np.pad(labels[box] == number, 1)
            fits.append(_fit(nucleus, rays))
    return fits


def _fit(nucleus: np.ndarray, rays: int) -> float:
    depth = ndimage.distance_transform_edt(nucleus)
    middle = np.unravel_index(depth.argmax(), depth.shape)
    angles = 2 * np.pi * np.arange(rays) / rays
    directions = np.stack([np.sin(angles), np.cos(angles)], 1)
    steps = np.arange(1, sum(nucleus.shape))[:, None, None]
    places = np.round(np.array(middle) + steps * directions).astype(int)
    inside = ((places >= 0) & (places < nucleus.shape)).all(-1)
    y, x = np.clip(places, 0, np.array(nucleus.shape) - 1).reshape(-1, 2).T
    on = nucleus[y, x].reshape(inside.shape) & inside
    reach = np.where(on.all(0), len(steps), on.argmin(0))  # steps before the ray leaves
    drawn = polygon2mask(nucleus.shape, np.array(middle) + (reach[:, None] + 0.5) * directions)
    return float((drawn & nucleus).sum() / (drawn | nucleus).sum())
