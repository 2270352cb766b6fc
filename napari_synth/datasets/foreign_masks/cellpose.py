"""Cellpose: ``NAME_seg.npy`` of its window, ``NAME_cp_masks.tif`` and ``.png`` of its command."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from napari_synth.core.errors import InputError
from napari_synth.datasets.foreign_masks.base import ForeignFormat, ForeignMask, image_of
from napari_synth.datasets.image_files import as_labels, open_mask

SEGMENTATION = "_seg.npy"
ENDINGS = ("_cp_masks", "_masks")
HARMLESS = {
    ("numpy", "ndarray"),
    ("numpy", "dtype"),
    ("numpy.core.multiarray", "_reconstruct"),
    ("numpy._core.multiarray", "_reconstruct"),
    ("numpy.core.multiarray", "scalar"),
    ("numpy._core.multiarray", "scalar"),
    ("numpy.core.numeric", "_frombuffer"),
    ("numpy._core.numeric", "_frombuffer"),
    ("_codecs", "encode"),
}
"""All that a dictionary of arrays needs to be unpickled; anything else is refused, never run."""


class _Arrays(pickle.Unpickler):
    """Unpickles numbers, text, lists, dictionaries and NumPy arrays, and nothing else."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in HARMLESS:
            raise pickle.UnpicklingError(f"{module}.{name} is not an array")
        return super().find_class(module, name)


def recognises(path: Path) -> bool:
    """See `ForeignFormat`."""
    return path.is_file() and (path.name.endswith(SEGMENTATION) or path.stem.endswith(ENDINGS))


def read(path: Path, images: Path | None) -> Iterator[ForeignMask]:
    """See `ForeignFormat`."""
    if path.name.endswith(SEGMENTATION):
        stem = path.name.removesuffix(SEGMENTATION)
        yield ForeignMask(stem, _segmentation(path), image_of(stem, images, path.parent))
        return
    stem = next(path.stem.removesuffix(ending) for ending in ENDINGS if path.stem.endswith(ending))
    found = open_mask(path)
    yield ForeignMask(stem, found.pixels, image_of(stem, images, path.parent), found.remarks, found.pixel_size)


def _segmentation(path: Path) -> np.ndarray:
    try:
        with path.open("rb") as file:
            version = np.lib.format.read_magic(file)
            head = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
            _, _, dtype = head(file)
            content = _Arrays(file).load() if dtype.hasobject else {}
        masks = content.item()["masks"] if isinstance(content, np.ndarray) else content["masks"]
    except Exception as error:  # a damaged pickle raises anything at all
        raise InputError(
            f"{path.name} holds no Cellpose masks, or something that is not safe to load.",
            "Save the masks as TIFF or PNG in Cellpose.",
        ) from error
    return as_labels(np.asarray(masks), f"The mask {path.name}")


FORMAT = ForeignFormat("Cellpose: _seg.npy, _cp_masks.tif, _cp_masks.png", recognises, read)
