"""What the user chose in the Masks dock."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from psygnal import SignalGroupDescriptor

SMALLEST, LARGEST = 16, 8192
"""Sides of a mask that is sampled."""
Card = Literal["paint", "sample", "data", "noise"]


@dataclass
class MaskChoices:
    """Which card is open, and the size of a new mask.

    Attributes
    ----------
    card : {'paint', 'sample', 'data', 'noise'}
    height, width : int
        Of a new mask, in pixels; follow the chosen mask and the selected image.
    """

    events: ClassVar[SignalGroupDescriptor] = SignalGroupDescriptor()

    card: Card = "sample"
    height: int = 256
    width: int = 256
