"""The images of a microscope, without labels: checked, on one grey scale, and cut into patches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from napari_synth.core import arguments
from napari_synth.core.boxes import Box
from napari_synth.core.errors import InputError
from napari_synth.core.progress import CancelToken
from napari_synth.core.recipe.camera import FULL_SCALE
from napari_synth.core.seeds import numpy_rng
from napari_synth.datasets.image_files import read_image
from napari_synth.datasets.listing import image_files

SIDES = (128, 64)
"""Of patches, in pixels: the first that fits into all images."""
PATCHES = 64
MOST_SATURATED = 0.5
SOME_SATURATED = 0.01

Images = str | Path | np.ndarray | Sequence[str | Path | np.ndarray]


@dataclass(frozen=True, eq=False)
class Picture:
    """An image of the microscope.

    Attributes
    ----------
    name : str
    pixels : ndarray, shape (Y, X) or (Y, X, 3), float32
        0 is black, 255 white.
    """

    name: str
    pixels: np.ndarray

    @property
    def grey(self) -> np.ndarray:
        """The mean of the channels, ``(Y, X)``."""
        return in_grey(self.pixels)


def in_grey(image: np.ndarray) -> np.ndarray:
    """The mean of the channels, ``(Y, X)`` float32."""
    mean: np.ndarray = image.astype(np.float32, copy=False) if image.ndim == 2 else image.mean(-1, dtype=np.float32)
    return mean


@dataclass(frozen=True, eq=False)
class Patch:
    """A square of a picture.

    Attributes
    ----------
    box : Box
        Where it lies.
    shape : tuple of int
        Height and width of the picture.
    picture : int
        Number of the picture.
    """

    box: Box
    shape: tuple[int, int]
    picture: int


@dataclass(frozen=True, eq=False)
class Pictures:
    """The images of a microscope, and what was done to read them, a sentence each."""

    pictures: tuple[Picture, ...]
    remarks: tuple[str, ...]

    @property
    def colour(self) -> bool:
        """Whether they are RGB."""
        return self.pictures[0].pixels.ndim == 3

    @property
    def side(self) -> int:
        """Of patches."""
        least = min(min(picture.pixels.shape[:2]) for picture in self.pictures)
        return next(side for side in SIDES if side <= least)

    def patches(self, seed: int, count: int = PATCHES) -> list[Patch]:
        """So many squares at random places, as many of each picture."""
        side, found = self.side, []
        for number in range(count):
            at = number % len(self.pictures)
            height, width = self.pictures[at].pixels.shape[:2]
            rng = numpy_rng(seed, "camera patch", number)
            top, left = int(rng.integers(height - side + 1)), int(rng.integers(width - side + 1))
            found.append(Patch(Box(top, left, top + side, left + side), (height, width), at))
        return found

    def cut(self, patches: Sequence[Patch]) -> np.ndarray:
        """The pixels of patches in grey, ``(N, S, S)`` float32."""
        greys = [picture.grey for picture in self.pictures]
        return np.stack([greys[p.picture][p.box.top : p.box.bottom, p.box.left : p.box.right] for p in patches])


def read_pictures(images: Images, cancel: CancelToken) -> Pictures:
    """Images of a folder, a file, an array, or several of them.

    Images of 8 bit stay as they are. Of others the least value is black, the 99.9 percentile white, the same for all.

    Raises
    ------
    InputError
        If there is none, one cannot be read, is smaller than 64 pixels, has one colour, NaN or infinity, is mostly
        saturated, or grey and colour are mixed.
    """
    named, remarks = [], []
    for name, image in _each(images):
        cancel.raise_if_cancelled()
        named.append((name, _checked(name, image)))
    if not named:
        raise InputError("There is no image.", "Give a folder of images, or images.")
    kinds = {image.ndim for _, image in named}
    if len(kinds) > 1:
        other = next(name for name, image in named if image.ndim != named[0][1].ndim)
        raise InputError(
            f"The images {named[0][0]} and {other} are not both grey or both in colour.", "Give images of one kind."
        )
    clipped = float(np.mean([_saturated(image) for _, image in named]))
    if clipped > SOME_SATURATED:
        remarks.append(
            f"{100 * clipped:.0f} % of the pixels are saturated, and what was above them is lost: "
            "gain and gamma are less certain. Expose shorter if you can."
        )
    if any(image.dtype != np.uint8 for _, image in named):
        black = min(float(image.min()) for _, image in named)
        white = float(np.percentile(np.concatenate([image.ravel()[::7] for _, image in named]), 99.9))
        scale = FULL_SCALE / max(white - black, 1e-6)
        remarks.append(
            f"The images have more than 8 bit: {black:g} was taken for black and {white:g} for white, "
            "and grey levels of the camera count between these."
        )
    else:
        black, scale = 0.0, 1.0
    if len(named) == 1:
        remarks.append("There is one image, so how much images differ is not known: give some more.")
    pictures = tuple(Picture(name, ((image - black) * scale).astype(np.float32)) for name, image in named)
    return Pictures(pictures, tuple(remarks))


def _each(images: Images) -> list[tuple[str, np.ndarray]]:
    if isinstance(images, str | Path):
        path = arguments.place(images, "images")
        files = image_files(path) if path.is_dir() else [path]
        if not files:
            raise InputError(f"The folder {path} holds no image.", "Choose another folder.")
        return [(file.name, read_image(file)) for file in files]
    if isinstance(images, np.ndarray):
        return [("the image", images)]
    if not isinstance(images, Sequence):
        raise InputError("The argument images holds no images.", "Give a folder, an image or a list of images.")
    found: list[tuple[str, np.ndarray]] = []
    for number, image in enumerate(images, 1):
        if isinstance(image, str | Path):
            path = arguments.place(image, "images")
            found.append((path.name, read_image(path)))
        else:
            found.append((f"number {number}", arguments.numbers(image, "images")))
    return found


def _checked(name: str, image: np.ndarray) -> np.ndarray:
    if image.ndim == 3 and image.shape[-1] == 3 and (image == image[..., :1]).all():
        image = image[..., 0]
    if image.ndim != 2 and not (image.ndim == 3 and image.shape[-1] == 3):
        raise InputError(f"The image {name} has the shape {image.shape}.", "Give one plane, grey or RGB.")
    if min(image.shape[:2]) < SIDES[-1]:
        height, width = image.shape[:2]
        raise InputError(
            f"The image {name} is {width}×{height} pixels; noise and blur need {SIDES[-1]}×{SIDES[-1]}.",
            "Use larger images, or leave it out.",
        )
    if image.dtype.kind == "f" and not np.isfinite(image).all():
        raise InputError(f"The image {name} contains NaN or infinity.", "Replace them by numbers, or leave it out.")
    if image.dtype.kind == "b" or image.min() == image.max():
        what = "is a mask of two values" if image.dtype.kind == "b" else f"has one value, {image.flat[0]}, everywhere"
        raise InputError(f"The image {name} {what}.", "Leave it out.")
    if _saturated(image) > MOST_SATURATED:
        raise InputError(
            f"Of the image {name} {100 * _saturated(image):.0f} % of the pixels are saturated, or cut off at black.",
            "Leave it out, or take it again with another exposure.",
        )
    return image


def _saturated(image: np.ndarray) -> float:
    """Part of the pixels at an end of the range that the camera cut off: of 8 bit, or where many have the same end."""
    ends = (image.min(), image.max())
    parts = [float((image == end).mean()) for end in ends]
    if image.dtype == np.uint8:
        parts = [part for part, end, limit in zip(parts, ends, (0, 255), strict=True) if end == limit]
    return max([part for part in parts if part > SOME_SATURATED / 2], default=0.0)
