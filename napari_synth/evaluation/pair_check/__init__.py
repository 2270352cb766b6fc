"""The label doctor: faults of image-mask pairs, each in one sentence with a cure for a copy of the data."""

from napari_synth.evaluation.pair_check.before import (
    MaskWatch,
    faults_before_export,
    faults_before_training,
    spoiling,
)
from napari_synth.evaluation.pair_check.check import check_pairs
from napari_synth.evaluation.pair_check.findings import FAULTS, Finding
from napari_synth.evaluation.pair_check.report import Report
from napari_synth.evaluation.pair_check.single import CheckedMask, check_masks, cured_mask

__all__ = [
    "FAULTS",
    "CheckedMask",
    "Finding",
    "MaskWatch",
    "Report",
    "check_masks",
    "check_pairs",
    "cured_mask",
    "faults_before_export",
    "faults_before_training",
    "spoiling",
]
