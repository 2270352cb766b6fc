"""What is compared: looks × styles × seeds of one mask. Knows no widget."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import ClassVar

from psygnal import SignalGroupDescriptor

from napari_synth.core.recipe import Style

MOST = 24
"""Images on one board."""


@dataclass(frozen=True)
class Variation:
    """One image of the board: how the mask is rendered.

    Attributes
    ----------
    model : str
        Bundled id or path.
    option : str
        Empty for a model without options.
    style : int, tuple of float or None
        None: drawn by the seed, or the model has none.
    seed : int or None
    """

    model: str
    option: str
    style: Style | None
    seed: int | None

    def steps_from(self, other: Variation) -> tuple[bool, int]:
        """How unlike another one it is: another model first, which must be loaded, then the number of differences."""
        mine = (self.option, self.style, self.seed)
        differences = sum(a != b for a, b in zip(mine, (other.option, other.style, other.seed), strict=True))
        return self.model != other.model, differences


@dataclass
class CompareChoices:
    """What goes onto the board.

    Attributes
    ----------
    looks : tuple of (str, str)
        Models with their options; an empty option for a model without.
    styles, seeds : int
        How many of each; the chosen one is the first.
    """

    events: ClassVar[SignalGroupDescriptor] = SignalGroupDescriptor()

    looks: tuple[tuple[str, str], ...] = ()
    styles: int = 1
    seeds: int = 1


def variations(
    now: Variation,
    looks: Sequence[tuple[str, str]],
    styles: Mapping[str, Sequence[Style | None]],
    seeds: Sequence[int | None],
) -> list[Variation]:
    """All of them, those nearest to the present choice first.

    Parameters
    ----------
    now : Variation
        What is chosen at present.
    looks : sequence of (str, str)
    styles : mapping of sequence
        Styles of each model; None where it has none.
    seeds : sequence of int or None
    """
    every = [
        Variation(model, option, style, seed)
        for model, option in looks
        for style, seed in product(styles[model], seeds)
    ]
    return sorted(every, key=now.steps_from)
