"""Ways to draw latent codes of shapes, by name. A new one is a class here and a line in `SAMPLERS`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from napari_synth.core.errors import InputError
from napari_synth.core.registry import Registry
from napari_synth.masks.shape_codes import Latents

NEIGHBOURS = 5
CHAIN = 10
"""HMC steps of `Manifold`; diversity falls with longer chains (docs/training.md)."""


@dataclass(frozen=True)
class Draw:
    """Sampled shapes.

    Attributes
    ----------
    codes : ndarray, shape (N, latent), float32
    members : ndarray, shape (N,), int64
        The library shape that is meant as it is; -1 where the code is decoded.
    """

    codes: np.ndarray
    members: np.ndarray

    @classmethod
    def decoded(cls, codes: np.ndarray) -> Draw:
        """Codes that are no shape of the library."""
        return cls(codes.astype(np.float32), np.full(len(codes), -1))


class Sampler(ABC):
    """Draws codes.

    Parameters
    ----------
    latent_size : int
    spread : float
        How far from what is known; see each sampler.
    latents : callable
        Gives the codes of the library; called only by samplers that need it.
    """

    title: ClassVar[str]
    """One line for a person who chooses."""
    spread_means: ClassVar[str] = ""
    """What ``spread`` changes; empty where it changes nothing."""
    needs_library: ClassVar[bool] = True
    fewest: ClassVar[int] = 1
    """Shapes the library must have."""

    def __init__(self, latent_size: int, spread: float, latents: Callable[[], Latents]):
        self.latent_size = latent_size
        self.spread = spread
        if self.needs_library:
            self.latents = latents()
            if len(self.latents) < self.fewest:
                raise InputError(
                    f"The shape library has {len(self.latents)} shape, but this sampler needs {self.fewest}.",
                    "Use another library, or the sampler 'library', 'jitter' or 'prior'.",
                )

    @abstractmethod
    def draw(self, rng: np.random.Generator, count: int) -> Draw:
        """``count`` codes; the same generator state gives the same codes."""

    def _members(self, rng: np.random.Generator, count: int) -> np.ndarray:
        """Indices of library shapes; none twice before all were used."""
        size = len(self.latents)
        rounds = [rng.permutation(size) for _ in range(-(-count // size))]
        return np.concatenate([*rounds, np.zeros(0, np.int64)])[:count]


class Prior(Sampler):
    """``z ~ N(0, spread²)``."""

    title = "prior: new shapes, smooth"
    spread_means = "0: all have the mean shape; 1: the prior of the model"
    needs_library = False

    def draw(self, rng: np.random.Generator, count: int) -> Draw:
        return Draw.decoded(prior(rng, count, self.latent_size, self.spread))


class Library(Sampler):
    """A real shape as it is."""

    title = "library: real shapes"

    def draw(self, rng: np.random.Generator, count: int) -> Draw:
        members = self._members(rng, count)
        return Draw(self.latents.codes[members], members)


class Jitter(Sampler):
    """The code of a real shape, moved within ``spread`` standard deviations of its posterior."""

    title = "jitter: real shapes, varied"
    spread_means = "0: the real shape as the model sees it; 1: as sure as the model is; more: further away"

    def draw(self, rng: np.random.Generator, count: int) -> Draw:
        members = self._members(rng, count)
        noise = rng.standard_normal((count, self.latent_size))
        sigma = np.sqrt(self.latents.variances[members])
        return Draw.decoded(self.latents.codes[members] + self.spread * sigma * noise)


class Neighbours(Sampler):
    """Between a real shape and one of its `NEIGHBOURS` nearest; ``spread`` 1 goes up to the neighbour."""

    title = "knn: between two shapes"
    spread_means = "0: a real shape; 1: anywhere up to a similar one; more: beyond it"
    fewest = 2

    def draw(self, rng: np.random.Generator, count: int) -> Draw:
        codes = self.latents.codes
        members = self._members(rng, count)
        near = min(NEIGHBOURS, len(codes) - 1)
        squared = (codes**2).sum(1)
        distance = squared - 2 * codes[members] @ codes.T
        distance[np.arange(count), members] = np.inf
        nearest = np.argpartition(distance, near - 1, axis=1)[:, :near] if count else np.zeros((0, near), int)
        # argpartition leaves the order inside open; sorted, a seed gives the same neighbour everywhere
        nearest.sort(axis=1)
        partner = nearest[np.arange(count), rng.integers(near, size=count)]
        alpha = self.spread * rng.random((count, 1))
        return Draw.decoded(codes[members] + alpha * (codes[partner] - codes[members]))


class Manifold(Sampler):
    """Hamiltonian Monte Carlo on the volume of the latent space, from a medoid of the library."""

    title = "manifold: near real shapes"
    fewest = 2

    def draw(self, rng: np.random.Generator, count: int) -> Draw:
        from napari_synth.masks.manifold import LatentMetric, run_chains

        centres = self.latents.centres
        start = self.latents.codes[centres[rng.integers(len(centres), size=count)]]
        return Draw.decoded(run_chains(LatentMetric.of(self.latents).log_volume, start, CHAIN, rng).z)


SAMPLERS: Registry[type[Sampler]] = Registry(
    "sampler",
    {"library": Library, "jitter": Jitter, "knn": Neighbours, "manifold": Manifold, "prior": Prior},
)


def prior(rng: np.random.Generator, count: int, latent_size: int, spread: float) -> np.ndarray:
    """``z ~ N(0, spread²)``, shape ``(count, latent_size)`` float32."""
    return (spread * rng.standard_normal((count, latent_size))).astype(np.float32)
