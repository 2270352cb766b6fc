"""Masks out of anything a person may open: a mask file, a stack, a folder, or a file of another program."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from napari_synth.core.errors import InputError
from napari_synth.core.files import user_path
from napari_synth.core.progress import CancelToken, OnProgress, Stopwatch, ignore_progress
from napari_synth.datasets.foreign_masks import FOREIGN_MASKS, ForeignMask, format_of, read_foreign
from napari_synth.datasets.image_files import count_planes, open_mask, opens
from napari_synth.datasets.listing import mask_files, stem_of

MOST_PLANES = 512
"""Planes of a stack that are read at once."""


def masks_in(
    path: str | Path,
    images: str | Path | None = None,
    on_progress: OnProgress = ignore_progress,
    cancel: CancelToken | None = None,
) -> list[ForeignMask]:
    """The masks in a file or folder, whoever wrote it.

    Parameters
    ----------
    path : str or Path
        A file or folder of a program in `FOREIGN_MASKS`, an image file, or a folder of these (or of ``masks/`` in it).
    images : str or Path, optional
        Folder of the images that outlines were drawn on, where these do not lie beside them.
    on_progress, cancel
        Counts files.

    Returns
    -------
    list of ForeignMask
        The labels of a stack are ``(plane, Y, X)``.

    Raises
    ------
    InputError
        If there is no mask in it, or one cannot be read; it names the file.
    Cancelled
        If ``cancel`` was set.
    """
    path = user_path(path)
    if not path.exists():
        raise InputError(f"The file {path} does not exist.", "Check the path.")
    known = format_of(path)
    if known is not None:
        return read_foreign(path, known, images)
    if path.is_dir():
        files = mask_files(path)
    elif opens(path):
        files = [path]
    else:
        raise InputError(
            f"{path.name} holds no masks that this program knows.",
            f"Open an image file, or one of: {FOREIGN_MASKS.choices}.",
        )
    watch = Stopwatch(len(files), on_progress)
    found = []
    for number, file in enumerate(files, 1):
        (cancel or CancelToken()).raise_if_cancelled()
        found.append(mask_file(file))
        watch.report(number, file.name)
    return found


def mask_file(path: Path) -> ForeignMask:
    """The mask in one image file; all planes of a stack."""
    planes = count_planes(path)
    if planes == 1:
        reading = open_mask(path)
        return ForeignMask(stem_of(path), reading.pixels, None, reading.remarks, reading.pixel_size)
    if planes > MOST_PLANES:
        raise InputError(
            f"{path.name} is a stack of {planes} planes.", f"Open one of at most {MOST_PLANES}, or some of its planes."
        )
    readings = [open_mask(path, plane) for plane in range(planes)]
    remarks = tuple(dict.fromkeys(remark for reading in readings for remark in reading.remarks))
    stack = np.stack([reading.pixels for reading in readings])
    return ForeignMask(stem_of(path), stack, None, remarks, readings[0].pixel_size)
