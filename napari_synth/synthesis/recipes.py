"""From a request to its recipe and from a recipe to its request: the one place where recipes are made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from napari_synth.core.errors import InputError
from napari_synth.core.recipe import (
    CameraSettings,
    ConditionSource,
    FileSource,
    ImageFileSource,
    Intervention,
    LayerSource,
    MaskSource,
    Precision,
    Recipe,
    Style,
    checked_recipe,
    image_hash,
    mask_hash,
    versions,
)
from napari_synth.models.registry import RoleModel, bundled_paths, load_trained
from napari_synth.synthesis.generator import Generator
from napari_synth.synthesis.request import Renderer, RenderRequest, check_mask, option_name

if TYPE_CHECKING:
    from napari_synth.masks.mask_reader import MaskReader


def load_generator(name: str | Path, device: str = "auto") -> Generator:
    """Load a generator by bundled id or path."""
    return Generator(load_trained(name, device))


def model_name(generator: RoleModel | Renderer) -> str:
    """How a recipe names the model: its id when bundled, else the absolute path."""
    bundled = bundled_paths().get(generator.card.id) == generator.path
    return generator.card.id if bundled else str(generator.path.resolve())


def request_of(
    recipe: Recipe, labels: np.ndarray, condition: np.ndarray | None = None, code: np.ndarray | None = None
) -> RenderRequest:
    """What to render for a recipe of one image; ``code`` is z where the recipe has none."""
    return RenderRequest(
        labels,
        next(iter(recipe.options), None),
        recipe.seed,
        z=code if recipe.z is None else np.array(recipe.z, np.float32),
        style=tuple(recipe.style) if isinstance(recipe.style, list) else recipe.style,
        condition=condition,
        interventions=tuple(recipe.interventions),
        precision=recipe.precision,
        camera=recipe.camera,
    )


def read_request(recipe: Recipe, masks: MaskReader) -> RenderRequest:
    """`request_of` a recipe of one image with its mask, the image beside it, and the code of a pair from noise.

    Raises
    ------
    InputError
        If one of them cannot be read or made.
    """
    source = recipe.masks[0]
    beside = masks.image(recipe.conditions[0]) if recipe.conditions else None
    code = masks.code(source) if recipe.makes(source) else None
    return request_of(recipe, masks.labels(source), beside, code)


def image_recipe(
    generator: Renderer, request: RenderRequest, mask: MaskSource, condition: ConditionSource | None = None
) -> Recipe:
    """The recipe of one image.

    Parameters
    ----------
    generator : Generator
    request : RenderRequest
        What was rendered.
    mask : MaskSource
        Where its mask comes from.
    condition : ConditionSource, optional
        Where the image beside it comes from.
    """
    option = option_name(generator.card, request.option)
    return Recipe(
        model=model_name(generator),
        model_sha256=generator.sha256,
        masks=[mask],
        conditions=[] if condition is None else [condition],
        options=[option] if option else [],
        seed=request.seed,
        z=None if request.z is None else [float(value) for value in request.z],
        style=_written(request.style),
        camera=request.camera,
        interventions=list(request.interventions),
        precision=request.precision,
        versions=versions(),
    )


def painted_recipe(
    generator: Renderer, request: RenderRequest, layer_name: str, condition_name: str = "image"
) -> Recipe:
    """The recipe of one image of a mask in a layer, and of the image layer beside it."""
    beside = None if request.condition is None else _layer_image(condition_name, request.condition)
    return image_recipe(generator, request, LayerSource(name=layer_name, sha256=request.mask_sha256), beside)


def file_recipe(
    generator: Renderer, request: RenderRequest, path: Path, condition: ImageFileSource | None = None
) -> Recipe:
    """The recipe of one image of a mask file, and of the image file beside it."""
    source = FileSource(path=str(path.resolve()), sha256=request.mask_sha256)
    return image_recipe(generator, request, source, condition)


def image_file(path: Path, image: np.ndarray) -> ImageFileSource:
    """An image file beside masks, with what it holds."""
    return ImageFileSource(path=str(path.resolve()), sha256=image_hash(image))


def masks_recipe(
    model: str,
    masks: Sequence[MaskSource],
    *,
    conditions: Sequence[ConditionSource] = (),
    options: Sequence[str] = (),
    seed: int | None = 1,
    n: int | None = None,
) -> Recipe:
    """The recipe of masks that no model was loaded for yet.

    Parameters
    ----------
    model : str
        Bundled id or path.
    masks : sequence of MaskSource
    conditions : sequence of ConditionSource
        The image beside each mask, or one for all of them.
    options : sequence of str
    seed : int, optional
    n : int, optional
        Number of pairs.
    """
    return Recipe(
        model=model, masks=list(masks), conditions=list(conditions), options=list(options), seed=seed, n=n,
        versions=versions(),
    )  # fmt: skip


@dataclass(frozen=True, eq=False)
class PaintedBatch:
    """The recipe of masks in layers, and what is in them.

    Attributes
    ----------
    recipe : Recipe
    arrays : dict of ndarray
        `mask_hash` to labels and `image_hash` to images, as `masks.mask_reader.MaskReader` takes them.
    """

    recipe: Recipe
    arrays: dict[str, np.ndarray]


def painted_batch(
    generator: Renderer,
    masks: Sequence[tuple[str, np.ndarray | Path]],
    *,
    condition: tuple[str, np.ndarray] | None = None,
    options: Sequence[str] = (),
    variants: int = 1,
    seed: int | None = 1,
    z: np.ndarray | None = None,
    style: Style | None = None,
    interventions: Sequence[Intervention] = (),
    precision: Precision = "exact",
    camera: CameraSettings | None = None,
) -> PaintedBatch:
    """Every mask in every option, so many times under seeds of their own.

    Parameters
    ----------
    generator : Generator
    masks : sequence of (str, ndarray or Path)
        Layer name and labels; or the file they are in, which is read when it is rendered.
    condition : (str, ndarray), optional
        Layer name and image that goes with all masks; the masks may be empty then.
    options : sequence of str
    variants : int
        Images per mask and option.
    seed : int, optional
    z : ndarray, optional
        One latent vector for all images.
    style : int or tuple of float, optional
        One style for all images; else each draws its own.
    interventions : sequence of Intervention
    precision : {'exact', 'fast'}
    camera : CameraSettings, optional
        One for all images, with noise of its own in each.

    Raises
    ------
    InputError
        If one of the masks cannot be rendered.
    """
    sources: list[MaskSource] = []
    arrays: dict[str, np.ndarray] = {}
    for name, mask in masks:
        if isinstance(mask, Path):
            sources.append(FileSource(path=str(mask.resolve())))
            continue
        labels = check_mask(mask, may_be_empty=condition is not None)
        sha256 = mask_hash(labels)
        sources.append(LayerSource(name=name, sha256=sha256))
        arrays[sha256] = labels
    beside = [] if condition is None else [_layer_image(*condition)]
    if condition is not None:
        arrays[beside[0].sha256] = condition[1]
    recipe = Recipe(
        model=model_name(generator),
        model_sha256=generator.sha256,
        masks=list(sources),
        conditions=list(beside),
        options=list(options),
        variants=variants,
        seed=seed,
        z=None if z is None else [float(value) for value in z],
        style=_written(style),
        camera=camera,
        interventions=list(interventions),
        precision=precision,
        versions=versions(),
    )
    return PaintedBatch(recipe, arrays)


def altered(
    recipe: Recipe,
    *,
    n: int | None = None,
    variants: int | None = None,
    options: Sequence[str] = (),
    precision: Precision | None = None,
    style: Style | None = None,
    camera: CameraSettings | None = None,
) -> Recipe:
    """The recipe with what is given in place of its own; `InputError` where that is out of range."""
    changes = {"n": n, "variants": variants, "options": list(options) or None, "precision": precision}
    given = {
        name: value
        for name, value in (changes | {"style": _written(style), "camera": camera}).items()
        if value is not None
    }
    if not given:
        return recipe
    return checked_recipe(recipe.model_dump() | given, "The recipe with these changes", "Give other numbers or names.")


def check_model(recipe: Recipe, generator: Renderer) -> None:
    """Raise `InputError` when the generator is not the one the recipe names."""
    if recipe.model_sha256 and recipe.model_sha256 != generator.sha256:
        raise InputError(
            f"The model {recipe.model} has other weights than the recipe was made with.",
            "Install the version of napari-synth named in the recipe, or clear model_sha256 to use these.",
        )


def _written(style: Style | None) -> int | list[float] | None:
    """A style as a recipe has it."""
    return list(style) if isinstance(style, tuple) else style


def _layer_image(name: str, image: np.ndarray) -> LayerSource:
    return LayerSource(name=name, sha256=image_hash(image))
