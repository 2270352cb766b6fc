"""TIFF pairs: ``images/*.tif`` and ``masks/*.tif`` with shared stems, readable by ImageJ."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import tifffile

from napari_synth.core.errors import InputError
from napari_synth.core.files import writing
from napari_synth.core.recipe import Recipe, located, parse_recipe
from napari_synth.export.base import PairToWrite, PixelSize

MAX_LABELS = np.iinfo(np.uint16).max


class TiffWriter:
    """ImageJ TIFF: the image as uint8 grey or RGB, the mask as uint16 instance labels."""

    def files(self, folder: Path, stem: str) -> tuple[Path, Path]:
        return folder / "images" / f"{stem}.tif", folder / "masks" / f"{stem}.tif"

    def write(self, folder: Path, pair: PairToWrite) -> None:
        image_path, mask_path = self.files(folder, pair.stem)
        write_tiff(mask_path, uint16_labels(pair.labels), pair.recipe_yaml, pair.pixel_size)
        write_tiff(image_path, pair.image, pair.recipe_yaml, pair.pixel_size)


def uint16_labels(labels: np.ndarray) -> np.ndarray:
    """Labels as uint16; renumbered from 1 only when a number does not fit.

    Raises
    ------
    InputError
        If there are more than 65 535 instances.
    """
    if labels.max(initial=0) > MAX_LABELS:
        values = np.union1d([0], labels)
        if len(values) - 1 > MAX_LABELS:
            raise InputError(f"The mask has {len(values) - 1} instances; TIFF pairs hold 65535.", "Split the mask.")
        labels = np.searchsorted(values, labels)
    return labels.astype(np.uint16)


def write_tiff(path: Path, array: np.ndarray, recipe_yaml: str, pixel_size: PixelSize) -> None:
    """Write an ImageJ TIFF with the recipe in its ``Info``, beside and renamed."""
    with writing(path) as temporary:
        tifffile.imwrite(
            temporary,
            array,
            imagej=True,
            resolution=(1 / pixel_size.x, 1 / pixel_size.y),
            metadata={"Info": recipe_yaml, "unit": pixel_size.unit, "axes": "YXS" if array.ndim == 3 else "YX"},
        )


def write_stack(path: Path, array: np.ndarray, axes: str, recipe_yaml: str) -> None:
    """Write an array of any number of axes with their letters and the recipe, beside and renamed."""
    with writing(path) as temporary:
        tifffile.imwrite(temporary, array, metadata={"axes": axes, "Info": recipe_yaml})


def embedded_recipe(path: Path) -> Recipe:
    """The recipe an exported TIFF carries.

    Raises
    ------
    InputError
        If the file is not a TIFF or carries no recipe.
    """
    try:
        with tifffile.TiffFile(path) as tif:
            described = tif.imagej_metadata or next(iter(tif.shaped_metadata or ()), {})
            info = described.get("Info")
    except (OSError, tifffile.TiffFileError, ValueError) as error:
        raise InputError(f"{path} cannot be read as a TIFF file ({error}).", "Check the path.") from error
    if not info:
        raise InputError(f"{path.name} carries no recipe.", "Use a TIFF exported by napari-synth.")
    return located(parse_recipe(str(info), path.name), path.parent)
