"""Styles: codes of the overall appearance within an option, from a model's bank, the seed, or an image."""

from napari_synth.synthesis.styles.codes import bank_of, check_style, style_code, style_for

__all__ = ["bank_of", "check_style", "style_code", "style_for"]
