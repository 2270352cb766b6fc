"""Numbers of a patch that have a name in the language of the bench: 18, and what too little or too much of each is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage, stats

from napari_synth.core.errors import InputError

BANDS = ((32, 16), (16, 8), (8, 4), (4, 2))
"""Periods in pixels."""
EDGE = 2
"""Pixels on either side of an outline that count as its edge."""


@dataclass(frozen=True)
class Feature:
    """A number of a patch, and the words for too little and too much of it."""

    name: str
    low: str
    high: str


FEATURES = (
    Feature("brightness", "synthetic images are too dark", "synthetic images are too bright"),
    Feature("contrast", "synthetic images have too little contrast", "synthetic images have too much contrast"),
    Feature("skewness", "synthetic images have too few bright pixels", "synthetic images have too many bright pixels"),
    Feature("entropy", "synthetic images use too few grey levels", "synthetic images use too many grey levels"),
    Feature("darkest", "the darkest parts of synthetic images are too dark",
            "the darkest parts of synthetic images are too bright"),
    Feature("brightest", "the brightest parts of synthetic images are too dark",
            "the brightest parts of synthetic images are too bright"),
    Feature("saturation", "the colours of synthetic images are too pale",
            "the colours of synthetic images are too strong"),
    Feature("red to blue", "synthetic images are too blue", "synthetic images are too red"),
    Feature("structures of 16 to 32 pixels", "synthetic images have too little coarse structure",
            "synthetic images have too much coarse structure"),
    Feature("structures of 8 to 16 pixels", "synthetic images have too little structure of 8 to 16 pixels",
            "synthetic images have too much structure of 8 to 16 pixels"),
    Feature("texture of 4 to 8 pixels", "synthetic images have too little texture of 4 to 8 pixels",
            "synthetic images have too much texture of 4 to 8 pixels"),
    Feature("texture of 2 to 4 pixels", "synthetic images have too little fine texture and noise",
            "synthetic images have too much fine texture and noise"),
    Feature("nuclei against surroundings", "synthetic nuclei are too dark against their surroundings",
            "synthetic nuclei are too bright against their surroundings"),
    Feature("differences between nuclei", "synthetic nuclei are too alike in brightness",
            "synthetic nuclei differ too much in brightness"),
    Feature("variation in nuclei", "synthetic nuclei are too even inside", "synthetic nuclei are too uneven inside"),
    Feature("fine texture in nuclei", "synthetic nuclei have too little fine texture",
            "synthetic nuclei have too much fine texture"),
    Feature("sharpness of edges", "the edges of synthetic nuclei are too soft",
            "the edges of synthetic nuclei are too sharp"),
    Feature("background texture", "the background of synthetic images is too smooth",
            "the background of synthetic images is too rough"),
)  # fmt: skip


def patch_features(pixels: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """The 18 `FEATURES` of each patch; those of nuclei are NaN where a patch has none.

    Parameters
    ----------
    pixels : ndarray, shape (N, S, S, C), float in [0, 1]
    labels : ndarray, shape (N, S, S), int

    Returns
    -------
    ndarray, shape (N, 18), float64
    """
    return np.stack([_features(patch, mask) for patch, mask in zip(pixels, labels, strict=True)])


def filled(real: np.ndarray, synthetic: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Both tables in standard deviations of the real one, gaps at its mean, constant columns left out.

    Returns
    -------
    real, synthetic : ndarray, shape (N, K) and (M, K)
    columns : ndarray of int, shape (K,)

    Raises
    ------
    InputError
        If nothing varies in the real images.
    """
    usable = np.isfinite(real).sum(0) >= 2
    mean, spread = np.zeros(real.shape[1]), np.zeros(real.shape[1])
    mean[usable], spread[usable] = np.nanmean(real[:, usable], 0), np.nanstd(real[:, usable], 0)
    columns = np.flatnonzero(spread > 1e-9)
    if not len(columns):
        raise InputError("The real images are all the same.", "Use other images.")
    scaled = [np.nan_to_num((x[:, columns] - mean[columns]) / spread[columns]) for x in (real, synthetic)]
    return scaled[0], scaled[1], columns


def _features(patch: np.ndarray, labels: np.ndarray) -> list[float]:
    grey = patch.mean(-1, dtype=np.float64)
    low, high = np.percentile(grey, (5, 95))
    histogram = np.histogram(grey, 64, (0, 1))[0] / grey.size
    entropy = float(stats.entropy(histogram, base=2))
    spread = float(grey.std())
    colour = patch.shape[-1] == 3
    saturation = float((patch.max(-1) - patch.min(-1)).mean()) if colour else 0.0
    red_blue = float((patch[..., 0] - patch[..., 2]).mean()) if colour else 0.0
    skew = float(((grey - grey.mean()) ** 3).mean() / spread**3) if spread > 1e-6 else 0.0
    return [float(grey.mean()), spread, skew, entropy, float(low), float(high), saturation, red_blue,
            *_bands(grey), *_nuclei(grey, labels)]  # fmt: skip


def _bands(grey: np.ndarray) -> list[float]:
    """log10 of the power in each of `BANDS`, of the windowed patch."""
    side = len(grey)
    window = np.outer(np.hanning(side), np.hanning(side))
    power = np.abs(np.fft.fft2((grey - grey.mean()) * window)) ** 2 / side**2
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(side), np.fft.fftfreq(side)))
    inside = [(frequency >= 1 / long) & (frequency < 1 / short) for long, short in BANDS]
    return [float(np.log10(power[band].mean() + 1e-10)) for band in inside]


def _nuclei(grey: np.ndarray, labels: np.ndarray) -> list[float]:
    mask = labels > 0
    fine = grey - ndimage.gaussian_filter(grey, 1.5)
    distance_out = ndimage.distance_transform_edt(~mask) if mask.any() else np.full(mask.shape, np.inf)
    background = distance_out > EDGE
    rough = float(fine[background].std()) if background.sum() > 50 else np.nan
    if mask.sum() < 30:
        return [np.nan] * 5 + [rough]
    distance_in = ndimage.distance_transform_edt(mask)
    ring = (distance_out > EDGE) & (distance_out <= 4 * EDGE)
    around = float(grey[ring].mean()) if ring.any() else float(grey[~mask].mean()) if not mask.all() else np.nan
    numbers = np.unique(labels[mask], return_inverse=True)[1]
    counts, values = np.bincount(numbers), grey[mask]
    means = np.bincount(numbers, values) / counts
    spreads = np.sqrt(np.maximum(np.bincount(numbers, values**2) / counts - means**2, 0))
    core = distance_in > EDGE
    edge = (distance_in <= EDGE) & (distance_out <= EDGE)
    slope = ndimage.gaussian_gradient_magnitude(grey, 1.0)
    return [
        float(grey[mask].mean()) - around,
        float(means.std()) if len(means) > 1 else np.nan,
        float(spreads.mean()),
        float(fine[core].std()) if core.sum() > 30 else np.nan,
        float(slope[edge].mean()) if edge.any() else np.nan,
        rough,
    ]
