"""Metrics of two label images: which objects were found, and how well their outlines fit.

Objects are matched by their IoU (intersection over union). At a threshold of at least 0.5 a match is unique but for
ties; of all matchings the one with most pairs at the threshold is taken, and of these the one of largest IoU, as
StarDist and Cellpose do.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np

from napari_synth.evaluation.metrics.base import Metric

THRESHOLDS = tuple(round(0.5 + 0.05 * step, 2) for step in range(9))
"""IoU 0.5, 0.55, … 0.9."""


@dataclass(frozen=True)
class Counts:
    """Objects found (TP), invented (FP) and missed (FN) at an IoU threshold, and the summed IoU of those found.

    Counts of several images add up: figures of their sum need no convention for images without objects.
    """

    found: int
    invented: int
    missed: int
    iou: float

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            self.found + other.found, self.invented + other.invented, self.missed + other.missed, self.iou + other.iou
        )

    @property
    def precision_of_all(self) -> float:
        """TP / (TP + FP + FN): AP of Cellpose and of the Data Science Bowl, not that of COCO; NaN without objects."""
        return _ratio(self.found, self.found + self.invented + self.missed)

    @property
    def f1(self) -> float:
        """2 TP / (2 TP + FP + FN)."""
        return _ratio(2 * self.found, 2 * self.found + self.invented + self.missed)

    @property
    def panoptic(self) -> float:
        """Summed IoU / (TP + FP / 2 + FN / 2): PQ of Kirillov et al. 2019, for the one class."""
        return _ratio(2 * self.iou, 2 * self.found + self.invented + self.missed)

    @property
    def matched_iou(self) -> float:
        """Mean IoU of the objects found."""
        return _ratio(self.iou, self.found)


class Overlap:
    """How the objects of two label images of one shape overlap.

    Parameters
    ----------
    true, predicted : ndarray, shape (Y, X), int
        Labels, 0 = background; they need not be contiguous.

    Attributes
    ----------
    shared : ndarray, shape (true objects, predicted objects)
        Pixels in common.
    true_areas, predicted_areas : ndarray
        Pixels of each.
    """

    def __init__(self, true: np.ndarray, predicted: np.ndarray):
        if true.shape != predicted.shape:
            raise ValueError(f"labels of shape {true.shape} and {predicted.shape} cannot be compared")
        rows, columns = _dense(true), _dense(predicted)
        height, width = int(rows.max(initial=0)) + 1, int(columns.max(initial=0)) + 1
        table = np.bincount((rows * width + columns).ravel(), minlength=height * width).reshape(height, width)
        self.shared = table[1:, 1:]
        self.true_areas, self.predicted_areas = table[1:].sum(1), table[:, 1:].sum(0)

    @cached_property
    def iou(self) -> np.ndarray:
        """Shape (true objects, predicted objects), 0 to 1."""
        union = self.true_areas[:, None] + self.predicted_areas[None] - self.shared
        ratio: np.ndarray = self.shared / union
        return ratio

    def matches(self, threshold: float = 0.5) -> tuple[np.ndarray, np.ndarray]:
        """Indices of the true and predicted objects that are matched with at least this IoU."""
        from scipy.optimize import linear_sum_assignment  # some hundred modules, which the other metrics do without

        few = min(self.iou.shape)
        if not few:
            return np.zeros(0, int), np.zeros(0, int)
        cost = -(self.iou >= threshold).astype(float) - self.iou / (2 * few)
        rows, columns = linear_sum_assignment(cost)
        good = self.iou[rows, columns] >= threshold
        return rows[good], columns[good]

    def counts(self, threshold: float = 0.5) -> Counts:
        """Objects found, invented and missed."""
        rows, columns = self.matches(threshold)
        true, predicted = self.iou.shape
        return Counts(len(rows), predicted - len(rows), true - len(rows), float(self.iou[rows, columns].sum()))

    @property
    def aggregated_jaccard(self) -> float:
        """AJI of Kumar et al. 2017: each true object takes the predicted one of largest IoU; NaN without objects.

        Predicted objects that none took count with all their pixels. One may be taken twice, as in the
        paper. (Cellpose's function of that name divides by the union of all foreground.)
        """
        taken = np.zeros(len(self.predicted_areas), bool)
        shared = union = 0
        for row, area in enumerate(self.true_areas):
            best = int(self.iou[row].argmax()) if len(taken) else 0
            if not len(taken) or self.shared[row, best] == 0:
                union += int(area)
                continue
            taken[best] = True
            shared += int(self.shared[row, best])
            union += int(area + self.predicted_areas[best] - self.shared[row, best])
        return _ratio(shared, union + int(self.predicted_areas[~taken].sum()))

    @property
    def count_error(self) -> float:
        """(predicted - true) / true objects; NaN without true ones."""
        true, predicted = self.iou.shape
        return _ratio(predicted - true, true)

    @property
    def area_bias(self) -> float:
        """Median of (predicted - true) / true area over the matches at 0.5; NaN without matches."""
        rows, columns = self.matches()
        if not len(rows):
            return float("nan")
        return float(np.median(self.predicted_areas[columns] / self.true_areas[rows]) - 1)


def pooled(overlaps: Iterable[Overlap], threshold: float = 0.5) -> Counts:
    """The counts of several images together."""
    return sum((overlap.counts(threshold) for overlap in overlaps), Counts(0, 0, 0, 0.0))


def average_precision(true: np.ndarray, predicted: np.ndarray, threshold: float = 0.5) -> float:
    """TP / (TP + FP + FN) at an IoU threshold; see `Counts`."""
    return Overlap(true, predicted).counts(threshold).precision_of_all


def mean_average_precision(true: np.ndarray, predicted: np.ndarray) -> float:
    """Mean of `average_precision` over IoU 0.5, 0.55, … 0.9."""
    overlap = Overlap(true, predicted)
    return float(np.mean([overlap.counts(threshold).precision_of_all for threshold in THRESHOLDS]))


def _f1(true: np.ndarray, predicted: np.ndarray, threshold: float = 0.5) -> float:
    return Overlap(true, predicted).counts(threshold).f1


def _panoptic(true: np.ndarray, predicted: np.ndarray, threshold: float = 0.5) -> float:
    return Overlap(true, predicted).counts(threshold).panoptic


def _matched_iou(true: np.ndarray, predicted: np.ndarray, threshold: float = 0.5) -> float:
    return Overlap(true, predicted).counts(threshold).matched_iou


def _aggregated_jaccard(true: np.ndarray, predicted: np.ndarray) -> float:
    return Overlap(true, predicted).aggregated_jaccard


def _count_error(true: np.ndarray, predicted: np.ndarray) -> float:
    return Overlap(true, predicted).count_error


def _area_bias(true: np.ndarray, predicted: np.ndarray) -> float:
    return Overlap(true, predicted).area_bias


def _dense(labels: np.ndarray) -> np.ndarray:
    """Labels numbered 0…N in their order, int64; 0 stays 0."""
    present, places = np.unique(labels, return_inverse=True)
    dense = places.reshape(labels.shape).astype(np.int64)
    zero = np.flatnonzero(present == 0)
    if not len(zero):
        return dense + 1
    if zero[0] == 0:
        return dense
    moved: np.ndarray = np.where(dense == zero[0], 0, np.where(dense < zero[0], dense + 1, dense))
    return moved


def _ratio(part: float, whole: float) -> float:
    return float(part / whole) if whole else float("nan")


AP50 = Metric("AP at IoU 0.5: TP / (TP + FP + FN)", "two label images", "higher", average_precision)
AP75 = Metric("AP at IoU 0.75", "two label images", "higher", partial(average_precision, threshold=0.75))
AP90 = Metric("AP at IoU 0.9", "two label images", "higher", partial(average_precision, threshold=0.9))
AP = Metric("mean AP over IoU 0.5 to 0.9", "two label images", "higher", mean_average_precision)
F1 = Metric("F1 at IoU 0.5", "two label images", "higher", _f1)
PQ = Metric("panoptic quality", "two label images", "higher", _panoptic)
AJI = Metric("aggregated Jaccard index (Kumar)", "two label images", "higher", _aggregated_jaccard)
MATCHED_IOU = Metric("mean IoU of the objects found", "two label images", "higher", _matched_iou)
COUNT = Metric("objects too many, part of the true ones", "two label images", "zero", _count_error)
AREA = Metric("median area too large, part of the true one", "two label images", "zero", _area_bias)
