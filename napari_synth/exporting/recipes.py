"""The recipe in an argument or file."""

from __future__ import annotations

from pathlib import Path

from napari_synth.core import arguments
from napari_synth.core.recipe import Recipe, read_recipe
from napari_synth.datasets.image_files import TIFF_SUFFIXES
from napari_synth.exporting.formats.tiff import embedded_recipe


def as_recipe(source: Recipe | str | Path) -> Recipe:
    """A recipe, or that in a ``.yaml`` file or inside an exported TIFF.

    Raises
    ------
    InputError
        If the file holds none.
    """
    if isinstance(source, Recipe):
        return source
    path = arguments.place(source, "recipe")
    return embedded_recipe(path) if path.suffix.lower() in TIFF_SUFFIXES else read_recipe(path)
