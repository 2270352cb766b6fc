"""How far two sets are apart, a number of two arrays of samples. A new one is a `Distance` and a line here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.spatial.distance import cdist

from napari_synth.core.registry import Registry
from napari_synth.evaluation.metrics.spectra import power_spectrum
from napari_synth.evaluation.realism.features import patch_features
from napari_synth.evaluation.realism.sets import Patches

RINGS_FROM = 3


@dataclass(frozen=True)
class Distance:
    """A line of the battery.

    Attributes
    ----------
    title : str
    describe : callable
        Of `Patches` to samples, ``(N, …)``.
    between : callable
        Of two arrays of samples to a number, 0 or about 0 for sets alike.
    standardised : bool
        Whether samples are features that are to be scaled by the real ones first.
    """

    title: str
    describe: Callable[[Patches], np.ndarray]
    between: Callable[[np.ndarray, np.ndarray], float]
    standardised: bool = False


def histograms(patches: Patches) -> np.ndarray:
    """Shares of 256 grey values of each patch and channel, ``(N, C, 256)``."""
    levels = (patches.pixels * 255).round().astype(np.int64)
    count, side, _, channels = levels.shape
    shares = np.zeros((count, channels, 256))
    for number in range(count):
        for channel in range(channels):
            shares[number, channel] = np.bincount(levels[number, :, :, channel].ravel(), minlength=256)
    shares /= side**2
    return shares


def grey_values(real: np.ndarray, synthetic: np.ndarray) -> float:
    """Wasserstein-1 of pooled grey values in [0, 1], mean over channels."""
    apart = np.cumsum(real.mean(0), -1) - np.cumsum(synthetic.mean(0), -1)
    return float(np.abs(apart).sum(-1).mean() / 255)


def exposure(patches: Patches) -> np.ndarray:
    """Mean and standard deviation of each patch, ``(N, 2)``."""
    return np.stack([patches.pixels.mean((1, 2, 3)), patches.pixels.std((1, 2, 3))], 1)


def wasserstein(real: np.ndarray, synthetic: np.ndarray) -> float:
    """Mean over columns of Wasserstein-1."""
    grid = (np.arange(100) + 0.5) / 100
    return float(np.abs(np.quantile(real, grid, axis=0) - np.quantile(synthetic, grid, axis=0)).mean())


def spectra(patches: Patches) -> np.ndarray:
    """log10 of the radially averaged power of each patch, rings of a pixel from 3 to N / 2, ``(N, rings)``."""
    side = patches.pixels.shape[1]
    frequency = np.fft.fftfreq(side, 1 / side)
    ring = np.hypot(*np.meshgrid(frequency, frequency)).round().astype(int)
    counts = np.bincount(ring.ravel())
    rows = []
    for patch in patches.pixels:
        power = power_spectrum(patch, side)
        rows.append(np.log10(np.bincount(ring.ravel(), power.ravel()) / counts + 1e-12)[RINGS_FROM : side // 2])
    return np.stack(rows)


def decades(real: np.ndarray, synthetic: np.ndarray) -> float:
    """Mean absolute difference of mean log10 spectra."""
    return float(np.abs(real.mean(0) - synthetic.mean(0)).mean())


def energy(real: np.ndarray, synthetic: np.ndarray) -> float:
    """Energy distance 2 E|r - s| - E|r - r'| - E|s - s'|, unbiased (Székely & Rizzo 2013)."""
    n, m = len(real), len(synthetic)
    within = cdist(real, real).sum() / (n * (n - 1)), cdist(synthetic, synthetic).sum() / (m * (m - 1))
    return float(2 * cdist(real, synthetic).mean() - sum(within))


def frechet(real: np.ndarray, synthetic: np.ndarray) -> float:
    """Fréchet distance of two Gaussians with Ledoit-Wolf covariances; for few columns only."""
    from sklearn.covariance import ledoit_wolf

    a, b = ledoit_wolf(real)[0], ledoit_wolf(synthetic)[0]
    roots = np.sqrt(np.maximum(np.linalg.eigvals(a @ b).real, 0))  # of a product of two such: none below 0
    return float(np.square(real.mean(0) - synthetic.mean(0)).sum() + np.trace(a + b) - 2 * roots.sum())


def mahalanobis(real: np.ndarray, synthetic: np.ndarray) -> float:
    """Mean squared Mahalanobis distance of synthetic samples from the real ones, per column; about 1 for real ones.

    Directions in which a few real samples do not vary at all say nothing and are left out.
    """
    from sklearn.covariance import ledoit_wolf

    inverse = np.linalg.pinv(ledoit_wolf(real)[0], hermitian=True)
    away = synthetic - real.mean(0)
    return float(np.einsum("ni,ij,nj->n", away, inverse, away).mean() / real.shape[1])


def kernel_distance(real: np.ndarray, synthetic: np.ndarray) -> float:
    """KID: unbiased squared MMD with the kernel (x·y / d + 1)³ (Bińkowski et al. 2018)."""
    d, n, m = real.shape[1], len(real), len(synthetic)
    rr, ss, rs = ((a @ b.T / d + 1) ** 3 for a, b in ((real, real), (synthetic, synthetic), (real, synthetic)))
    within = (rr.sum() - np.trace(rr)) / (n * (n - 1)) + (ss.sum() - np.trace(ss)) / (m * (m - 1))
    return float(within - 2 * rs.mean())


def features(patches: Patches) -> np.ndarray:
    """The 18 features of each patch."""
    return patch_features(patches.pixels, patches.labels)


DISTANCES: Registry[Distance] = Registry(
    "distance",
    {
        "grey-values": Distance("grey values (Wasserstein-1, of 1)", histograms, grey_values),
        "exposure": Distance("means and spreads of patches (Wasserstein-1, of 1)", exposure, wasserstein),
        "spectrum": Distance("spectrum (decades)", spectra, decades),
        "features": Distance("18 features (energy distance)", features, energy, True),
        "frechet": Distance("18 features (Fréchet)", features, frechet, True),
        "mahalanobis": Distance("18 features (Mahalanobis², per feature)", features, mahalanobis, True),
    },
)
