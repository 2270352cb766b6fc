"""What the Nuclei dock shows and stamps, as plain evented data. Knows no widget."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from psygnal import SignalGroupDescriptor

Tool = Literal["", "stamp", "grow", "edit"]
"""What the mouse does on the canvas; empty: nothing of this dock."""


@dataclass
class NucleusChoices:
    """What the Nuclei dock shows and stamps.

    Attributes
    ----------
    sampler : str
        Where the thumbnails come from.
    seed : int
        Of the thumbnails.
    z : tuple of float
        The chosen shape; empty before one is chosen.
    member : int
        The library shape that it is, or -1.
    dimension : int
        The latent direction that Shift+wheel morphs along.
    turn_random, size_random : bool
        Whether each stamp gets an angle, and an area, by chance.
    angle, area : float
        Those of a stamp otherwise, and of the nucleus that is edited; degrees and square pixels.
    true_size : bool
        Whether a stamp of a library shape has the area that the shape had in its mask.
    true_area : float
        That area, of the library shape that was chosen last; 0 where it was none.
    tool : str
        ``stamp``, ``grow``, ``edit`` or empty.
    chosen : tuple of int
        The nuclei that are moved, turned, copied or removed together.
    selected : int
        The nucleus whose shape is edited: the only chosen one; 0: none.
    reshapes : bool
        Whether sliders, map and wheel change its shape, and not only that of the next stamp.
    """

    events: ClassVar[SignalGroupDescriptor] = SignalGroupDescriptor()

    sampler: str = "library"
    seed: int = 1
    z: tuple[float, ...] = ()
    member: int = -1
    dimension: int = 0
    turn_random: bool = True
    angle: float = 0.0
    size_random: bool = True
    area: float = 700.0
    true_size: bool = False
    true_area: float = 0.0
    tool: Tool = ""
    chosen: tuple[int, ...] = ()
    selected: int = 0
    reshapes: bool = False

    @property
    def stamps_true_size(self) -> bool:
        """Whether the next stamp has its true area."""
        return self.true_size and self.true_area > 0

    @property
    def shown_area(self) -> float:
        """The area of the nucleus that is edited, or else of the next stamp where it is not by chance."""
        return self.true_area if self.stamps_true_size and not self.selected else self.area
