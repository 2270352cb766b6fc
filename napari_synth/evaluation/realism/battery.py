"""Every distance with its floor: what two halves of the real set differ by."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from napari_synth.core.progress import CancelToken
from napari_synth.core.seeds import numpy_rng
from napari_synth.evaluation.realism.distances import DISTANCES, Distance
from napari_synth.evaluation.realism.features import filled
from napari_synth.evaluation.realism.sets import Patches

SPLITS = 100
APART = 3.0
"""Standard deviations of the floor from which two sets are told apart."""


@dataclass(frozen=True)
class Line:
    """A distance of halves of the sets, beside that of two real halves of the same number.

    Attributes
    ----------
    name, title : str
    value, low, high : float
        Mean, and the middle 95 %, over random halves by group.
    floor, spread : float
        Mean and standard deviation of the distance of two halves of the real set.
    """

    name: str
    title: str
    value: float
    low: float
    high: float
    floor: float
    spread: float

    @property
    def z(self) -> float:
        """How far the value lies above its floor, in standard deviations of the floor."""
        return (self.value - self.floor) / max(self.spread, 1e-12)

    @property
    def apart(self) -> bool:
        """Whether synthetic images differ more than real ones do among themselves."""
        return self.z > APART

    @property
    def words(self) -> str:
        """What it says, for a person who reads along."""
        name = self.title.partition(" (")[0]
        return f"{name}: {'differs' if self.apart else 'as among real images'} (z {self.z:+.1f})"


Samples = dict[Callable[[Patches], np.ndarray], tuple[np.ndarray, np.ndarray]]
"""Of both sets, by what made them of the patches: several distances share them."""


def battery(
    real: Patches, synthetic: Patches, seed: int, cancel: CancelToken, samples: Samples | None = None
) -> Iterator[Line]:
    """The lines of `DISTANCES`, one after the other; what is found of the patches is put into ``samples``."""
    samples = {} if samples is None else samples
    for name, distance in DISTANCES.items():
        cancel.raise_if_cancelled()
        if distance.describe not in samples:
            samples[distance.describe] = distance.describe(real), distance.describe(synthetic)
        ours, theirs = samples[distance.describe]
        yield line(name, distance, ours, theirs, real.groups, synthetic.groups, seed)


def line(
    name: str,
    distance: Distance,
    real: np.ndarray,
    synthetic: np.ndarray,
    real_groups: np.ndarray,
    synthetic_groups: np.ndarray,
    seed: int,
) -> Line:
    """One distance, on the same halves as all others.

    Parameters
    ----------
    name : str
    distance : Distance
    real, synthetic : ndarray, shape (N, …) and (M, …)
        Samples.
    real_groups, synthetic_groups : ndarray of str, shape (N,) and (M,)
    seed : int
    """
    if distance.standardised:
        real, synthetic, _ = filled(real, synthetic)
    values, floors = [], []
    for first, second, other in halves(real_groups, synthetic_groups, seed):
        floors.append(distance.between(real[first], real[second]))
        values.append(distance.between(real[first], synthetic[other]))
    low, high = np.quantile(values, (0.025, 0.975))
    return Line(
        name,
        distance.title,
        float(np.mean(values)),
        float(low),
        float(high),
        float(np.mean(floors)),
        float(np.std(floors)),
    )


def halves(
    real_groups: np.ndarray, synthetic_groups: np.ndarray, seed: int, splits: int = SPLITS
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Random halves of the real samples by group, and as many synthetic ones, whole groups first.

    Yields
    ------
    first, second, synthetic : ndarray of int
        Samples; the last two are equally many.
    """
    names, others = np.unique(real_groups), np.unique(synthetic_groups)
    members = {group: np.flatnonzero(real_groups == group) for group in names}
    made = {group: np.flatnonzero(synthetic_groups == group) for group in others}
    for split in range(splits):
        rng = numpy_rng(seed, "halves", split)
        order = rng.permutation(names)
        first = np.concatenate([members[group] for group in order[: len(order) // 2]])
        second = np.concatenate([members[group] for group in order[len(order) // 2 :]])
        synthetic = np.concatenate([made[group] for group in rng.permutation(others)])
        count = min(len(second), max(len(synthetic) // 2, 2))
        yield first, rng.permutation(second)[:count] if count < len(second) else second, synthetic[:count]
