"""How large an image is, from its header alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from napari_synth.core.errors import InputError

MAX_BYTES = 2**30
"""Of the pixels of one file, unpacked."""


def check_size(path: Path, tiff: bool) -> None:
    """Refuse an image that takes more memory than `MAX_BYTES` before any of its pixels is decoded.

    Raises
    ------
    InputError
        If it is too large. What a decoder raises on a damaged header passes through.
    """
    size = _tiff_bytes(path) if tiff else _picture_bytes(path)
    if size > MAX_BYTES:
        raise InputError(f"{path} would take {size / 2**30:.1f} GB of memory.", "Crop it into smaller pieces.")


def _tiff_bytes(path: Path) -> int:
    """Bytes of the first series, or of one tile or strip where that is more."""
    import tifffile

    with tifffile.TiffFile(path) as tif:
        if not tif.series:
            raise ValueError("it has no images")
        series, page = tif.series[0], tif.pages[0]
        dtype = np.dtype(series.dtype or np.uint8)
        chunk = getattr(page, "chunks", ())
        return max(_product(series.shape), _product(chunk)) * dtype.itemsize


def _picture_bytes(path: Path) -> int:
    import imageio.v3 as iio

    found = iio.improps(path)
    return _product(found.shape) * found.dtype.itemsize


def _product(sides: tuple[int, ...]) -> int:
    """In whole numbers of any size."""
    product = 1
    for side in sides:
        product *= int(side)
    return product
