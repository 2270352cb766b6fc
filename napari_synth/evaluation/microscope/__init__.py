"""Fit to my microscope, without labels."""

from napari_synth.evaluation.microscope.fit import Agreement, FittedCamera, fit_to

__all__ = ["Agreement", "FittedCamera", "fit_to"]
