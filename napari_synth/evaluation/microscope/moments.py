"""Numbers of patches that a camera changes and that the same camera makes the same: grey values, spectrum, noise."""

from __future__ import annotations

import numpy as np
from scipy import fft, ndimage

from napari_synth.core.recipe.camera import FULL_SCALE
from napari_synth.evaluation.microscope.estimators import residuals

SHARES = (0.02, 0.1, 0.25, 0.5, 0.75, 0.9, 0.96, 0.99, 0.998)
BANDS = 14
THIRDS = ((0.0, 0.3), (0.3, 0.7), (0.7, 1.0))


def moments(patches: np.ndarray) -> np.ndarray:
    """Grey values at some shares, the log10 power of rings, and the log10 noise in dark, middle and bright parts.

    Parameters
    ----------
    patches : ndarray, shape (N, S, S), float, 0 to 255

    Returns
    -------
    ndarray, shape (N, K), float64
    """
    smooth = ndimage.gaussian_filter(patches, (0, 1.0, 1.0))
    greys = np.quantile(smooth.reshape(len(patches), -1), SHARES, axis=1).T
    return np.concatenate([greys, _rings(patches), np.stack([_noise(patch) for patch in patches])], 1)


def _rings(patches: np.ndarray) -> np.ndarray:
    side = patches.shape[1]
    window = np.outer(np.hanning(side), np.hanning(side)).astype(np.float32)
    flat = (patches - patches.mean((1, 2), keepdims=True)) / FULL_SCALE
    power = np.abs(fft.rfft2(flat * window)) ** 2
    frequency = np.hypot(np.fft.fftfreq(side)[:, None], np.fft.rfftfreq(side)[None])
    ends = np.geomspace(3 / side, 0.5, BANDS + 1)
    ring = np.searchsorted(ends, frequency.ravel(), side="right") - 1
    rows = power.reshape(len(patches), -1)
    return np.stack([np.log10(rows[:, ring == number].mean(1) + 1e-9) for number in range(BANDS)], 1)


def _noise(patch: np.ndarray) -> list[float]:
    mean, fine = residuals(patch)
    ends = np.quantile(mean, [share for third in THIRDS for share in third]).reshape(-1, 2)
    middles = [float(np.median(np.abs(fine[(mean >= low) & (mean <= high)]))) for low, high in ends]
    return [float(np.log10(value + 0.1)) for value in middles]
