"""What a segmenter is worth on test images; its settings are chosen on others."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np

from napari_synth.datasets.pairs import LoadedPair
from napari_synth.evaluation.metrics import METRICS
from napari_synth.evaluation.metrics.instances import Counts, Overlap, pooled
from napari_synth.masks.binary import binary_instances

THRESHOLDS = (0.3, 0.4, 0.5, 0.6, 0.7)
RISES = (0.05, 0.1, 0.2)
"""See `masks.binary.binary_instances`."""
COUNTED = (0.5, 0.75)
OF_PIXELS = ("dice", "iou", "roc-auc", "pr-auc")
OF_OBJECTS = ("ap50", "ap75", "matched-iou", "pq", "aji", "f1", "count-error", "area-bias")
"""Figures of a test image; those of objects only where masks part them."""
THREADS = 4


@dataclass(frozen=True)
class Settings:
    """How probabilities become objects: threshold, and how much a centre stands out."""

    threshold: float = 0.5
    rise: float = RISES[0]

    def foreground(self, probability: np.ndarray) -> np.ndarray:
        """Bool, of probabilities as uint8."""
        above: np.ndarray = probability > 255 * self.threshold
        return above

    def objects(self, probability: np.ndarray) -> np.ndarray:
        """Instance labels, int32."""
        return binary_instances(self.foreground(probability), self.rise)


def has_instances(pairs: Sequence[LoadedPair]) -> bool:
    """Whether masks part their objects: most of those that have any have several labels."""
    several = [len(np.unique(pair.labels)) > 2 for pair in pairs if pair.labels.any()]
    return sum(several) > len(several) / 2


def chosen(pairs: Sequence[LoadedPair], probabilities: Sequence[np.ndarray], instances: bool) -> Settings:
    """The settings with the best Dice, and with these the best pooled AP at 0.5, on validation images."""
    dice = METRICS["dice"].function

    def score(threshold: float) -> float:
        settings = Settings(threshold)
        return float(
            np.mean([dice(x.labels, settings.foreground(p)) for x, p in zip(pairs, probabilities, strict=True)])
        )

    threshold = max(THRESHOLDS, key=lambda value: (round(score(value), 6), -abs(value - 0.5)))
    if not instances:
        return Settings(threshold)

    def precision(rise: float) -> float:
        settings = Settings(threshold, rise)
        with ThreadPoolExecutor(THREADS) as threads:
            objects = list(threads.map(settings.objects, probabilities))
        counts = pooled(Overlap(x.labels, made) for x, made in zip(pairs, objects, strict=True))
        return counts.precision_of_all if counts.found else 0.0

    return Settings(threshold, max(RISES, key=precision))


def scores(
    pairs: Sequence[LoadedPair], probabilities: Sequence[np.ndarray], settings: Settings, instances: bool
) -> list[dict[str, float]]:
    """The figures of each test image, by name; counts of objects among them, so that they can be pooled."""
    with ThreadPoolExecutor(THREADS) as threads:
        return list(threads.map(partial(_scores, settings=settings, instances=instances), pairs, probabilities))


def _scores(pair: LoadedPair, probability: np.ndarray, settings: Settings, instances: bool) -> dict[str, float]:
    mask, foreground = pair.labels > 0, settings.foreground(probability)
    if not mask.any() and not foreground.any():  # nothing there and nothing found: nothing but counts is defined
        none = Counts(0, 0, 0, 0.0)
        return (counted(none, "50") | counted(none, "75")) if instances else {}
    found = {
        "dice": METRICS["dice"].function(mask, foreground),
        "iou": METRICS["iou"].function(mask, foreground),
        "roc-auc": METRICS["roc-auc"].function(mask, probability),
        "pr-auc": METRICS["pr-auc"].function(mask, probability),
    }
    if not instances:
        return found
    overlap = Overlap(pair.labels, settings.objects(probability))
    half, high = (overlap.counts(threshold) for threshold in COUNTED)
    found |= {
        "ap50": half.precision_of_all,
        "ap75": high.precision_of_all,
        "matched-iou": half.matched_iou,
        "f1": half.f1,
        "pq": half.panoptic,
        "aji": overlap.aggregated_jaccard,
        "count-error": overlap.count_error,
        "area-bias": overlap.area_bias,
    }
    for name, counts in (("50", half), ("75", high)):
        found |= counted(counts, name)
    return found


def counted(counts: Counts, name: str) -> dict[str, float]:
    """Counts as figures: ``found50``, ``invented50``, ``missed50``, ``iou50``."""
    values = {"found": counts.found, "invented": counts.invented, "missed": counts.missed, "iou": counts.iou}
    return {f"{key}{name}": float(value) for key, value in values.items()}
