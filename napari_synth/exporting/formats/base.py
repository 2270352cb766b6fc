"""The interface of export formats."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import numpy as np

from napari_synth.datasets.image_files import PixelSize
from napari_synth.exporting.survey import MaskFacts, Survey

__all__ = ["Advice", "Guide", "Item", "PairToWrite", "PixelSize", "Survey", "Writer", "count_roles"]


@dataclass(frozen=True)
class Item:
    """Where a pair goes.

    Attributes
    ----------
    stem : str
        File stem shared by image and mask: digits, letters, ``-`` and single ``_``.
    role : {'train', 'val', 'test', ''}
        Empty: the pairs are not split.
    index : int
        Number of the pair, from 0; real pairs follow the synthetic ones.
    """

    stem: str
    role: str = ""
    index: int = 0


@dataclass(frozen=True)
class PairToWrite:
    """One finished pair.

    Attributes
    ----------
    item : Item
    image : ndarray, shape (Y, X) or (Y, X, 3)
    labels : ndarray, shape (Y, X), int32
    recipe_yaml : str
        The recipe of this pair alone; empty for a real one.
    pixel_size : PixelSize
    condition : ndarray, shape (Y, X), optional
        The image the labels were put into; written as the first channel.
    channels : tuple of str
        Names of both channels.
    """

    item: Item
    image: np.ndarray
    labels: np.ndarray
    recipe_yaml: str = ""
    pixel_size: PixelSize = field(default_factory=PixelSize)
    condition: np.ndarray | None = None
    channels: tuple[str, ...] = ()


@dataclass(frozen=True)
class Advice:
    """One thing to know before the first pair is written: a rule of the trainer, or what the format cannot keep."""

    text: str
    lost: bool = False


@dataclass(frozen=True)
class Guide:
    """How a trainer is started on an export.

    Attributes
    ----------
    command : str
        For a terminal, with absolute paths.
    proved : str
        Whose reader read such folders back, and its version.
    notes : tuple of str
        What to expect, one sentence each.
    """

    command: str
    proved: str
    notes: tuple[str, ...] = ()


class Writer(ABC):
    """A format: where the files of a pair go, how they are written, and what its trainer makes of them."""

    title: ClassVar[str]
    """One line for a person who chooses."""
    trains: ClassVar[str] = ""
    """What is trained on it, as its users call it."""
    lossless: ClassVar[bool] = True
    """Whether the same nuclei come back, pixel for pixel."""
    exact: ClassVar[bool] = False
    """Whether `files` begins with an image and a mask in which our reader finds what was rendered, with its numbers."""
    plain_names: ClassVar[bool] = True
    """Whether names of options must be made plain in names of files."""
    two_channels: ClassVar[bool] = False
    """Whether an image may have the channel beside which it was rendered."""

    @abstractmethod
    def files(self, folder: Path, item: Item) -> tuple[Path, ...]:
        """Files and folders of a pair, a pure function; the image file first."""

    @abstractmethod
    def write(self, folder: Path, pair: PairToWrite) -> None:
        """Write the mask, then the image, each beside and renamed; in any order of pairs, and again."""

    def count_files(self, mask: MaskFacts) -> float:
        """Files that a pair with such a mask has."""
        return len(self.files(Path(), Item("pair")))

    def check(self, survey: Survey) -> list[Advice]:
        """What the trainer will do with such pairs, and what is lost; before the first pair."""
        return []

    def finish(self, folder: Path, items: Iterable[Item]) -> tuple[Path, ...]:
        """Write the files about the whole set, such as ``dataset.json``, when all pairs are there; may run again."""
        return ()

    def guide(self, folder: Path, survey: Survey) -> Guide | None:
        """How its trainer is started; None where the format has none."""
        return None


def count_roles(items: Iterable[Item]) -> Counter[str]:
    """Number of pairs of each role."""
    return Counter(item.role for item in items)
