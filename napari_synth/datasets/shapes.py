"""Libraries of single nucleus shapes."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from napari_synth.core.errors import InputError

SHAPE_SIZE = 64


@dataclass(frozen=True)
class ShapeLibrary:
    """Binary nucleus shapes.

    Attributes
    ----------
    shapes : ndarray, shape (N, 64, 64), uint8
        1 in the nucleus, 0 outside.
    area_px : ndarray, shape (N,), float32
        Area at the original scale, in pixels.
    """

    shapes: np.ndarray
    area_px: np.ndarray


def read_shapes(path: Path) -> ShapeLibrary:
    """Read an ``.npz`` file with ``shapes`` and, where the shapes were rescaled, ``area_px``."""
    try:
        with np.load(path, allow_pickle=False) as archive:
            shapes = archive["shapes"]
            area = archive["area_px"] if "area_px" in archive else shapes.sum((1, 2))
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise InputError(
            f"{path} is not a shape library ({error}).", "Use an .npz file with an array 'shapes'."
        ) from error
    if shapes.ndim != 3 or shapes.shape[1:] != (SHAPE_SIZE, SHAPE_SIZE):
        raise InputError(f"The shapes in {path} are {shapes.shape}, not (N, 64, 64).", "Use another library.")
    return ShapeLibrary((shapes > 0).astype(np.uint8), area.astype(np.float32))


def find_shape_files(data: Path) -> list[Path]:
    """The ``.npz`` files of a folder, or the file itself."""
    paths = [data] if data.is_file() else sorted(data.glob("*.npz"))
    if not paths:
        raise InputError(f"There is no shape library (.npz) in {data}.", "Check the path.")
    return paths


def is_held_out_shape(count: int) -> np.ndarray:
    """True for every 10th of ``count`` shapes; these are never trained on."""
    return np.arange(count) % 10 == 9
