"""Numbers that say how alike two things are. A new one is a function in a file here and a line in `METRICS`."""

from __future__ import annotations

from napari_synth.core.registry import Registry
from napari_synth.evaluation.metrics.base import Metric
from napari_synth.evaluation.metrics.images import MAE, MSD, SSIM
from napari_synth.evaluation.metrics.masks import DICE
from napari_synth.evaluation.metrics.spectra import GRID
from napari_synth.evaluation.metrics.variety import VARIETY

METRICS: Registry[Metric] = Registry(
    "metric", {"mae": MAE, "msd": MSD, "ssim": SSIM, "dice": DICE, "grid": GRID, "variety": VARIETY}
)
