"""The interface of export formats."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Protocol

import numpy as np

from napari_synth.datasets.image_files import PixelSize

__all__ = ["PairToWrite", "PixelSize", "Writer"]


@dataclass(frozen=True)
class PairToWrite:
    """One finished pair.

    Attributes
    ----------
    stem : str
        File stem shared by image and mask.
    image : ndarray, shape (Y, X) or (Y, X, 3)
    labels : ndarray, shape (Y, X), int32
    recipe_yaml : str
        The recipe of this pair alone.
    pixel_size : PixelSize
    condition : ndarray, shape (Y, X), optional
        The image the labels were put into; written as the first channel.
    channels : tuple of str
        Names of both channels.
    """

    stem: str
    image: np.ndarray
    labels: np.ndarray
    recipe_yaml: str
    pixel_size: PixelSize
    condition: np.ndarray | None = None
    channels: tuple[str, ...] = ()


class Writer(Protocol):
    """A format: where the files of a pair go and how they are written."""

    title: ClassVar[str]
    """One line for a person who chooses."""

    def files(self, folder: Path, stem: str) -> tuple[Path, Path]:
        """Image and mask file of a pair."""

    def write(self, folder: Path, pair: PairToWrite) -> None:
        """Write the mask, then the image, each beside and renamed."""
