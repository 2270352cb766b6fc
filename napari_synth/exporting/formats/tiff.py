"""TIFF pairs: ``images/*.tif`` and ``masks/*.tif`` with shared stems, readable by ImageJ."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import tifffile

from napari_synth.core.errors import InputError
from napari_synth.core.files import writing
from napari_synth.core.names import check_inside
from napari_synth.core.recipe import Recipe, located, parse_recipe, versions
from napari_synth.exporting.formats.base import Guide, Item, PairToWrite, PixelSize, Survey, Writer
from napari_synth.exporting.formats.shell import quoted

MAX_LABELS = np.iinfo(np.uint16).max
NUCLEI_KEY = "napari_synth_nuclei"


class TiffWriter(Writer):
    """ImageJ TIFF: the image as grey, RGB or two channels, the mask as instance labels of 16 or 32 bits."""

    title: ClassVar[str] = "TIFF pairs (ImageJ)"
    exact: ClassVar[bool] = True
    plain_names: ClassVar[bool] = False
    two_channels: ClassVar[bool] = True

    def files(self, folder: Path, item: Item) -> tuple[Path, ...]:
        place = folder / item.role
        names = (place / "images" / f"{item.stem}.tif", place / "masks" / f"{item.stem}.tif")
        return check_inside(folder, names[0]), check_inside(folder, names[1])

    def write(self, folder: Path, pair: PairToWrite) -> None:
        image, mask = self.files(folder, pair.item)
        write_labels_and_image(image, mask, pair)

    def guide(self, folder: Path, survey: Survey) -> Guide:
        data = quoted(folder / ("train" if survey.has("train") else ""))
        return Guide(
            f"napari-synth train unet {data} --out {quoted(folder / 'unet.safetensors')}",
            f"napari-synth {versions()['napari-synth']}",
            ("This trains the small U-Net of napari-synth, which tells nuclei, gaps and background apart.",),
        )


def write_labels_and_image(image_path: Path, mask_path: Path, pair: PairToWrite) -> None:
    """The two TIFF files of a pair: the mask with its own numbers, then the image with all its channels."""
    write_tiff(mask_path, stored_labels(pair.labels), pair.recipe_yaml, pair.pixel_size)
    write_image_tiff(image_path, pair)


def write_image_tiff(path: Path, pair: PairToWrite) -> None:
    """The image of a pair, or both channels ``(C, Y, X)``."""
    if pair.condition is None:
        write_tiff(path, pair.image, pair.recipe_yaml, pair.pixel_size)
    else:
        both = np.stack([pair.condition, pair.image])  # NumPy finds the dtype that holds both
        write_tiff(path, both, pair.recipe_yaml, pair.pixel_size, channels=pair.channels)


def stored_labels(labels: np.ndarray) -> np.ndarray:
    """Labels as uint16, or with all their numbers as uint32 where one does not fit."""
    return labels.astype(np.uint32 if labels.max(initial=0) > MAX_LABELS else np.uint16)


def write_tiff(
    path: Path,
    array: np.ndarray,
    recipe_yaml: str,
    pixel_size: PixelSize,
    nuclei: dict[str, np.ndarray] | None = None,
    channels: tuple[str, ...] = (),
) -> None:
    """Write an ImageJ TIFF, or a plain one for the numbers of 32 bits that ImageJ has no type for; beside and renamed.

    The recipe goes into its ``Info``; the table of the nuclei, one array per column, is read back by
    `embedded_nuclei`. With names of channels the array is ``(C, Y, X)``, else ``(Y, X)`` or ``(Y, X, 3)``.
    """
    metadata: dict[str, Any] = {"unit": pixel_size.unit.replace("µ", "u"), "axes": "YXS" if array.ndim == 3 else "YX"}
    if channels:
        ranges = [float(value) for channel in array for value in (channel.min(), channel.max())]
        metadata |= {"axes": "CYX", "mode": "composite", "Labels": list(channels), "Ranges": tuple(ranges)}
    if recipe_yaml:
        metadata["Info"] = recipe_yaml
    if nuclei:
        columns = {name: [_short(value) for value in values.tolist()] for name, values in nuclei.items()}
        metadata[NUCLEI_KEY] = json.dumps(columns, separators=(",", ":"))
    with writing(path) as temporary:
        tifffile.imwrite(
            temporary,
            array,
            imagej=array.dtype != np.uint32,
            resolution=(1 / pixel_size.x, 1 / pixel_size.y),
            metadata=metadata,
        )


def write_stack(path: Path, array: np.ndarray, axes: str, recipe_yaml: str) -> None:
    """Write an array of any number of axes with their letters and the recipe, beside and renamed."""
    with writing(path) as temporary:
        tifffile.imwrite(temporary, array, photometric="minisblack", metadata={"axes": axes, "Info": recipe_yaml})


def _short(value: float) -> float:
    """A number with the digits that a 32-bit float has."""
    return value if isinstance(value, int) else float(f"{value:.9g}")


def embedded_nuclei(path: Path) -> dict[str, np.ndarray]:
    """The table of the nuclei in a TIFF of `write_tiff`; empty where it has none.

    Raises
    ------
    InputError
        If the file is not a TIFF or its table is damaged.
    """
    text = _described(path).get(NUCLEI_KEY)
    if not text:
        return {}
    try:
        columns = json.loads(str(text))
        return {str(name): np.array(values) for name, values in columns.items()}
    except (ValueError, AttributeError) as error:
        raise InputError(f"The table of nuclei in {path.name} is damaged.", "Save the mask again.") from error


def _described(path: Path) -> dict[str, object]:
    try:
        with tifffile.TiffFile(path) as tif:
            found = tif.imagej_metadata or next(iter(tif.shaped_metadata or ()), {})
    except Exception as error:  # a reader raises anything at all on tags that were tampered with
        raise InputError(
            f"{path} cannot be read as a TIFF file.", "Check the path, or save it again as TIFF."
        ) from error
    return found if isinstance(found, dict) else {}


def embedded_recipe(path: Path) -> Recipe:
    """The recipe an exported TIFF carries.

    Raises
    ------
    InputError
        If the file is not a TIFF or carries no recipe.
    """
    info = _described(path).get("Info")
    if not info:
        raise InputError(f"{path.name} carries no recipe.", "Use a TIFF exported by napari-synth.")
    return located(parse_recipe(str(info), path.name), path.parent)
