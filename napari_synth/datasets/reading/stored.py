"""What every decoder returns."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from napari_synth.core.errors import InputError

LARGEST = 2**30
"""Bytes that the pixels of one file may take, unpacked; a damaged header asks for any number of them."""


@dataclass(frozen=True)
class PixelSize:
    """Size of a pixel along y and x, and its unit; 1 pixel where it is not known."""

    y: float = 1.0
    x: float = 1.0
    unit: str = "pixel"


@dataclass(frozen=True, eq=False)
class Stored:
    """The pixels of a file as shown by a viewer, and what is known of them.

    Attributes
    ----------
    path : Path
    pixels : ndarray
        In the stored dtype; orientation and photometric interpretation are applied.
    axes : str
        A letter for each axis: Y, X, S (samples of a colour), C (channels), Z, T, or Q (a stack of any kind).
    pixel_size : PixelSize
    palette : ndarray, shape (N, 3), uint8, optional
        Colours of the numbers in ``pixels``.
    alpha : ndarray, optional
        Opacity of each pixel, same axes as ``pixels`` without S.
    as_stored : ndarray, optional
        The numbers in the file where these are not what is shown (white is zero).
    numbers_first : bool
        The program that wrote ``as_stored`` takes these numbers, not what is shown, for the values.
    remarks : tuple of str
        What was done to read it, in sentences.
    """

    path: Path
    pixels: np.ndarray
    axes: str
    pixel_size: PixelSize = field(default_factory=PixelSize)
    palette: np.ndarray | None = None
    alpha: np.ndarray | None = None
    as_stored: np.ndarray | None = None
    numbers_first: bool = False
    remarks: tuple[str, ...] = ()

    @property
    def stack(self) -> tuple[int, ...]:
        """Lengths of the axes beside one plane and its colours."""
        return tuple(n for n, axis in zip(self.pixels.shape, self.axes, strict=True) if axis not in "YXS")

    def remarked(self, *sentences: str) -> Stored:
        """The same with more remarks."""
        return replace(self, remarks=(*self.remarks, *sentences))


def check_size(path: Path, shape: tuple[int, ...], itemsize: int) -> None:
    """Raise `InputError` before a file, or a tile of one, is decoded that would fill the memory.

    Parameters
    ----------
    path : Path
    shape : tuple of int
        As the header of the file says.
    itemsize : int
        Bytes of a value.
    """
    if 0 in shape:
        raise InputError(f"{path.name} has no pixels (shape {shape}).", "Choose another file.")
    if math.prod(map(int, shape)) * itemsize > LARGEST:
        sides = "×".join(map(str, shape))
        raise InputError(
            f"{path.name} is too large to be read at once ({sides} values).", "Crop it into smaller pieces."
        )


def damaged(path: Path) -> InputError:
    """The sentence for a file whose decoder gave up."""
    return InputError(
        f"{path} cannot be read as an image: it is damaged, or not what its name says.",
        "Copy it again, or save it again as TIFF or PNG.",
    )
