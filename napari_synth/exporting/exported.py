"""What was exported, opened again: the recipe of one image, its mask, and its image where there is one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import tifffile

from napari_synth.core.errors import InputError
from napari_synth.core.recipe import FileSource, LayerSource, Recipe, read_recipe
from napari_synth.core.recipe.recipe import RECIPE_NAME
from napari_synth.datasets.image_files import TIFF_SUFFIXES, open_image, read_channel, read_labels
from napari_synth.exporting.formats.base import PixelSize
from napari_synth.exporting.formats.tiff import embedded_recipe

if TYPE_CHECKING:
    from napari_synth.masks.mask_reader import MaskReader

IMAGES, MASKS = "images", "masks"
RECIPES = (".yaml", ".yml")
PIXELS = PixelSize()


@dataclass(frozen=True, eq=False)
class Exported:
    """One image that was exported, or that a recipe describes.

    Attributes
    ----------
    recipe : Recipe
        Of this image alone.
    batch : Recipe
        Of the export it belongs to; the same where there is no other.
    name : str
    labels : ndarray, shape (Y, X), int32, or None
        None: the mask of a walk that is in no file.
    image : ndarray or None
        As it is in the file, ``(Y, X)`` or ``(Y, X, 3)``; None: it is to be rendered.
    walk : ndarray or None
        The images of a walk, ``(step, ..., Y, X)``.
    condition : ndarray or None
        The image beside the mask.
    pixel_size : PixelSize
    """

    recipe: Recipe
    batch: Recipe
    name: str
    labels: np.ndarray | None
    image: np.ndarray | None = None
    walk: np.ndarray | None = None
    condition: np.ndarray | None = None
    pixel_size: PixelSize = PIXELS


def recipe_file(path: Path) -> Path | None:
    """The recipe that a folder or a file stands for; None where it is neither a recipe nor a folder with one."""
    if path.is_dir():
        return path / RECIPE_NAME if (path / RECIPE_NAME).is_file() else None
    return path if path.suffix.lower() in RECIPES and path.is_file() else None


def carries_recipe(path: Path) -> bool:
    """Whether a file is a TIFF with a recipe in it."""
    if path.suffix.lower() not in TIFF_SUFFIXES:
        return False
    try:
        embedded_recipe(path)
    except InputError:
        return False
    return True


def open_exported(path: Path, masks: MaskReader) -> Exported:
    """Read what a recipe, an exported file or a folder of exported pairs holds.

    Parameters
    ----------
    path : Path
        A ``recipe.yaml``, a folder with one, or a TIFF with a recipe in it: an image, a mask or a walk.
    masks : MaskReader
        Makes masks again that are in no file.

    Raises
    ------
    InputError
        If there is no recipe, or its mask is in no file and cannot be made again.
    """
    written = recipe_file(path)
    if written is None:
        recipe = embedded_recipe(path)
        return _opened(_image_beside(path), recipe, recipe, masks)
    batch = read_recipe(written)
    first = written.parent / IMAGES / f"{batch.stem(0)}.tif"
    if first.is_file():
        return _opened(first, embedded_recipe(first), batch, masks)
    recipe = batch.item(0)
    labels = _labels(written, recipe, masks)
    condition = masks.image(recipe.conditions[0]) if recipe.conditions else None
    return Exported(recipe, batch, written.parent.name, labels, condition=condition)


def _opened(path: Path, recipe: Recipe, batch: Recipe, masks: MaskReader) -> Exported:
    walk = None if recipe.conditions else _walk(path)
    if walk is not None:
        try:
            labels = _labels(path, recipe, masks)
        except InputError:  # it was painted; the walk can be looked at all the same
            return Exported(recipe, batch, path.stem, None, walk=walk)
        return Exported(recipe, batch, path.stem, labels, walk=walk)
    labels = _labels(path, recipe, masks)
    if recipe.conditions:
        anatomy, signal = read_channel(path, 0), read_channel(path, 1)
        return Exported(recipe, batch, path.stem, labels, signal, condition=anatomy)
    image = open_image(path)
    return Exported(recipe, batch, path.stem, labels, image.pixels, pixel_size=image.pixel_size)


def _walk(path: Path) -> np.ndarray | None:
    """The stack in a file that holds more than one image; None where it holds one."""
    with tifffile.TiffFile(path) as tif:
        axes, shape = tif.series[0].axes, tif.series[0].shape
        several = any(side > 1 for axis, side in zip(axes, shape, strict=True) if axis not in "YXS")
        return tif.series[0].asarray() if several else None


def _image_beside(path: Path) -> Path:
    """The image of an exported pair, of which the mask may have been chosen."""
    if path.parent.name != MASKS:
        return path
    image = path.parent.parent / IMAGES / path.name
    return image if image.is_file() else path


def _labels(path: Path, recipe: Recipe, masks: MaskReader) -> np.ndarray:
    """The mask: in the file beside the image, else made again as the recipe says."""
    beside = path.parent.parent / MASKS / path.name
    if path.parent.name == IMAGES and beside.is_file():
        return read_labels(beside)
    source = recipe.masks[0]
    if isinstance(source, LayerSource):
        raise InputError(
            f"The mask of {path.name} was painted in the layer {source.name!r} and is in no file beside it.",
            "Open the mask, choose it, and press Render.",
        )
    if isinstance(source, FileSource) and not Path(source.path).is_file():
        raise InputError(f"The mask {source.path} of {path.name} is not there.", "Put it back, or open the mask alone.")
    return masks.labels(source)
