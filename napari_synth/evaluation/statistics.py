"""Whether a difference would be seen again with other images and other runs.

Scores lie in a table of repeats (new initial weights, new training subset) by groups of test images. Both are
samples, so an interval must count both: a test over repeats alone, with the images fixed, finds a difference in up to
seven of ten comparisons where there is none.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from napari_synth.core.seeds import numpy_rng

LEVEL = 0.95
POWER = 0.8
DRAWS = 10_000


@dataclass(frozen=True)
class Difference:
    """A mean difference with its 95 % interval.

    Attributes
    ----------
    mean, low, high : float
    p : float
        Two-sided; NaN where it was not tested.
    detectable : float
        The smallest true difference that such a run finds in four of five cases.
    """

    mean: float
    low: float
    high: float
    p: float
    detectable: float

    @property
    def verdict(self) -> str:
        """``helps``, ``hurts`` or ``unclear``."""
        return "helps" if self.low > 0 else "hurts" if self.high < 0 else "unclear"


def two_way(differences: np.ndarray) -> Difference:
    """The mean of a table of paired differences with a two-way interval.

    With MS_I, MS_R and MS_E the mean squares of columns, rows and rest, the variance of the mean is
    max(MS_I + MS_R - MS_E, MS_I, MS_R) / (R I), with (MS_I + MS_R)² / (MS_I² / (I - 1) + MS_R² / (R - 1))
    degrees of freedom (Satterthwaite 1946).

    Parameters
    ----------
    differences : ndarray, shape (R, I)
        Repeats by groups of images, at least two of each; columns with NaN are left out.

    Raises
    ------
    ValueError
        If there are fewer.
    """
    d = np.asarray(differences, np.float64)
    d = d[:, np.isfinite(d).all(0)]
    repeats, groups = d.shape
    if repeats < 2 or groups < 2:
        raise ValueError(f"{repeats} repeats of {groups} groups are too few for an interval")
    mean = float(d.mean())
    columns, rows = d.mean(0), d.mean(1)
    ms_groups = repeats * np.square(columns - mean).sum() / (groups - 1)
    ms_repeats = groups * np.square(rows - mean).sum() / (repeats - 1)
    rest = d - columns[None] - rows[:, None] + mean
    ms_rest = np.square(rest).sum() / ((repeats - 1) * (groups - 1))
    variance = max(ms_groups + ms_repeats - ms_rest, ms_groups, ms_repeats) / (repeats * groups)
    below = ms_groups**2 / (groups - 1) + ms_repeats**2 / (repeats - 1)
    if variance <= 0 or below <= 0:  # all differences are the same
        return Difference(mean, mean, mean, 0.0 if mean else 1.0, 0.0)
    freedom = (ms_groups + ms_repeats) ** 2 / below
    error = float(np.sqrt(variance))
    quantile = float(stats.t.ppf(0.5 + LEVEL / 2, freedom))
    return Difference(
        mean,
        mean - quantile * error,
        mean + quantile * error,
        float(2 * stats.t.sf(abs(mean) / error, freedom)),
        (quantile + float(stats.t.ppf(POWER, freedom))) * error,
    )


def crossed_bootstrap(
    figure: Callable[[np.ndarray, np.ndarray], np.ndarray],
    repeats: int,
    groups: int,
    seed: int = 1,
    draws: int = DRAWS,
) -> Difference:
    """A figure of all repeats and groups at once, with the percentile interval of drawing both anew.

    For figures without a value per image, such as AP from summed counts.

    Parameters
    ----------
    figure : callable
        Of how often each repeat (D, R) and each group (D, I) was drawn, to D values.
    repeats, groups : int
    seed, draws : int
    """
    rng = numpy_rng(seed, "bootstrap", repeats, groups)
    mean = float(figure(np.ones((1, repeats)), np.ones((1, groups)))[0])
    values = figure(_drawn(rng, repeats, draws), _drawn(rng, groups, draws))
    kept = values[np.isfinite(values)]
    if not len(kept):
        return Difference(mean, np.nan, np.nan, np.nan, np.nan)
    low, high = np.quantile(kept, ((1 - LEVEL) / 2, (1 + LEVEL) / 2))
    spread = stats.norm.ppf(0.5 + LEVEL / 2) + stats.norm.ppf(POWER)
    return Difference(mean, float(low), float(high), float("nan"), float(spread * kept.std()))


def _drawn(rng: np.random.Generator, count: int, draws: int) -> np.ndarray:
    """How often each of ``count`` is among as many drawn with repetition, ``(draws, count)``."""
    return rng.multinomial(count, np.full(count, 1 / count), draws).astype(np.float64)


def holm(values: Sequence[float]) -> list[float]:
    """Values of p of several comparisons, adjusted so that 5 % is the chance of any false alarm (Holm 1979)."""
    order = np.argsort(values)
    adjusted, largest = np.zeros(len(values)), 0.0
    for rank, index in enumerate(order):
        largest = max(largest, min(1.0, (len(values) - rank) * values[index]))
        adjusted[index] = largest
    return [float(value) for value in adjusted]
