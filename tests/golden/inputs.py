"""What the cases start from: small files in ``files/inputs``, and large planes made of them."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import tifffile

FILES = Path(__file__).parent / "files"
INPUTS = FILES / "inputs"
RECIPES = FILES / "recipes"
TILED_COLOUR = (160, 6560)
"""Just more than 1024² pixels, and a multiple of the 32 that the network for nuclei wants."""
TILED_AXONS = (40, 6560)
"""Just more than 512² pixels, and a multiple of 8."""
TILED_BRAIN = (192, 5504)
"""Just more than 1024² pixels, and a multiple of 64."""


@cache
def plane(name: str, height: int = 0, width: int = 0) -> np.ndarray:
    """A file of ``files/inputs``: its first rows and columns, or repeated until it is that large."""
    array = tifffile.imread(INPUTS / f"{name}.tif")
    height, width = height or array.shape[0], width or array.shape[1]
    repeats = (-(-height // array.shape[0]), -(-width // array.shape[1]))
    array = np.ascontiguousarray(np.tile(array, repeats)[:height, :width])
    array.setflags(write=False)
    return array


def mask_folder(folder: Path) -> Path:
    """A folder of two real-looking masks."""
    folder.mkdir()
    nuclei = plane("nuclei")
    tifffile.imwrite(folder / "a.tif", nuclei)
    tifffile.imwrite(folder / "b.tif", np.ascontiguousarray(nuclei[::-1, ::-1]))
    return folder


def density(path: Path, height: int, width: int) -> Path:
    """An image that is bright on the right."""
    tifffile.imwrite(path, np.tile(np.linspace(0, 255, width).astype(np.uint8), (height, 1)))
    return path


def latent(count: int = 100) -> np.ndarray:
    """A latent vector with numbers that every program computes alike."""
    return ((np.arange(count) * 37 % 41 - 20) / 16).astype(np.float32)
