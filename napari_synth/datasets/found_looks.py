"""Write the looks found in a folder as the data folder that training reads."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import imageio.v3 as iio
import numpy as np
import yaml

from napari_synth.core.errors import InputError
from napari_synth.core.files import copy_whole, writing
from napari_synth.core.progress import CancelToken, OnProgress, Stopwatch, ignore_progress
from napari_synth.datasets.image_files import read_image
from napari_synth.datasets.listing import by_stem, stem_of
from napari_synth.datasets.mask_encoding import to_uint8_rgb
from napari_synth.datasets.modalities import Looks
from napari_synth.datasets.pairs import DATASET_FILE

EXAMPLES = 6
EXAMPLE_SIDE = 128
STRIP = "looks.png"


@dataclass(frozen=True)
class WrittenLooks:
    """What was written.

    Attributes
    ----------
    images, masks : int
        Files copied.
    strip : Path
        Picture with `EXAMPLES` images of each look in a row.
    """

    images: int
    masks: int
    strip: Path


def masks_beside(folder: Path) -> dict[str, Path]:
    """The masks in ``masks`` beside a folder's images, by the stems of their files; none if there is no such folder."""
    root = folder.parent if folder.name == "images" else folder
    return by_stem(root / "masks") if (root / "masks").is_dir() else {}


def write_looks(
    looks: Looks,
    folder: Path,
    masks: dict[str, Path] | None = None,
    *,
    on_progress: OnProgress = ignore_progress,
    cancel: CancelToken | None = None,
) -> WrittenLooks:
    """Copy each look into ``LOOK/images`` and ``LOOK/masks``, with ``dataset.yaml`` and a picture of examples.

    Parameters
    ----------
    looks : Looks
    folder : Path
        New or empty.
    masks : dict of str to Path, optional
        By the stems of the images; images without one are copied alone.

    Raises
    ------
    InputError
        If the folder holds anything.
    WorkError
        If it cannot be written.
    Cancelled
        If the user stops; what was copied stays.
    """
    masks, cancel = masks or {}, cancel or CancelToken()
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(f"The folder {folder} is not empty.", "Choose a new one.")
    watch = Stopwatch(len(looks.files), on_progress)
    copied = 0
    for done, (file, number) in enumerate(zip(looks.files, looks.numbers, strict=True), 1):
        cancel.raise_if_cancelled()
        look = folder / looks.names[number]
        copy_whole(file, look / "images" / file.name)
        mask = masks.get(stem_of(file))
        if mask is not None:
            copy_whole(mask, look / "masks" / mask.name)
            copied += 1
        watch.report(done)
    options = [{"name": name} for name in looks.names]
    with writing(folder / DATASET_FILE) as temporary:
        temporary.write_text(yaml.safe_dump({"options": options}, sort_keys=False), encoding="utf-8")
    with writing(folder / STRIP) as temporary:
        iio.imwrite(temporary, example_strip(looks), extension=".png")
    return WrittenLooks(len(looks.files), copied, folder / STRIP)


def example_strip(looks: Looks) -> np.ndarray:
    """Images of each look, the first, the last and those evenly between, in rows, (Y, X, 3) uint8."""
    rows = []
    for number in range(len(looks.names)):
        files = looks.files_of(number)
        places = np.linspace(0, len(files) - 1, EXAMPLES).round().astype(int)
        rows.append(np.concatenate([_thumbnail(files[place]) for place in places], 1))
    return np.concatenate(rows)


def _thumbnail(file: Path) -> np.ndarray:
    """The middle of an image, on black where it is smaller."""
    image = to_uint8_rgb(read_image(file))
    top, left = (max(side - EXAMPLE_SIDE, 0) // 2 for side in image.shape[:2])
    part = image[top : top + EXAMPLE_SIDE, left : left + EXAMPLE_SIDE]
    shown = np.zeros((EXAMPLE_SIDE, EXAMPLE_SIDE, 3), np.uint8)
    shown[: part.shape[0], : part.shape[1]] = part
    return shown
