"""Self-contained pages: text, tables, pictures and plots in one HTML file."""

from napari_synth.evaluation.report.page import Page
from napari_synth.evaluation.report.pictures import outlined, png

__all__ = ["Page", "outlined", "png"]
