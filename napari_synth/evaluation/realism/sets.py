"""Two sets of images cut into patches in the same way, so that nothing but their content tells them apart."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy import ndimage

from napari_synth.core.errors import InputError
from napari_synth.core.progress import CancelToken
from napari_synth.core.seeds import numpy_rng
from napari_synth.datasets.image_files import read_image, read_labels
from napari_synth.datasets.mask_encoding import to_uint8_rgb
from napari_synth.datasets.pairs import find_pairs
from napari_synth.evaluation.usefulness.roles import groups_of

SIDES = (128, 64)
"""Of patches, in pixels: the first that fits into all images."""
PATCHES = 200
"""Of a set; with fewer, the report says that they are too few."""
LEAST_GROUPS = 5


@dataclass(frozen=True, eq=False)
class Picture:
    """An image of a set: grey (Y, X) or colour (Y, X, 3) uint8, and its labels (Y, X) int32."""

    path: Path
    group: str
    pixels: np.ndarray
    labels: np.ndarray


@dataclass(frozen=True, eq=False)
class Patches:
    """Squares of the images of a set.

    Attributes
    ----------
    pixels : ndarray, shape (N, S, S, C), float32 in [0, 1]
        C is 1 or 3.
    labels : ndarray, shape (N, S, S), int32
    image : ndarray of int, shape (N,)
        Number of the picture each is from.
    groups : ndarray of str, shape (N,)
    """

    pixels: np.ndarray
    labels: np.ndarray
    image: np.ndarray
    groups: np.ndarray

    def __len__(self) -> int:
        return len(self.pixels)


def read_both(
    real: Path, synthetic: Path, groups: str | Path | None, cancel: CancelToken, only: Collection[str] = ()
) -> tuple[list[Picture], list[Picture], list[str]]:
    """The pictures of both folders, and what was done to make them comparable.

    Parameters
    ----------
    real, synthetic : Path
    groups : str or Path, optional
        Of the real ones; see `usefulness.roles.groups_of`.
    only : collection of str
        Names of the real ones that are read; empty: all.

    Raises
    ------
    InputError
        For grey against colour, too few groups, or images that are too small.
    """
    both, remarks = [], []
    kinds: list[set[str]] = []
    for folder, rule in ((real, groups), (synthetic, None)):
        pairs = [pair for pair in find_pairs(folder) if folder != real or not only or pair.stem in only]
        group_of = groups_of((pair.stem for pair in pairs), rule)
        read = []
        for pair in pairs:
            cancel.raise_if_cancelled()
            image, labels = read_image(pair.image), read_labels(pair.mask)
            if image.shape[:2] != labels.shape:
                raise InputError(f"The image {pair.image} and its mask have different sizes.", "Crop one of them.")
            if min(labels.shape) < SIDES[-1]:
                raise InputError(
                    f"The image {pair.image} is smaller than {SIDES[-1]} pixels.", "Use larger images, or leave it out."
                )
            read.append(Picture(pair.image, group_of[pair.stem], image, labels))
        both.append(read)
        kinds.append({picture.pixels.dtype.name for picture in read})
    colours = [sum(picture.pixels.ndim == 3 for picture in read) > len(read) / 2 for read in both]
    if colours[0] != colours[1]:
        names = ("in colour", "grey") if colours[0] else ("grey", "in colour")
        raise InputError(
            f"The images in {real} are {names[0]} but those in {synthetic} are {names[1]}.",
            "Render a look of the same kind.",
        )
    count = len({picture.group for picture in both[0]})
    if count < LEAST_GROUPS:
        raise InputError(
            f"{real} has {count} group{'s' * (count != 1)} of images, too few to know how much real images differ.",
            f"Use at least {LEAST_GROUPS} groups (--groups says what a group is).",
        )
    if len(both[1]) < LEAST_GROUPS:
        raise InputError(f"{synthetic} has {len(both[1])} images, too few to compare.", f"Use at least {LEAST_GROUPS}.")
    plain = kinds[0] == kinds[1] == {"uint8"}
    if not plain:
        remarks.append("Not all images have 8 bits: grey values were stretched, so exposure was not compared.")
    converted = [[_converted(picture, colours[0], plain) for picture in read] for read in both]
    return converted[0], converted[1], remarks


def _converted(picture: Picture, colour: bool, plain: bool) -> Picture:
    pixels = picture.pixels
    if not plain:
        pixels = to_uint8_rgb(pixels)
    return Picture(picture.path, picture.group, in_colour_or_grey(pixels, colour), picture.labels)


def in_colour_or_grey(pixels: np.ndarray, colour: bool) -> np.ndarray:
    """A grey image three times as colours, or the mean of the channels, uint8, of one in colour; else as it is."""
    if colour and pixels.ndim == 2:
        return np.repeat(pixels[..., None], 3, -1)
    if not colour and pixels.ndim == 3:
        grey: np.ndarray = pixels.mean(-1).round().astype(np.uint8)
        return grey
    return pixels


def side_for(pictures: Sequence[Picture]) -> int:
    """Of the patches."""
    least = min(min(picture.labels.shape) for picture in pictures)
    return next(side for side in SIDES if side <= least)


def cut(pictures: Sequence[Picture], side: int, seed: int, count: int = PATCHES) -> Patches:
    """Patches of a set in the order of its files: as many of each, half around a nucleus, half anywhere."""
    pictures = sorted(pictures, key=lambda picture: picture.path.name)
    each = max(1, -(-count // len(pictures)))
    pixels, labels, image = [], [], []
    for number, picture in enumerate(pictures):
        rng = numpy_rng(seed, "patches", picture.path.name)
        height, width = picture.labels.shape
        room = (height - side, width - side)
        most = each if max(room) else 1
        centres = ndimage.center_of_mass(picture.labels > 0, picture.labels, np.unique(picture.labels)[1:])
        for position in range(most):
            if position % 2 and len(centres):
                centre = centres[rng.integers(len(centres))]
                top, left = (int(np.clip(c - side / 2, 0, r)) for c, r in zip(centre, room, strict=True))
            else:
                top, left = (int(rng.integers(r + 1)) for r in room)
            window = np.s_[top : top + side, left : left + side]
            pixels.append(picture.pixels[window].reshape(side, side, -1).astype(np.float32) / 255)
            labels.append(picture.labels[window])
            image.append(number)
    groups = np.array([pictures[number].group for number in image])
    return Patches(np.stack(pixels), np.stack(labels), np.array(image), groups)
