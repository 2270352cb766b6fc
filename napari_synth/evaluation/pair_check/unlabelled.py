"""Nuclei that an image shows and its mask does not have: a hint."""

from __future__ import annotations

import numpy as np
from scipy import ndimage
from skimage.measure import label as connected

AWAY = 3
"""Pixels from every labelled nucleus."""
LEVEL = 0.6
"""Brightness of a nucleus on the way from the background to the labelled nuclei."""
CLEAR = 0.85
"""Share of the labelled pixels, and of the background, that must be on their side of the level."""


def missing_nuclei(grey: np.ndarray, labels: np.ndarray) -> int:
    """Number of parts of an image that look like its labelled nuclei and have no label.

    0 where nuclei and background cannot be told apart by their brightness.
    """
    inside = labels > 0
    if not inside.any() or inside.all():
        return 0
    smooth = ndimage.gaussian_filter(grey, 1)
    nuclei, background = np.median(smooth[inside]), np.median(smooth[~inside])
    share = (smooth - background) / (nuclei - background) if nuclei != background else smooth * 0
    bright = share > LEVEL
    near = ndimage.binary_dilation(inside, iterations=AWAY)
    if np.mean(bright[inside]) < CLEAR or np.mean(~bright[~near]) < CLEAR:
        return 0
    sizes = np.bincount(connected(np.where(inside, labels, 0), connectivity=2).ravel())[1:]
    found = connected(bright & ~inside, connectivity=2)
    areas = np.bincount(found.ravel())
    touching = np.unique(found[near])
    areas[0], areas[touching] = 0, 0
    usual = np.median(sizes)
    return int(np.count_nonzero((areas > 0.4 * usual) & (areas < 3 * usual)))
