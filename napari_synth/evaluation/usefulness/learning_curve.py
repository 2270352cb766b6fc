"""How much painted images and synthetic pairs are worth: f(n_p, n_s) = a ln n_p + b ln n_s + c (Menten et al. 2022)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from napari_synth.core.errors import InputError
from napari_synth.core.seeds import numpy_rng
from napari_synth.evaluation.statistics import LEVEL

DRAWS = 2000
REACH = 2.0
"""Times the largest measured number up to which is predicted."""


@dataclass(frozen=True, eq=False)
class Measured:
    """Scores with so many painted and synthetic pairs: ``(repeats, groups)``, the same groups everywhere."""

    painted: int
    synthetic: int
    scores: np.ndarray


@dataclass(frozen=True)
class LearningCurve:
    """A fit, and the intervals of its slopes.

    Attributes
    ----------
    a, b, c : float
        Per e-fold of painted images, per e-fold of synthetic pairs, and the rest.
    a_interval, b_interval : tuple of float
    painted, synthetic : tuple of int
        Smallest and largest number measured.
    """

    a: float
    b: float
    c: float
    a_interval: tuple[float, float]
    b_interval: tuple[float, float]
    painted: tuple[int, int]
    synthetic: tuple[int, int]

    def at(self, painted: float, synthetic: float) -> float:
        """The score that is expected.

        Raises
        ------
        InputError
            Beyond twice what was measured.
        """
        for value, (low, high) in ((painted, self.painted), (synthetic, self.synthetic)):
            if not low / REACH <= value <= high * REACH:
                raise InputError(f"{value:g} lies beyond what was measured ({low} to {high}).", "Measure more.")
        return self.a * float(np.log(painted)) + self.b * float(np.log(synthetic)) + self.c

    @property
    def synthetic_help(self) -> bool:
        """Whether more synthetic pairs are seen to help."""
        return self.b_interval[0] > 0

    def worth(self, more: int) -> float | None:
        """How many painted images ``more`` synthetic pairs are worth at the largest sets; None where none is seen."""
        (_, n_p), (_, n_s) = self.painted, self.synthetic
        if not self.synthetic_help or self.a_interval[0] <= 0 or n_s + more > REACH * n_s:
            return None
        return float(n_p * (((n_s + more) / n_s) ** (self.b / self.a) - 1))

    @property
    def sentence(self) -> str:
        """What the curve says of the next thing to do."""
        n_p, n_s = self.painted[1], self.synthetic[1]
        if not self.synthetic_help:
            return f"No sign that more synthetic pairs help (b {self.b:+.4f}, {_interval(self.b_interval)})."
        gain = self.at(min(n_p + 10, REACH * n_p), n_s) - self.at(n_p, n_s)
        double = self.at(n_p, 2 * n_s) - self.at(n_p, n_s)
        worth = self.worth(n_s)
        said = f"; that is worth {worth:.1f} painted images" if worth is not None else ""
        return (
            f"{min(10, round((REACH - 1) * n_p))} more painted images: {gain:+.3f}; twice the synthetic pairs: "
            f"{double:+.3f} (b {_interval(self.b_interval)}){said}."
        )


def fit(measured: Sequence[Measured], seed: int = 1, draws: int = DRAWS) -> LearningCurve:
    """Least squares over all runs with synthetic pairs; intervals from drawing repeats and groups anew.

    Raises
    ------
    InputError
        If fewer than two numbers of either were measured, or the groups are not the same.
    """
    measured = [one for one in measured if one.synthetic > 0]
    painted, synthetic = (sorted({getattr(one, name) for one in measured}) for name in ("painted", "synthetic"))
    if len(painted) < 2 or len(synthetic) < 2:
        raise InputError("A learning curve needs two numbers of each kind of pairs.", "Measure more of them.")
    if len({one.scores.shape[1] for one in measured}) > 1:
        raise InputError("The runs were tested on other groups of images.", "Use the same real pairs for all.")
    x = np.array([(np.log(one.painted), np.log(one.synthetic), 1.0) for one in measured])
    best = _slopes(x, np.array([one.scores.mean() for one in measured]))
    rng = numpy_rng(seed, "curve")
    found = []
    for _ in range(draws):
        groups = rng.integers(measured[0].scores.shape[1], size=measured[0].scores.shape[1])
        rows = [rng.integers(len(one.scores), size=len(one.scores)) for one in measured]
        means = [one.scores[np.ix_(row, groups)].mean() for one, row in zip(measured, rows, strict=True)]
        found.append(_slopes(x, np.array(means)))
    low, high = np.quantile(found, ((1 - LEVEL) / 2, (1 + LEVEL) / 2), axis=0)
    return LearningCurve(
        float(best[0]),
        float(best[1]),
        float(best[2]),
        (float(low[0]), float(high[0])),
        (float(low[1]), float(high[1])),
        (painted[0], painted[-1]),
        (synthetic[0], synthetic[-1]),
    )


def _slopes(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    slopes: np.ndarray = np.linalg.lstsq(x, y, rcond=None)[0]
    return slopes


def _interval(values: tuple[float, float]) -> str:
    return f"[{values[0]:+.4f}, {values[1]:+.4f}]"
