"""A recipe for layers that no generator made."""

from __future__ import annotations

from napari_synth.core.recipe import LayerSource, Recipe

RECIPE = Recipe(model="fake", masks=[LayerSource(name="m", sha256="0")], options=["he"])
