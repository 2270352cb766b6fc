"""Does it help? Segmenters trained on real, synthetic and both kinds of pairs, scored on real images they never saw."""

from napari_synth.evaluation.usefulness.arms import ARMS
from napari_synth.evaluation.usefulness.budgets import BUDGETS
from napari_synth.evaluation.usefulness.report import HelpReport
from napari_synth.evaluation.usefulness.request import HelpRequest
from napari_synth.evaluation.usefulness.run import does_it_help, time_left

__all__ = ["ARMS", "BUDGETS", "HelpReport", "HelpRequest", "does_it_help", "time_left"]
