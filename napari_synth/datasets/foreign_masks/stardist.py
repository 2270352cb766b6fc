"""StarDist: a folder with ``train/`` and ``test/``, each with ``images/`` and ``masks/``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from napari_synth.datasets.foreign_masks.base import ForeignFormat, ForeignMask
from napari_synth.datasets.image_files import open_mask
from napari_synth.datasets.listing import by_stem

PARTS = ("train", "test", "val", "stage1_train", "stage1_test")


def _sets(path: Path) -> list[Path]:
    folders = [path, *(path / part for part in PARTS)]
    return [folder for folder in folders if (folder / "images").is_dir() and (folder / "masks").is_dir()]


def recognises(path: Path) -> bool:
    """See `ForeignFormat`."""
    return path.is_dir() and bool(_sets(path))


def read(path: Path, images: Path | None) -> Iterator[ForeignMask]:
    """See `ForeignFormat`."""
    for folder in _sets(path):
        image = by_stem(images or folder / "images")
        for stem, mask in by_stem(folder / "masks").items():
            reading = open_mask(mask)
            yield ForeignMask(stem, reading.pixels, image.get(stem), reading.remarks, reading.pixel_size)


FORMAT = ForeignFormat("StarDist: train/images and train/masks", recognises, read)
