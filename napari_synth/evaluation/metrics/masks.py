"""Metrics of two masks."""

from __future__ import annotations

import numpy as np

from napari_synth.evaluation.metrics.base import Metric


def dice(a: np.ndarray, b: np.ndarray) -> float:
    """Dice coefficient of two foregrounds (``> 0``); 1 when both are empty."""
    a, b = a > 0, b > 0
    total = np.count_nonzero(a) + np.count_nonzero(b)
    return 2 * np.count_nonzero(a & b) / total if total else 1.0


DICE = Metric("Dice coefficient of the foregrounds", "two masks", "higher", dice)
