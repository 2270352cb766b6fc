"""What can be read off images directly: noise, the background's slope, how many nuclei there are and how large."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage, stats
from skimage.filters import threshold_otsu

from napari_synth.core.recipe.camera import FULL_SCALE, CameraSettings
from napari_synth.masks.binary import binary_instances

LAPLACIANS = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]]) / 6
"""The difference of two Laplacians: 0 for planes and for edges along the axes, and white noise keeps its variance."""
LEVELS = 12
MARGINS = (10, 6, 3)
LEAST_FREE = 0.15
SMOOTH = 2.0
"""Standard deviation, in pixels, of the filter before nuclei are told from the background."""


def residuals(image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Local mean, and what noise adds to it with its own variance, of an image ``(Y, X)``.

    Source: J. Immerkær, Fast noise variance estimation, 1996.
    """
    fine = ndimage.convolve(image, LAPLACIANS, mode="reflect")
    return ndimage.uniform_filter(image, 5), fine


def noise_line(images: Sequence[np.ndarray], most: float = FULL_SCALE) -> tuple[float, float]:
    """Photon and read noise: the line of local variance against local mean.

    Parameters
    ----------
    images : sequence of ndarray, shape (Y, X), float
    most : float
        Pixels whose surroundings reach this grey value are saturated and left out.

    Returns
    -------
    shot_noise : float
        Grey levels per electron.
    read_noise : float
        Standard deviation in grey levels.
    """
    pairs = [residuals(image) for image in images]
    means = np.concatenate([mean.ravel() for mean, _ in pairs])
    fine = np.concatenate([rest.ravel() for _, rest in pairs])
    bright = np.concatenate([ndimage.maximum_filter(image, 5).ravel() for image in images])
    keep = bright < most
    means, fine = means[keep], np.abs(fine[keep])
    if len(means) < 100:
        return 0.0, 0.0
    ends = np.quantile(means, np.linspace(0, 1, LEVELS + 1))
    group = np.clip(np.searchsorted(ends, means, side="right") - 1, 0, LEVELS - 1)
    x, y, weight = [], [], []
    for number in range(LEVELS):
        inside = group == number
        if inside.sum() < 50:
            continue
        x.append(means[inside].mean())
        y.append((np.median(fine[inside]) / 0.6745) ** 2)
        weight.append(1 / max(y[-1], 0.05))
    slope, level = _line(np.array(x), np.array(y), np.array(weight))
    return slope, float(np.sqrt(level))


def _line(x: np.ndarray, y: np.ndarray, weight: np.ndarray) -> tuple[float, float]:
    """Slope and level of a line, neither below 0."""
    from scipy.optimize import nnls

    found, _ = nnls(np.stack([x * weight, weight], 1), y * weight)
    return float(found[0]), float(found[1])


def foreground(grey: np.ndarray, dark: bool) -> np.ndarray:
    """Where nuclei are, by Otsu's threshold of the smoothed image without its slow background, ``(Y, X)`` bool."""
    smooth = ndimage.gaussian_filter(grey, SMOOTH) * (-1 if dark else 1)
    inside: np.ndarray = smooth > threshold_otsu(smooth)
    for _ in range(2):
        if 0.02 < inside.mean() < 0.98:
            flat = smooth - surface(_basis(grey.shape), _fitted(smooth, ~inside))
            inside = flat > threshold_otsu(flat)
    return inside


def nuclei(grey: np.ndarray, dark: bool) -> np.ndarray:
    """Labels of the nuclei that stand out, ``(Y, X)`` int32; those that touch are parted by their shape."""
    return binary_instances(ndimage.binary_opening(foreground(grey, dark), iterations=2))


@dataclass(frozen=True)
class Background:
    """The background of images, in grey levels.

    Attributes
    ----------
    level : float
        Its mean.
    x, y, bowl : float
        How much it rises from left to right, from top to bottom, and from the middle to the corners.
    """

    level: float
    x: float
    y: float
    bowl: float

    def corrected(self, wanted: Background, seen: Background) -> Background:
        """What stands for it once its images look like ``seen`` where they should look like ``wanted``."""
        mine, right, wrong = (np.array([one.level, one.x, one.y, one.bowl]) for one in (self, wanted, seen))
        return Background(*(float(value) for value in mine + right - wrong))

    def before(self, camera: CameraSettings) -> dict[str, float]:
        """The settings of a camera, with its gain, offset and gamma, under which a flat background looks like this."""
        terms = _basis((32, 32))
        seen = surface(terms, np.array([self.level, self.x, self.y, self.bowl]))
        linear = FULL_SCALE * (np.clip(seen, 0.25, None) / FULL_SCALE) ** (1 / camera.gamma)
        found = np.linalg.lstsq(terms.reshape(4, -1).T, linear.ravel() / camera.gain, rcond=None)[0]
        return {
            name: float(np.clip(value, -FULL_SCALE, FULL_SCALE))
            for name, value in zip(("background_x", "background_y", "background_bowl"), found[1:], strict=True)
        }


def background(images: Sequence[np.ndarray], dark: bool) -> Background:
    """What the backgrounds of images have in common: a polynomial of degree 2, its mean over images without
    the fifth at either end.

    Nuclei are left out, with a margin as wide as leaves enough: what they shed around them is no background.
    """
    found = []
    for image in images:
        inside = foreground(image, dark)
        for margin in MARGINS:
            free = ~ndimage.binary_dilation(inside, iterations=margin)
            if free.mean() > LEAST_FREE:
                found.append(_fitted(image, free))
                break
    if not found:
        return Background(float(np.median(images[0])), 0.0, 0.0, 0.0)
    return Background(*(float(value) for value in stats.trim_mean(found, 0.2)))


def _basis(shape: tuple[int, ...]) -> np.ndarray:
    """1, u, w and 2u² + 2w² over an image, ``(4, Y, X)``; as `synthesis.camera.photograph` has them."""
    w = ((np.arange(shape[0]) + 0.5) / shape[0] - 0.5)[:, None]
    u = ((np.arange(shape[1]) + 0.5) / shape[1] - 0.5)[None]
    one = np.ones(shape[:2])
    return np.stack([one, u * one, w * one, 2 * u**2 + 2 * w**2])


def surface(terms: np.ndarray, coefficients: np.ndarray) -> np.ndarray:
    """The polynomial over the image of its terms."""
    total: np.ndarray = np.tensordot(coefficients, terms, 1)
    return total


def _fitted(image: np.ndarray, where: np.ndarray, rounds: int = 3) -> np.ndarray:
    """Coefficients of the polynomial through pixels; those far off it lose their weight (Tukey's biweight)."""
    step = max(1, int(np.sqrt(image.size / 20_000)))
    grid = np.zeros(image.shape, bool)
    grid[::step, ::step] = True
    keep = where & grid
    terms, values = _basis(image.shape)[:, keep].T, ndimage.gaussian_filter(image, 1.0)[keep].astype(np.float64)
    weight = np.ones(len(values))
    found = np.zeros(4)
    for _ in range(rounds):
        root = np.sqrt(weight)[:, None]
        found = np.linalg.lstsq(terms * root, values * root[:, 0], rcond=None)[0]
        off = values - terms @ found
        scale = 4.685 * max(1.4826 * float(np.median(np.abs(off))), 1e-3)
        weight = np.clip(1 - (off / scale) ** 2, 0, None) ** 2
    return found
