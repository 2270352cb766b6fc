"""The names from inside the program that the cases use, and the only ones: where they move, this file follows."""

from napari_synth.api import recipe_of
from napari_synth.cli.main import app
from napari_synth.core.recipe import Intervention
from napari_synth.core.settings import load_settings
from napari_synth.export.tiff import embedded_nuclei
from napari_synth.masks.autosave import read_kept
from napari_synth.synthesis.generator import RenderRequest

__all__ = ["Intervention", "RenderRequest", "app", "embedded_nuclei", "load_settings", "read_kept", "recipe_of"]
