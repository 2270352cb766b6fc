"""Where the nuclei of an image without a mask are, by the colours that an option gives them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage
from skimage.filters import threshold_otsu

from napari_synth.datasets.mask_encoding import to_network
from napari_synth.synthesis.request import RenderRequest

if TYPE_CHECKING:
    from napari_synth.synthesis.request import Renderer

SIDE = 128
SPACING, RADIUS = 32, 9
SHOWN_STYLES = 4
BLUR, COARSE_BLUR = 1.0, 4.0
LEAST_COARSE = 0.2
"""Part of the variance that stays in the coarser blur where there are objects; in noise it is 1/16."""
SMALLEST = 25
"""Pixels of the smallest thing that is taken for a nucleus."""


def discs() -> np.ndarray:
    """A mask of discs in rows, int32."""
    y, x = np.mgrid[:SIDE, :SIDE]
    inside = ((y % SPACING - SPACING // 2) ** 2 + (x % SPACING - SPACING // 2) ** 2) <= RADIUS**2
    labels: np.ndarray = np.where(inside, 1 + (y // SPACING) * (SIDE // SPACING) + x // SPACING, 0).astype(np.int32)
    return labels


def nuclear_direction(generator: Renderer, option: str | None) -> np.ndarray:
    """The direction in colour space that parts nuclei from the rest in an option, ``(3,)``, nuclei high.

    Fisher's discriminant of the pixels of discs rendered in some styles of the bank.
    """
    labels = discs()
    within, apart = np.zeros((3, 3)), np.zeros(3)
    for number in range(SHOWN_STYLES):
        member = number * (generator.card.styles - 1) // max(SHOWN_STYLES - 1, 1)
        image = generator.run(RenderRequest(labels, option, 1, style=member)).image
        colours = to_network(image if image.ndim == 3 else np.repeat(image[..., None], 3, -1))
        inside, outside = colours[labels > 0], colours[labels == 0]
        apart += inside.mean(0) - outside.mean(0)
        within += np.cov(inside.T) + np.cov(outside.T)
    direction = np.linalg.solve(within + 0.01 * np.trace(within) * np.eye(3), apart)
    unit: np.ndarray = direction / np.linalg.norm(direction)
    return unit


def nuclei_in(image: np.ndarray, direction: np.ndarray) -> np.ndarray:
    """The pixels of nuclei in an image ``(Y, X, 3)`` uint8 by Otsu's threshold along a direction, ``(Y, X)`` bool.

    Nowhere where nothing is larger than the grain.
    """
    plain = to_network(image) @ direction
    along = ndimage.gaussian_filter(plain, BLUR)
    if ndimage.gaussian_filter(plain, COARSE_BLUR).var() < LEAST_COARSE * along.var():
        return np.zeros(along.shape, bool)
    inside = ndimage.binary_fill_holes(ndimage.binary_opening(along > threshold_otsu(along)))
    parts, count = ndimage.label(inside)
    areas = np.bincount(parts.ravel(), minlength=count + 1)
    areas[0] = 0
    kept: np.ndarray = areas[parts] >= SMALLEST
    return kept
