"""PNG files of images, label maps and single nuclei."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, PngImagePlugin

from napari_synth.core.errors import InputError
from napari_synth.core.files import writing
from napari_synth.core.recipe import METADATA_KEY

DEPTHS = (np.uint8, np.uint16)


def write_png(path: Path, array: np.ndarray, recipe_yaml: str = "") -> None:
    """Write ``(Y, X)`` of 8 or 16 bits or ``(Y, X, 3)`` of 8 bits, beside and renamed; the recipe goes in as text.

    Raises
    ------
    InputError
        If PNG has no such pixels.
    """
    if array.dtype not in DEPTHS or (array.ndim == 3 and array.dtype != np.uint8):
        kind = "colour image" if array.ndim == 3 else "image"
        raise InputError(
            f"The {kind} {path.stem} has the dtype {array.dtype}, which PNG files cannot hold.",
            "Choose a format with TIFF images: tiff, cellpose or stardist.",
        )
    about = PngImagePlugin.PngInfo()
    if recipe_yaml:
        about.add_itxt(METADATA_KEY, recipe_yaml, zip=True)
    with writing(path) as temporary:
        Image.fromarray(array).save(temporary, "PNG", pnginfo=about)


def embedded_text(path: Path) -> str:
    """The text of the recipe in a PNG file of `write_png`; empty where it has none.

    Raises
    ------
    InputError
        If the file is no PNG.
    """
    try:
        with Image.open(path, formats=["PNG"]) as image:
            image.load()
            return str(getattr(image, "text", {}).get(METADATA_KEY, ""))
    except Exception as error:  # a reader raises anything at all on chunks that were tampered with
        raise InputError(f"{path} cannot be read as a PNG file.", "Check the path.") from error
