"""Fine-tune a look and say whether it helped."""

from napari_synth.evaluation.fine_tuning.run import FineTuneResult, fine_tune
from napari_synth.training.fine_tune.request import FineTuneRequest

__all__ = ["FineTuneRequest", "FineTuneResult", "fine_tune"]
