"""How real synthetic images look: distances with their floors, classifiers, nearest neighbours, a map, and words."""

from napari_synth.evaluation.realism.report import RealismReport
from napari_synth.evaluation.realism.run import RealismRequest, evaluate_realism

__all__ = ["RealismReport", "RealismRequest", "evaluate_realism"]
