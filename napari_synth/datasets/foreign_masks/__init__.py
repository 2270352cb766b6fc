"""Masks as other programs keep them: one file per format, found by `FOREIGN_MASKS`."""

from __future__ import annotations

from pathlib import Path

from napari_synth.core.errors import InputError
from napari_synth.core.files import text_named, user_path
from napari_synth.core.names import checked_path
from napari_synth.core.registry import Registry
from napari_synth.datasets.foreign_masks import (
    cellpose,
    coco,
    dsb2018,
    imagej_rois,
    labelme,
    ome_zarr_labels,
    qupath,
    stardist,
)
from napari_synth.datasets.foreign_masks.base import ForeignFormat, ForeignMask

__all__ = ["FOREIGN_MASKS", "ForeignFormat", "ForeignMask", "format_of", "read_foreign"]

FOREIGN_MASKS: Registry[ForeignFormat] = Registry(
    "mask format",
    {
        "cellpose": cellpose.FORMAT,
        "ome-zarr": ome_zarr_labels.FORMAT,
        "dsb2018": dsb2018.FORMAT,
        "stardist": stardist.FORMAT,
        "coco": coco.FORMAT,
        "labelme": labelme.FORMAT,
        "qupath": qupath.FORMAT,
        "imagej": imagej_rois.FORMAT,
    },
)
"""In the order in which a path is asked."""


def format_of(path: Path) -> str | None:
    """The name of the format that a file or folder has; None where it is none of them."""
    for name, form in FOREIGN_MASKS.items():
        try:
            if form.recognises(path):
                return name
        except (InputError, OSError):
            continue
    return None


def read_foreign(path: str | Path, format: str = "", images: str | Path | None = None) -> list[ForeignMask]:
    """The masks in a file or folder of another program.

    Parameters
    ----------
    path : str or Path
    format : str
        A key of `FOREIGN_MASKS`; found from the file if not given.
    images : str or Path, optional
        Folder of the images that the masks belong to, where they do not lie beside them.

    Raises
    ------
    InputError
        If the path does not exist, has none of the formats, is damaged, or holds no mask.
    """
    path = user_path(path)
    if not path.exists():
        raise InputError(f"The file {path} does not exist.", "Check the path.")
    name = format or format_of(path)
    if name is None:
        for one in path.rglob("*"):
            text_named(one)  # which no format could be known by
        raise InputError(
            f"{path} holds no masks that this program knows.", f"It reads those of: {FOREIGN_MASKS.choices}."
        )
    found = list(FOREIGN_MASKS[name].read(path, None if images is None else user_path(images)))
    if not found:
        raise InputError(f"{path} holds no masks.", "Export them again.")
    for mask in found:
        _check_stem(mask.stem, path)
    return found


def _check_stem(stem: str, path: Path) -> None:
    """Refuse a name that no file can have."""
    try:
        checked_path(stem)
    except ValueError as error:
        problem = f"{path.name} names an image {stem!a:.60} that no file can be called: {error}."
        raise InputError(problem, "Export it again.") from error
    if not stem:
        raise InputError(f"{path.name} has an image without a name.", "Export it again.")
