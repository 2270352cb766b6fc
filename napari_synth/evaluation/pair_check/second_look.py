"""A second look at every pair: does its image show what its mask says, in the eyes of a segmenter of real images."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from napari_synth.core.progress import CancelToken, OnProgress, Stopwatch, ignore_progress
from napari_synth.datasets.mask_encoding import to_uint8_rgb
from napari_synth.datasets.pairs import LoadedPair, find_pairs, load_pair
from napari_synth.evaluation.metrics.instances import Overlap
from napari_synth.evaluation.metrics.masks import dice
from napari_synth.evaluation.pair_check.alignment import correlated, flattened, normed
from napari_synth.masks.binary import binary_instances

Light = Literal["green", "yellow", "red"]
Probability = Callable[[np.ndarray], np.ndarray]
REACH = 12
"""Largest shift looked for, in pixels."""
BARELY = 0.2
"""Part of an object under which it counts as not there."""
SURE = 0.7
"""Mean probability of what counts as a nucleus without a label."""
SMALL = 0.3
"""Part of the median labelled area under which a find does not count."""
SHIFTED, BIASED, OFTEN = 3, 0.35, 0.15
"""Pixels, part of the area, part of the objects from which a pair is red, where real pairs do not have as much."""
USUAL = 0.95


@dataclass(frozen=True)
class Look:
    """What a segmenter sees in a pair.

    Attributes
    ----------
    stem : str
    dice : float
    shift : tuple of int
        Rows down and columns right that bring the mask onto what is seen.
    area_bias : float
        Median of (seen - labelled) / labelled area; NaN without matches.
    unlabelled, unseen : tuple of (int, int)
        Rows and columns of nuclei without a label, and of labels without a nucleus.
    objects : int
        Labels.
    """

    stem: str
    dice: float
    shift: tuple[int, int]
    area_bias: float
    unlabelled: tuple[tuple[int, int], ...]
    unseen: tuple[tuple[int, int], ...]
    objects: int

    @property
    def figures(self) -> np.ndarray:
        """Shift in pixels, amount of the area bias, and shares of unlabelled and unseen objects: 0 is best."""
        count = max(self.objects, 1)
        bias = 0.0 if np.isnan(self.area_bias) else abs(self.area_bias)
        return np.array(
            [max(map(abs, self.shift)), bias, len(self.unlabelled) / count, len(self.unseen) / count], np.float64
        )


@dataclass(frozen=True)
class Limits:
    """The figures from which a pair is red; yellow from half of each."""

    values: tuple[float, ...] = (SHIFTED, BIASED, OFTEN, OFTEN)

    def light(self, look: Look) -> Light:
        """Of a pair."""
        part = look.figures / np.array(self.values)
        return "red" if (part >= 1).any() else "yellow" if (part >= 0.5).any() else "green"

    def sentence(self, look: Look) -> str:
        """What is wrong, or that nothing is."""
        faults = []
        red = look.figures >= np.array(self.values) / 2
        if red[0]:
            down, right = look.shift
            faults.append(f"the mask fits {abs(down)} pixels {'lower' if down > 0 else 'higher'} and {abs(right)} to "
                          f"the {'right' if right > 0 else 'left'}")  # fmt: skip
        if red[1]:
            faults.append(f"nuclei look {abs(look.area_bias):.0%} {'larger' if look.area_bias > 0 else 'smaller'}")
        if red[2]:
            count = len(look.unlabelled)
            faults.append(f"{count} {'nucleus has' if count == 1 else 'nuclei have'} no label")
        if red[3]:
            count = len(look.unseen)
            faults.append(f"{count} {'label has' if count == 1 else 'labels have'} no nucleus in the image")
        return f"{'; '.join(faults)}".capitalize() or "Image and mask agree"


def look_at(pair: LoadedPair, probability: Probability) -> Look:
    """The `Look` at a pair.

    Parameters
    ----------
    pair : LoadedPair
    probability : callable
        Of an image to the probability of its foreground, such as `Segmentor.probability`.
    """
    seen, labels = probability(pair.image), pair.labels
    found = binary_instances(seen > 0.5)
    overlap = Overlap(labels, found)
    _, _, shift = correlated(
        normed(flattened(seen.astype(np.float32))), normed(flattened((labels > 0) * np.float32(1))), REACH
    )
    inside = overlap.shared.sum(1) / np.maximum(overlap.true_areas, 1)
    covered = overlap.shared.sum(0) / np.maximum(overlap.predicted_areas, 1)
    typical = np.median(overlap.true_areas) if len(overlap.true_areas) else 0
    present, numbers = (np.unique(a[a > 0]) for a in (labels, found))
    unlabelled = [
        _centre(found == number)
        for number, share, area in zip(numbers, covered, overlap.predicted_areas, strict=True)
        if share < BARELY and area >= SMALL * typical and seen[found == number].mean() > SURE
    ]
    unseen = [_centre(labels == label) for label, share in zip(present, inside, strict=True) if share < BARELY]
    down, right = shift
    close = dice(labels, seen > 0.5)
    return Look(pair.stem, close, (down, right), overlap.area_bias, tuple(unlabelled), tuple(unseen), len(present))


def limits_from(pairs: Sequence[LoadedPair], probability: Probability) -> Limits:
    """Limits that most real pairs keep: where the segmenter itself is often wrong, synthetic pairs may be too."""
    if not pairs:
        return Limits()
    usual = np.quantile([look_at(pair, probability).figures for pair in pairs], USUAL, axis=0)
    return Limits(tuple(float(value) for value in np.maximum(usual + 1e-9, Limits().values)))


def look_at_all(
    folder: Path,
    probability: Probability,
    on_progress: OnProgress = ignore_progress,
    cancel: CancelToken | None = None,
) -> Iterator[Look]:
    """The `Look` at each pair of a folder; pairs without objects are left out."""
    pairs = find_pairs(folder)
    watch = Stopwatch(len(pairs), on_progress)
    for number, pair in enumerate(pairs, 1):
        if cancel is not None:
            cancel.raise_if_cancelled()
        loaded = load_pair(pair)
        if loaded.labels.any():
            yield look_at(loaded, probability)
        watch.report(number, pair.stem)


def _centre(mask: np.ndarray) -> tuple[int, int]:
    rows, columns = np.nonzero(mask)
    return int(rows.mean()), int(columns.mean())


def agrees(probability: Probability, limits: Limits | None = None) -> Callable[[np.ndarray, np.ndarray], bool]:
    """Whether an image ``(Y, X[, 3])`` and its labels are not red: for an export that draws what is refused anew."""
    kept = limits or Limits()

    def accepted(image: np.ndarray, labels: np.ndarray) -> bool:
        pair = LoadedPair("", labels, to_uint8_rgb(image), image.ndim == 3)
        return not labels.any() or kept.light(look_at(pair, probability)) != "red"

    return accepted
