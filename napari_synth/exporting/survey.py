"""What is in the masks of an export, looked at before the first pair is written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
from scipy import ndimage

TRIAL = 32
"""Masks that are looked at."""


@dataclass(frozen=True)
class MaskFacts:
    """What a trainer minds about one mask.

    Attributes
    ----------
    shape : tuple of int
    nuclei : int
    smallest, median : float
        Area in pixels; 0 without a nucleus.
    extent : float
        Median side of the boxes around nuclei.
    largest_number : int
    gaps : bool
        Whether numbers are missing between 1 and the largest.
    holed, parted, on_border : int
        Nuclei with holes, in several pieces, and at the edge of the image.
    """

    shape: tuple[int, int]
    nuclei: int
    smallest: float
    median: float
    extent: float
    largest_number: int
    gaps: bool
    holed: int
    parted: int
    on_border: int


@dataclass(frozen=True, eq=False)
class Survey:
    """What is known of a set before it is written.

    Attributes
    ----------
    masks : tuple of MaskFacts
        Of some masks.
    labels : tuple of ndarray
        A few of those masks, ``(Y, X)`` int32, for formats that try what they lose.
    roles : mapping of str to int
        Synthetic pairs of each role; the role of an export that is not split is empty.
    real : mapping of str to int
        Real pairs of each role.
    dtype : str
        Of the images.
    rgb, mixed, two_channels : bool
        Whether images are in colour; whether some of them are and others grey; whether they have two channels.
    """

    masks: tuple[MaskFacts, ...] = ()
    labels: tuple[np.ndarray, ...] = ()
    roles: Mapping[str, int] = field(default_factory=dict)
    real: Mapping[str, int] = field(default_factory=dict)
    dtype: str = "uint8"
    rgb: bool = True
    mixed: bool = False
    two_channels: bool = False

    @property
    def pairs(self) -> int:
        return sum(self.roles.values()) + sum(self.real.values())

    @property
    def nuclei(self) -> int:
        """In the masks that were looked at."""
        return sum(mask.nuclei for mask in self.masks)

    @property
    def smallest(self) -> float:
        return min((mask.smallest for mask in self.masks if mask.nuclei), default=0)

    @property
    def extent(self) -> float:
        return float(np.median([mask.extent for mask in self.masks if mask.nuclei] or [0]))

    def share(self, number: int) -> str:
        """Such as ``3 of 40 nuclei``."""
        return f"{number} of {self.nuclei} nuclei"

    def has(self, role: str) -> bool:
        """Whether any pair has this role."""
        return bool(self.roles.get(role) or self.real.get(role))

    def count(self, role: str) -> int:
        """Pairs of a role, real ones too."""
        return self.roles.get(role, 0) + self.real.get(role, 0)


def facts_of(labels: np.ndarray) -> MaskFacts:
    """Look at one mask, ``(Y, X)`` with labels from 0."""
    values, counts = np.unique(labels[labels > 0], return_counts=True)
    packed = np.searchsorted(values, labels) + 1
    packed[labels == 0] = 0
    boxes = ndimage.find_objects(packed)
    sides, holed, parted, border = [], 0, 0, 0
    for number, box in enumerate(boxes, 1):
        nucleus = packed[box] == number
        sides += nucleus.shape
        border += any(span.start == 0 or span.stop == side for span, side in zip(box, labels.shape, strict=True))
        if nucleus.all():
            continue
        holed += bool((ndimage.binary_fill_holes(nucleus) != nucleus).any())
        parted += ndimage.label(nucleus, np.ones((3, 3)))[1] > 1
    return MaskFacts(
        shape=(int(labels.shape[0]), int(labels.shape[1])),
        nuclei=len(values),
        smallest=float(counts.min(initial=labels.size)) if len(values) else 0.0,
        median=float(np.median(counts)) if len(values) else 0.0,
        extent=float(np.median(sides)) if sides else 0.0,
        largest_number=int(values[-1]) if len(values) else 0,
        gaps=bool(len(values) and values[-1] != len(values)),
        holed=int(holed),
        parted=int(parted),
        on_border=int(border),
    )


def total(masks: Iterable[MaskFacts], name: str) -> int:
    """Sum of one of the counts."""
    return sum(getattr(mask, name) for mask in masks)
