"""Where nuclei go: ways to propose centres, and what may lie how close to what."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from napari_synth.core.errors import InputError
from napari_synth.core.recipe import FieldSettings
from napari_synth.core.registry import Registry
from napari_synth.masks.canvas import Canvas, Footprint

TRIES = 150
CONTACT_TRIES = 12
MAX_HIDDEN = 0.5
"""Part of a nucleus that may lie under its neighbours with free spacing."""

Window = tuple[int, int, int, int]
"""First row, first column, last row + 1, last column + 1."""
Propose = Callable[[int], np.ndarray]
"""Number of centres to their rows and columns, shape (n, 2), int."""


def uniform(rng: np.random.Generator, window: Window) -> Propose:
    """Anywhere in the window."""
    top, left, bottom, right = window
    return lambda n: rng.integers((top, left), (bottom, right), (n, 2))


def by_density(rng: np.random.Generator, window: Window, density: np.ndarray) -> Propose:
    """In proportion to a density ``(Y, X)``.

    Raises
    ------
    InputError
        If it has negative or no positive values in the window.
    """
    top, left, bottom, right = window
    inside = np.nan_to_num(np.asarray(density, np.float64)[top:bottom, left:right])
    if inside.min(initial=0) < 0 or not inside.any():
        raise InputError("The density has no positive values.", "Paint where nuclei shall lie.")
    share = np.cumsum(inside.ravel())

    def propose(n: int) -> np.ndarray:
        places = np.searchsorted(share, rng.random(n) * share[-1], side="right")
        rows, columns = np.divmod(np.minimum(places, share.size - 1), right - left)
        return np.stack([rows + top, columns + left], 1)

    return propose


@dataclass(eq=False)
class Spacing(ABC):
    """Finds a place for one nucleus after the other.

    Parameters
    ----------
    settings : FieldSettings
    canvas : Canvas
    window : Window
        Where centres may lie.
    propose : Propose
    rng : Generator
    wanted : int
        Nuclei that shall be placed.
    """

    title: ClassVar[str]

    settings: FieldSettings
    canvas: Canvas
    window: Window
    propose: Propose
    rng: np.random.Generator
    wanted: int

    def __post_init__(self) -> None:
        """Prepare what is needed before the first nucleus; nothing for most spacings."""
        return

    @abstractmethod
    def fits(self, y: int, x: int, footprint: Footprint) -> bool:
        """Whether the nucleus may lie there."""

    def find(self, footprint: Footprint) -> tuple[int, int] | None:
        """A centre for the nucleus, or None after `TRIES` failures."""
        return self._first_fit(footprint, self.propose)

    def placed(self, label: int, y: int, x: int, footprint: Footprint) -> None:
        """Hear of a nucleus that was placed; nothing to remember for most spacings."""
        return

    def _first_fit(self, footprint: Footprint, propose: Propose) -> tuple[int, int] | None:
        for size in (10, TRIES - 10):
            for y, x in propose(size).tolist():
                if self.fits(y, x, footprint):
                    return y, x
        return None

    def _nothing_under(self, y: int, x: int, footprint: Footprint, steps: np.ndarray) -> bool:
        """Whether all these pixels are free and the nucleus stays one part on the canvas."""
        canvas = self.canvas
        if not canvas.is_free(y, x) or canvas.under(y, x, steps).any():
            return False
        return not canvas.reaches_over(y, x, footprint) or canvas.visible(y, x, footprint, False) is not None


class Free(Spacing):
    """Anywhere; what lies under other nuclei is not seen, up to half of a nucleus."""

    title = "free: may overlap"

    def fits(self, y: int, x: int, footprint: Footprint) -> bool:
        seen = self.canvas.visible(y, x, footprint, only_free=True)
        return seen is not None and int(np.count_nonzero(seen)) >= (1 - MAX_HIDDEN) * seen.size


class Apart(Spacing):
    """No two closer than the gap."""

    title = "apart: no two touch"

    def fits(self, y: int, x: int, footprint: Footprint) -> bool:
        return self._nothing_under(y, x, footprint, footprint.grown)


@dataclass(eq=False)
class Touching(Apart):
    """A share of the nuclei touches another one, the rest lies apart."""

    title = "touching: a share touches"
    _centres: dict[int, tuple[int, int, float]] = field(default_factory=dict, init=False)
    _in_contact: set[int] = field(default_factory=set, init=False)

    def find(self, footprint: Footprint) -> tuple[int, int] | None:
        due = self.settings.touching_fraction * (len(self._centres) + 1)
        if self._centres and len(self._in_contact) + 1 <= due:
            place = self._beside_another(footprint)
            if place is not None:
                return place
        return super().find(footprint)

    def placed(self, label: int, y: int, x: int, footprint: Footprint) -> None:
        reach = float(np.sqrt(footprint.outline.area / np.pi))
        self._centres[label] = (y, x, reach)
        near = self.canvas.under(y, x, footprint.grown)
        others = set(near[(near != 0) & (near != label)].tolist())
        if others:
            self._in_contact |= {label, *others} & self._centres.keys()

    def _beside_another(self, footprint: Footprint) -> tuple[int, int] | None:
        """Come closer to another nucleus from a random side until both touch."""
        labels = list(self._centres)
        lonely = [label for label in labels if label not in self._in_contact]
        canvas, own = self.canvas, max(footprint.bottom, -footprint.top, footprint.right, -footprint.left)
        top, left, bottom, right = self.window
        for _ in range(CONTACT_TRIES):
            pool = lonely if lonely and self.rng.random() < 0.5 else labels
            y, x, reach = self._centres[pool[self.rng.integers(len(pool))]]
            angle = self.rng.uniform(0, 2 * np.pi)
            far = 2 * (reach + own) + 2
            distance = np.arange(far, 0, -0.7)
            ys, xs = np.rint(y + distance * np.sin(angle)), np.rint(x + distance * np.cos(angle))
            best = None
            for cy, cx in zip(ys.astype(int).tolist(), xs.astype(int).tolist(), strict=True):
                if not (top <= cy < bottom and left <= cx < right):
                    continue
                if canvas.under(cy, cx, footprint.inner).any():
                    break
                best = cy, cx
            if best is not None and self._touches(best, footprint):
                return best
        return None

    def _touches(self, place: tuple[int, int], footprint: Footprint) -> bool:
        y, x = place
        return bool(self.canvas.under(y, x, footprint.grown).any()) and self._nothing_under(
            y, x, footprint, footprint.inner
        )


@dataclass(eq=False)
class Clusters(Touching):
    """As `Touching`, in groups around common centres."""

    title = "clusters: in groups"

    def __post_init__(self) -> None:
        groups = max(round(self.wanted / self.settings.cluster_size), 1)
        self._groups = self.propose(groups)
        self.propose = self._around_a_group

    def _around_a_group(self, n: int) -> np.ndarray:
        group = self._groups[self.rng.integers(len(self._groups), size=n)]
        spread = self.rng.normal(0, self.settings.cluster_radius, (n, 2))
        places = np.rint(group + spread).astype(int)
        top, left, bottom, right = self.window
        inside = (places >= (top, left)).all(1) & (places < (bottom, right)).all(1)
        return places[inside]


SPACINGS: Registry[type[Spacing]] = Registry(
    "spacing", {"free": Free, "apart": Apart, "touching": Touching, "clusters": Clusters}
)
