"""The names from inside the program that the cases use, and the only ones: where they move, this file follows."""

from napari_synth.api import recipe_of
from napari_synth.cli.main import app
from napari_synth.core.recipe import Intervention
from napari_synth.core.user_settings import load_settings
from napari_synth.exporting.formats.tiff import embedded_nuclei
from napari_synth.synthesis.request import RenderRequest
from napari_synth.ui.autosave.store import read_kept

__all__ = ["Intervention", "RenderRequest", "app", "embedded_nuclei", "load_settings", "read_kept", "recipe_of"]
