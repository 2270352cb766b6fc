"""Metrics of the power spectra of images."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from napari_synth.evaluation.metrics.base import Metric

GRID_PERIODS = (2, 4, 8)
NEIGHBOURHOOD = 6


def power_spectrum(image: np.ndarray, size: int = 128) -> np.ndarray:
    """Mean power of the Hann-windowed, mean-free ``size``×``size`` tiles of an image.

    Colours are averaged. An image smaller than a tile has no spectrum and is refused.
    """
    grey = image.astype(np.float64)
    grey = grey.mean(-1) if grey.ndim == 3 else grey
    rows, columns = (side // size for side in grey.shape)
    if not rows or not columns:
        raise ValueError(f"the image {grey.shape} is smaller than a tile of {size}")
    window = np.outer(np.hanning(size), np.hanning(size))
    tiles = grey[: rows * size, : columns * size].reshape(rows, size, columns, size).swapaxes(1, 2)
    tiles = tiles.reshape(-1, size, size)
    tiles = tiles - tiles.mean((1, 2), keepdims=True)
    power: np.ndarray = np.abs(np.fft.fft2(tiles * window)) ** 2
    mean: np.ndarray = power.mean(0)
    return mean


def grid_peaks(images: Iterable[np.ndarray], size: int = 128) -> dict[int, float]:
    """How far the spectrum stands out at periods of 2, 4 and 8 pixels.

    Transposed convolutions leave a grid whose spectrum has peaks at these periods (Odena et al.
    2016). For each period p the mean power at the frequencies (1/p, 0), (0, 1/p) and (1/p, ±1/p) is
    divided by the median power of the bins around them; 1 means no grid.

    Parameters
    ----------
    images : iterable of ndarray, shape (Y, X) or (Y, X, 3)
        Each at least ``size`` pixels on a side.

    Returns
    -------
    dict of int to float
        Period to ratio.
    """
    spectrum = np.mean([_normalised(power_spectrum(image, size)) for image in images], axis=0)
    around = [k for k in range(-NEIGHBOURHOOD, NEIGHBOURHOOD + 1) if abs(k) > 1]
    peaks = {}
    for period in GRID_PERIODS:
        k = size // period
        ratios = []
        for y, x in ((k, 0), (0, k), (k, k), (k, size - k)):
            # Neighbours along the axis of the grid's own frequency, so that the steep fall of
            # natural spectra across the axis does not count.
            lines = [((y + d * (y > 0)) % size, (x + d * (x > 0)) % size) for d in around]
            ratios.append(spectrum[y, x] / np.median([spectrum[place] for place in lines]))
        peaks[period] = float(np.mean(ratios))
    return peaks


def grid_ratio(real: Iterable[np.ndarray], made: Iterable[np.ndarray]) -> float:
    """Largest ratio, over periods of 2, 4 and 8 pixels, of the made to the real spectral peak (see `grid_peaks`).

    A real spectrum that dips below its neighbours has no peak: it counts as 1.
    """
    ours, theirs = grid_peaks(made), grid_peaks(real)
    return max(ours[period] / max(theirs[period], 1.0) for period in GRID_PERIODS)


def _normalised(spectrum: np.ndarray) -> np.ndarray:
    normalised: np.ndarray = spectrum / max(spectrum.sum(), 1e-12)
    return normalised


GRID = Metric("grid of transposed convolutions, against the real one", "two sets of images", "lower", grid_ratio)
