"""Places in pairs that a person should see, gone through one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from napari_synth.evaluation.pair_check.disagreements import Predicted
    from napari_synth.evaluation.pair_report import PairReport


@dataclass(frozen=True, eq=False)
class Place:
    """A point of a pair, in rows and columns, and what is wrong there; ``predicted`` is what another program found."""

    image: Path
    point: tuple[float, float]
    words: str
    predicted: np.ndarray | None = None


class Places:
    """A list with a current place; before the first step there is none."""

    def __init__(self, places: Sequence[Place] = ()):
        self._places = list(places)
        self._number = -1

    def __len__(self) -> int:
        return len(self._places)

    @property
    def position(self) -> str:
        """Such as ``3 of 17``."""
        return f"{self._number + 1} of {len(self)}"

    def step(self, by: int) -> Place:
        """The next place (1) or the one before (-1); the last is followed by the first."""
        self._number = 0 if self._number < 0 and by > 0 else (max(self._number, 0) + by) % len(self)
        return self._places[self._number]


def of_predictions(found: Sequence[Predicted]) -> Places:
    """Where labels and predictions disagree, pair after pair, large objects first."""
    words = {
        "not found": "labelled, but the other program found nothing",
        "not labelled": "found by the other program, but not labelled",
    }
    return Places(
        [
            Place(one.image, other.place, f"{words[other.kind]} ({other.area} pixels)", one.labels)
            for one in found
            for other in one.disagreements
        ]
    )


def of_report(report: PairReport) -> Places:
    """What a segmenter of real images sees in the pairs that are not green, worst pair first."""
    from napari_synth.datasets.pairs import find_pairs

    images = {pair.stem: pair.image for pair in find_pairs(report.synthetic)}
    places = []
    for look in report.looks:
        light = report.limits.light(look)
        if light == "green":
            continue
        points = [(point, "a nucleus without a label") for point in look.unlabelled]
        points += [(point, "a label without a nucleus") for point in look.unseen]
        if not points:
            points = [((0, 0), report.limits.sentence(look))]
        places += [Place(images[look.stem], point, f"{light}: {words}") for point, words in points]
    return Places(places)
