"""From a path to `Stored`: the decoder is chosen by what the file begins with, not by its name."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from napari_synth.core.errors import InputError, SynthError
from napari_synth.core.files import user_path
from napari_synth.datasets.reading.stored import Stored, damaged

IMAGE_SUFFIXES = (".png", ".tif", ".tiff", ".jpg", ".jpeg", ".bmp", ".npy", ".npz", ".zarr")
TIFF_SUFFIXES = (".tif", ".tiff")
_SAID = "PNG, JPEG, TIFF, BMP, NPY, NPZ or OME-Zarr"


def read_stored(path: Path) -> Stored:
    """Decode any image file.

    Raises
    ------
    InputError
        If it is missing, empty, cut off, damaged, too large or no image.
    """
    from napari_synth.datasets.reading.ome_zarr import is_zarr, read_zarr

    path = user_path(path)
    if is_zarr(path):
        return _decoded(path, read_zarr)
    if path.is_dir():
        raise InputError(f"{path} is a folder.", "Name a file in it.")
    if not path.is_file():
        raise InputError(f"The file {path} does not exist.", "Check the path.")
    if path.suffix.lower() not in IMAGE_SUFFIXES:
        raise InputError(f"{path.name} is not an image file.", f"Use {_SAID}.")
    try:
        with path.open("rb") as file:
            head = file.read(16)
    except OSError as error:
        raise InputError(f"{path} cannot be opened ({error.strerror}).", "Check who may read it.") from error
    if not head:
        raise InputError(f"{path} is empty (0 bytes).", "Copy it again.")
    return _decoded(path, _decoder(path, head))


def _decoder(path: Path, head: bytes) -> Callable[[Path], Stored]:
    from napari_synth.datasets.reading.arrays import read_npy, read_npz
    from napari_synth.datasets.reading.raster import read_raster
    from napari_synth.datasets.reading.tiff import read_tiff

    if head[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
        return read_tiff
    if head.startswith((b"\x89PNG", b"\xff\xd8\xff", b"BM")):
        return read_raster
    if head.startswith(b"\x93NUMPY"):
        return read_npy
    if head.startswith(b"PK\x03\x04") and zipfile.is_zipfile(path):
        return read_npz
    raise damaged(path)


def _decoded(path: Path, decode: Callable[[Path], Stored]) -> Stored:
    try:
        stored = decode(path)
        return replace(
            stored, pixels=np.require(stored.pixels, requirements="W")
        )  # some decoders lend their own memory
    except SynthError:
        raise
    except Exception as error:  # decoders raise anything at all on a damaged file
        raise damaged(path) from error
