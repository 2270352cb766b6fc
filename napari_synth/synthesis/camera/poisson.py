"""Poisson numbers by position: a pixel has the same one, whatever part of the canvas is drawn."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtri

FEW = 20.0
"""Below this mean the distribution is summed up, above it is a normal one with its next terms."""


def poisson_at(mean: np.ndarray, uniform: np.ndarray) -> np.ndarray:
    """The quantiles of Poisson distributions.

    Parameters
    ----------
    mean : ndarray, float32
        At least 0.
    uniform : ndarray, float32
        Of the same shape, in (0, 1); by position, for example `nets.counter_noise.counter_uniform`.

    Returns
    -------
    ndarray, float32
        Whole numbers. For means over 20 the Cornish-Fisher expansion, which is right up to some 1e-3 of a
        standard deviation (Abramowitz & Stegun 26.2.49).
    """
    counts = np.empty(mean.shape, np.float32)
    few = mean < FEW
    counts[few] = _summed(mean[few], uniform[few])
    many = ~few
    z, rate = ndtri(uniform[many].astype(np.float64)), mean[many].astype(np.float64)
    spread = np.sqrt(rate)
    counts[many] = np.floor(rate + spread * z + (z * z - 1) / 6 + (z - z**3) / (72 * spread) + 0.5)
    return counts


def _summed(mean: np.ndarray, uniform: np.ndarray) -> np.ndarray:
    """Count up while the cumulated probability is below the uniform number."""
    counts = np.zeros(mean.shape, np.float32)
    left = np.arange(mean.size)
    rate, wanted = mean.astype(np.float64), uniform.astype(np.float64)
    term = np.exp(-rate)
    total, count = term.copy(), 0
    while True:
        open_ = wanted > total
        if not open_.any() or count > 20 * FEW:
            return counts
        left = left[open_]
        rate, wanted, term, total = rate[open_], wanted[open_], term[open_], total[open_]
        count += 1
        counts[left] = count
        term = term * rate / count
        total = total + term
