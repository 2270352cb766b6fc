"""From a recipe to its image, wherever the recipe came from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_synth.core.errors import InputError
from napari_synth.core.recipe import FileSource, LayerSource, Recipe, mask_hash, versions
from napari_synth.models.registry import bundled_paths, load_trained
from napari_synth.synthesis.generator import Generator

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np


def load_generator(name: str | Path, device: str = "auto") -> Generator:
    """Load a generator by bundled id or path."""
    return Generator(load_trained(name, device))


def model_name(generator: Generator) -> str:
    """How a recipe names the model: its id when bundled, else the absolute path."""
    bundled = generator.card.id in bundled_paths() and bundled_paths()[generator.card.id] == generator.path
    return generator.card.id if bundled else str(generator.path.resolve())


def painted_recipe(generator: Generator, labels: np.ndarray, layer_name: str, option: str, seed: int | None) -> Recipe:
    """The recipe of one image of a mask in a layer."""
    return Recipe(
        model=model_name(generator),
        model_sha256=generator.sha256,
        masks=[LayerSource(name=layer_name, sha256=mask_hash(labels))],
        options=[option] if option else [],
        seed=seed,
        versions=versions(),
    )


def file_recipe(generator: Generator, labels: np.ndarray, path: Path, option: str, seed: int | None) -> Recipe:
    """The recipe of one image of a mask file."""
    recipe = painted_recipe(generator, labels, path.name, option, seed)
    source = FileSource(path=str(path.resolve()), sha256=mask_hash(labels))
    return recipe.model_copy(update={"masks": [source]})


def check_model(recipe: Recipe, generator: Generator) -> None:
    """Raise `InputError` when the generator is not the one the recipe names."""
    if recipe.model_sha256 and recipe.model_sha256 != generator.sha256:
        raise InputError(
            f"The model {recipe.model} has other weights than the recipe was made with.",
            "Install the version of napari-synth named in the recipe, or clear model_sha256 to use these.",
        )
