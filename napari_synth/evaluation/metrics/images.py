"""Metrics of two images of one shape, pixel by pixel."""

from __future__ import annotations

import numpy as np
from skimage.metrics import structural_similarity

from napari_synth.evaluation.metrics.base import Metric


def mean_absolute_error(a: np.ndarray, b: np.ndarray, value_range: float = 255) -> float:
    """Mean absolute difference of two images, as a part of their range (0 to 1 for uint8 images)."""
    return float(np.abs(_numbers(a) - _numbers(b)).mean() / value_range)


def mean_squared_difference(a: np.ndarray, b: np.ndarray, value_range: float = 255) -> float:
    """Mean squared difference of two images, as a part of their range squared."""
    return float(np.square(_numbers(a) - _numbers(b)).mean() / value_range**2)


def similarity(a: np.ndarray, b: np.ndarray, value_range: float = 255) -> float:
    """SSIM of two images of one shape (Wang et al. 2004, 7×7 windows), colours averaged."""
    return float(structural_similarity(a, b, data_range=value_range, channel_axis=-1 if a.ndim == 3 else None))


def _numbers(image: np.ndarray) -> np.ndarray:
    """Floats as they are; integers so that a difference can be negative."""
    return image if image.dtype.kind == "f" else image.astype(np.float32)


MAE = Metric("mean absolute difference, part of the range", "two images", "lower", mean_absolute_error)
MSD = Metric("mean squared difference, part of the range squared", "two images", "lower", mean_squared_difference)
SSIM = Metric("structural similarity", "two images", "higher", similarity)
