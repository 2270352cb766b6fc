"""Metrics of two masks, and of a mask and the probabilities of its pixels."""

from __future__ import annotations

import numpy as np

from napari_synth.evaluation.metrics.base import Metric


def dice(a: np.ndarray, b: np.ndarray) -> float:
    """Dice coefficient of two foregrounds (``> 0``); 1 when both are empty."""
    a, b = a > 0, b > 0
    total = np.count_nonzero(a) + np.count_nonzero(b)
    return 2 * np.count_nonzero(a & b) / total if total else 1.0


def pixel_iou(a: np.ndarray, b: np.ndarray) -> float:
    """Intersection over union of two foregrounds (``> 0``); 1 when both are empty."""
    a, b = a > 0, b > 0
    union = np.count_nonzero(a | b)
    return np.count_nonzero(a & b) / union if union else 1.0


def kappa(a: np.ndarray, b: np.ndarray) -> float:
    """Cohen's κ of two foregrounds (``> 0``): agreement beyond chance; NaN where chance alone agrees wholly."""
    a, b = a > 0, b > 0
    chance = a.mean() * b.mean() + (1 - a.mean()) * (1 - b.mean())
    return float(((a == b).mean() - chance) / (1 - chance)) if chance < 1 else float("nan")


def roc_auc(mask: np.ndarray, probability: np.ndarray) -> float:
    """Probability that a pixel of the mask outranks one of the background, ties one half; NaN without either."""
    return auc_of_counts(*_by_value(mask, probability))


def auc_of_counts(positives: np.ndarray, negatives: np.ndarray) -> float:
    """Area under the ROC curve from how often each of the rising values occurs in either class (Mann-Whitney)."""
    pairs = positives.sum() * negatives.sum()
    below = np.cumsum(negatives) - negatives / 2
    return float((positives * below).sum() / pairs) if pairs else float("nan")


def pr_auc(mask: np.ndarray, probability: np.ndarray) -> float:
    """Average precision over pixels, Σ (R_k - R_{k-1}) P_k over falling thresholds; NaN where the mask is empty."""
    positives, negatives = (counts[::-1] for counts in _by_value(mask, probability))
    found, called = np.cumsum(positives), np.cumsum(positives + negatives)
    return float((positives * found / called).sum() / found[-1]) if found[-1] else float("nan")


def _by_value(mask: np.ndarray, probability: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Pixels of the mask and others at each value of the probability, rising."""
    inside = np.asarray(mask).ravel() > 0
    values, places = np.unique(np.asarray(probability).ravel(), return_inverse=True)
    positives = np.bincount(places, inside, len(values))
    return positives, np.bincount(places, ~inside, len(values))


DICE = Metric("Dice coefficient of the foregrounds", "two masks", "higher", dice)
IOU = Metric("intersection over union of the foregrounds", "two masks", "higher", pixel_iou)
KAPPA = Metric("Cohen's κ of the foregrounds", "two masks", "higher", kappa)
ROC_AUC = Metric("area under the ROC curve of pixels", "a mask and probabilities", "higher", roc_auc)
PR_AUC = Metric("average precision of pixels", "a mask and probabilities", "higher", pr_auc)
