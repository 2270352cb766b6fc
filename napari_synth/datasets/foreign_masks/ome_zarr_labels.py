"""OME-Zarr: an image with label images in its ``labels/``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from napari_synth.datasets.foreign_masks.base import ForeignFormat, ForeignMask
from napari_synth.datasets.image_files import open_mask
from napari_synth.datasets.listing import stem_of
from napari_synth.datasets.reading.ome_zarr import is_zarr, label_groups


def recognises(path: Path) -> bool:
    """See `ForeignFormat`."""
    return is_zarr(path) and bool(label_groups(path))


def read(path: Path, images: Path | None) -> Iterator[ForeignMask]:
    """See `ForeignFormat`."""
    groups = label_groups(path)
    for group in groups:
        reading = open_mask(group)
        stem = stem_of(path) if len(groups) == 1 else f"{stem_of(path)}_{group.name}"
        yield ForeignMask(stem, reading.pixels, path, reading.remarks, reading.pixel_size)


FORMAT = ForeignFormat("OME-Zarr: labels of an image", recognises, read)
