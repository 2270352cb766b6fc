"""NumPy's files: NPY and NPZ."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from napari_synth.core.errors import InputError, brief
from napari_synth.datasets.numpy_files import array_sizes, check_header, read_arrays
from napari_synth.datasets.reading.stored import Stored, check_size, damaged

NAMES = ("labels", "masks", "mask", "image", "images", "data")
"""Arrays of an NPZ file, those first that are taken where it holds several."""
KINDS = "biuf"


def read_npy(path: Path) -> Stored:
    """Decode an ``.npy`` file; objects, which are programs, are refused."""
    with path.open("rb") as file:
        shape, dtype = check_header(file, path.stat().st_size)
    _check_dtype(path, dtype)
    check_size(path, shape, dtype.itemsize)
    return named_axes(path, np.load(path, allow_pickle=False))


def read_npz(path: Path) -> Stored:
    """Decode the array of an ``.npz`` file."""
    sizes = array_sizes(path)
    name = next((name for name in NAMES if name in sizes), None) or (next(iter(sizes)) if len(sizes) == 1 else None)
    if name is None:
        raise InputError(
            f"{path.name} holds {len(sizes)} arrays ({brief(', '.join(sorted(sizes)[:5]))}) and none called 'labels'.",
            "Save the one to use alone.",
        )
    check_size(path, (sizes[name],), 1)
    array = read_arrays(path, [name])[name]
    _check_dtype(path, array.dtype)
    check_size(path, array.shape, array.dtype.itemsize)
    return named_axes(path, array)


def _check_dtype(path: Path, dtype: np.dtype) -> None:
    if dtype.kind not in KINDS:
        raise InputError(f"{path.name} holds {dtype.name}, no numbers.", "Save whole numbers or floats in it.")


def named_axes(path: Path, array: np.ndarray) -> Stored:
    """Axes guessed from the shape: three or four values at the end, or three in front, of bytes are a colour."""
    if array.ndim < 2:
        raise damaged(path)
    axes = "Q" * (array.ndim - 2) + "YX"
    if array.ndim == 3 and array.shape[-1] in (3, 4) and min(array.shape[:2]) > 4:
        if array.shape[-1] == 4:
            return Stored(path, array[..., :3], "YXS", alpha=array[..., 3])
        return Stored(path, array, "YXS")
    if array.ndim == 3 and array.shape[-1] == 1:
        axes = "YXQ"
    if array.ndim == 3 and len(array) == 3 and array.dtype == np.uint8 and min(array.shape[1:]) > 4:
        axes = "CYX"
    return Stored(path, array, axes)
