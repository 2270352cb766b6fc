"""What a reader of another program's masks gives, and how a file of it is known."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from napari_synth.core.errors import InputError
from napari_synth.datasets.image_files import PixelSize, open_image
from napari_synth.datasets.listing import image_files, name_key, stem_of

LARGEST_JSON = 2**29
LARGEST_SIDE = 32768


@dataclass(frozen=True, eq=False)
class ForeignMask:
    """One mask out of a file or folder of another program.

    Attributes
    ----------
    stem : str
        Name of the image it belongs to.
    labels : ndarray, shape (Y, X), int32
    image : Path, optional
        Its image, where it was found.
    remarks : tuple of str
    pixel_size : PixelSize
        1 pixel where the file does not say.
    """

    stem: str
    labels: np.ndarray
    image: Path | None = None
    remarks: tuple[str, ...] = ()
    pixel_size: PixelSize = field(default_factory=PixelSize)


@dataclass(frozen=True)
class ForeignFormat:
    """How the masks of a program are recognised and read.

    Attributes
    ----------
    title : str
        One line for a person.
    recognises : callable
        Whether a file or folder is of this kind; looks at names and the first bytes only where these tell.
    read : callable
        The masks in it; the second argument is a folder in which their images may lie.
    """

    title: str
    recognises: Callable[[Path], bool]
    read: Callable[[Path, Path | None], Iterator[ForeignMask]]


def read_json(path: Path) -> Any:
    """The contents of a JSON file.

    Raises
    ------
    InputError
        If it is too large or not JSON.
    """
    try:
        if path.stat().st_size > LARGEST_JSON:
            raise InputError(f"{path.name} is too large to be read at once.", "Split it into several files.")
        return json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{path.name} is damaged: it is not JSON.", "Export it again.") from error


def image_of(stem: str, *folders: Path | None) -> Path | None:
    """The image called ``stem`` in the first of some folders that has it."""
    for folder in folders:
        if folder is None or not folder.is_dir():
            continue
        for path in image_files(folder):
            if stem_of(path) == name_key(stem) or path.name == stem:
                return path
    return None


def folder_named(root: Path, named: str, beside: Path) -> Path | None:
    """The folder in which a file says that its image lies, ``named`` as seen from ``beside``.

    None where that is not within ``root``: a file that somebody else wrote must not choose what is copied.
    """
    if not named or "\0" in named:
        return None
    folder = Path(os.path.abspath(beside / named.replace("\\", "/"))).parent
    return folder if folder.is_relative_to(os.path.abspath(root)) else None


def shape_of(image: Path | None, path: Path) -> tuple[int, int]:
    """Rows and columns of the image that outlines in ``path`` were drawn on."""
    if image is None:
        raise InputError(
            f"The outlines in {path.name} come without the size of their image.",
            "Put the image of the same name beside the file, or name its folder with --images.",
        )
    height, width = open_image(image).pixels.shape[:2]
    return height, width


def checked_shape(height: Any, width: Any, path: Path) -> tuple[int, int]:
    """Sides of an image as they are written in a file."""
    if not all(isinstance(side, int | float) and 0 < side <= LARGEST_SIDE for side in (height, width)):
        raise InputError(f"{path.name} says that an image is {width}×{height} pixels.", "Export it again.")
    return int(height), int(width)


def filled(shape: tuple[int, int], nuclei: Iterable[list[np.ndarray]]) -> tuple[np.ndarray, tuple[str, ...]]:
    """Labels of outlines, and a remark where nuclei vanish.

    Parameters
    ----------
    shape : tuple of int
    nuclei : iterable of list of ndarray, shape (N, 2)
        For each nucleus its outlines (y, x) where the centre of the first pixel is (0, 0); one that lies in another
        one is a hole. Where two nuclei overlap the later one is in front.
    """
    labels = np.zeros(shape, np.int32)
    count = 0
    for count, outlines in enumerate(nuclei, 1):
        put(labels, count, inside(shape, outlines))
    return labels, hidden(labels, count)


def put(labels: np.ndarray, number: int, box_and_mask: tuple[tuple[slice, slice], np.ndarray]) -> None:
    """Give the pixels of a nucleus its number."""
    box, mask = box_and_mask
    labels[box][mask] = number


def hidden(labels: np.ndarray, count: int) -> tuple[str, ...]:
    """The remark on nuclei of which no pixel is left."""
    lost = count - np.count_nonzero(np.unique(labels))
    return (f"{lost} of {count} outlines have no pixel of their own and are left out.",) if lost else ()


def inside(shape: tuple[int, int], outlines: list[np.ndarray]) -> tuple[tuple[slice, slice], np.ndarray]:
    """The box of some outlines and the pixels in it that lie within an odd number of them."""
    from skimage.draw import polygon2mask

    points = np.concatenate([outline for outline in outlines if len(outline)] or [np.zeros((1, 2))])
    if not np.isfinite(points).all():
        points = np.zeros((1, 2))
    low = np.clip(np.floor(points.min(0)).astype(int), 0, shape)
    high = np.clip(np.ceil(points.max(0)).astype(int) + 1, low, shape)
    box = (slice(low[0], high[0]), slice(low[1], high[1]))
    mask = np.zeros((high[0] - low[0], high[1] - low[1]), bool)
    for outline in outlines:
        if len(outline) >= 3 and mask.size and np.isfinite(outline).all():
            mask ^= polygon2mask(mask.shape, outline - low)
    return box, mask


def edges_to_centres(xy: Any) -> np.ndarray:
    """Points (x, y) with the corner of the first pixel at (0, 0) as (y, x) with its centre there."""
    points = np.asarray(xy, np.float64)
    if points.size == 0:
        return np.zeros((0, 2))
    if points.ndim != 2 or points.shape[1] < 2:
        raise ValueError("an outline is not a list of points")
    return points[:, 1::-1] - 0.5
