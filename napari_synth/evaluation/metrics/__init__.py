"""Numbers that say how alike two things are. A new one is a function in a file here and a line in `METRICS`."""

from __future__ import annotations

from napari_synth.core.registry import Registry
from napari_synth.evaluation.metrics import instances, masks
from napari_synth.evaluation.metrics.base import Metric
from napari_synth.evaluation.metrics.images import MAE, MSD, SSIM
from napari_synth.evaluation.metrics.spectra import GRID
from napari_synth.evaluation.metrics.variety import VARIETY

METRICS: Registry[Metric] = Registry(
    "metric",
    {
        "mae": MAE,
        "msd": MSD,
        "ssim": SSIM,
        "dice": masks.DICE,
        "iou": masks.IOU,
        "kappa": masks.KAPPA,
        "roc-auc": masks.ROC_AUC,
        "pr-auc": masks.PR_AUC,
        "ap50": instances.AP50,
        "ap75": instances.AP75,
        "ap90": instances.AP90,
        "ap": instances.AP,
        "f1": instances.F1,
        "pq": instances.PQ,
        "aji": instances.AJI,
        "matched-iou": instances.MATCHED_IOU,
        "count-error": instances.COUNT,
        "area-bias": instances.AREA,
        "grid": GRID,
        "variety": VARIETY,
    },
)
