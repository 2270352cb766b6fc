"""Data Science Bowl 2018: ``ID/images/ID.png`` and ``ID/masks/`` with a file for each nucleus."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from napari_synth.core.errors import InputError
from napari_synth.core.files import entries
from napari_synth.datasets.foreign_masks.base import ForeignFormat, ForeignMask, hidden, image_of
from napari_synth.datasets.image_files import open_mask
from napari_synth.datasets.listing import image_files


def _fields(path: Path) -> list[Path]:
    """Folders of one image with the masks of its nuclei."""
    candidates = [path, *entries(path)]
    return [folder for folder in candidates if folder.is_dir() and _is_field(folder)]


def _is_field(folder: Path) -> bool:
    images, masks = folder / "images", folder / "masks"
    if not (images.is_dir() and masks.is_dir()):
        return False
    shown = image_files(images)
    return len(shown) == 1 and not any(mask.stem == shown[0].stem for mask in image_files(masks))


def recognises(path: Path) -> bool:
    """See `ForeignFormat`."""
    return path.is_dir() and bool(_fields(path))


def read(path: Path, images: Path | None) -> Iterator[ForeignMask]:
    """See `ForeignFormat`."""
    for folder in _fields(path):
        (image,) = image_files(folder / "images")
        labels: np.ndarray | None = None
        count = 0
        for count, mask in enumerate(image_files(folder / "masks"), 1):
            nucleus = open_mask(mask).pixels > 0
            labels = np.zeros(nucleus.shape, np.int32) if labels is None else labels
            if nucleus.shape != labels.shape:
                raise InputError(f"{mask.name} in {folder} has another size than the others.", "Copy it again.")
            labels[nucleus] = count
        if labels is None:
            raise InputError(f"The folder {folder / 'masks'} holds no masks.", "Copy it again.")
        yield ForeignMask(image.stem, labels, image_of(image.stem, images) or image, hidden(labels, count))


FORMAT = ForeignFormat("Data Science Bowl 2018: ID/images and ID/masks with a file per nucleus", recognises, read)
