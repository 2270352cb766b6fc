"""From a recipe to its image, wherever the recipe came from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_synth.core.errors import InputError
from napari_synth.core.recipe import (
    FileSource,
    ImageFileSource,
    LayerSource,
    Recipe,
    image_hash,
    mask_hash,
    versions,
)
from napari_synth.datasets.image_files import as_labels
from napari_synth.models.registry import bundled_paths, load_trained
from napari_synth.synthesis.generator import Generator, RenderRequest, check_option

if TYPE_CHECKING:
    from pathlib import Path


def load_generator(name: str | Path, device: str = "auto") -> Generator:
    """Load a generator by bundled id or path."""
    return Generator(load_trained(name, device))


def model_name(generator: Generator) -> str:
    """How a recipe names the model: its id when bundled, else the absolute path."""
    bundled = generator.card.id in bundled_paths() and bundled_paths()[generator.card.id] == generator.path
    return generator.card.id if bundled else str(generator.path.resolve())


def request_of(recipe: Recipe, labels: np.ndarray, condition: np.ndarray | None = None) -> RenderRequest:
    """What to render for a recipe of one image."""
    z = None if recipe.z is None else np.array(recipe.z, np.float32)
    option = next(iter(recipe.options), None)
    interventions = tuple(recipe.interventions)
    return RenderRequest(
        labels,
        option,
        recipe.seed,
        z=z,
        condition=condition,
        interventions=interventions,
        precision=recipe.precision,
    )


def painted_recipe(
    generator: Generator, request: RenderRequest, layer_name: str, condition_name: str = "image"
) -> Recipe:
    """The recipe of one image of a mask in a layer."""
    card, condition = generator.card, request.condition
    return Recipe(
        model=model_name(generator),
        model_sha256=generator.sha256,
        masks=[LayerSource(name=layer_name, sha256=mask_hash(as_labels(request.mask)))],
        conditions=[] if condition is None else [LayerSource(name=condition_name, sha256=image_hash(condition))],
        options=[card.options[check_option(card, request.option)]] if card.options else [],
        seed=request.seed,
        z=None if request.z is None else [float(value) for value in request.z],
        interventions=list(request.interventions),
        precision=request.precision,
        versions=versions(),
    )


def painted_batch(
    generator: Generator,
    request: RenderRequest,
    masks: list[tuple[str, np.ndarray]],
    options: tuple[str, ...],
    variants: int,
    condition_name: str = "image",
) -> tuple[Recipe, dict[str, np.ndarray]]:
    """The recipe of a batch of masks in layers, and the arrays it names by their hashes."""
    first = painted_recipe(generator, request, masks[0][0], condition_name)
    sources = [LayerSource(name=name, sha256=mask_hash(labels)) for name, labels in masks]
    in_memory = {source.sha256: labels for source, (_, labels) in zip(sources, masks, strict=True)}
    if request.condition is not None:
        in_memory[first.conditions[0].sha256] = request.condition
    chosen = {"masks": sources, "options": list(options), "variants": variants}
    return first.model_copy(update=chosen), in_memory


def file_recipe(
    generator: Generator, request: RenderRequest, path: Path, condition: ImageFileSource | None = None
) -> Recipe:
    """The recipe of one image of a mask file, and of the image file beside it."""
    recipe = painted_recipe(generator, request, path.name)
    source = FileSource(path=str(path.resolve()), sha256=recipe.masks[0].sha256)
    beside = [] if condition is None else [condition]
    return recipe.model_copy(update={"masks": [source], "conditions": beside})


def check_model(recipe: Recipe, generator: Generator) -> None:
    """Raise `InputError` when the generator is not the one the recipe names."""
    if recipe.model_sha256 and recipe.model_sha256 != generator.sha256:
        raise InputError(
            f"The model {recipe.model} has other weights than the recipe was made with.",
            "Install the version of napari-synth named in the recipe, or clear model_sha256 to use these.",
        )
