"""Where a latent vector comes from; the vector itself is computed in a job, where torch is loaded."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from napari_synth.synthesis.latents.paths import PathKind, latent_at, latent_path
from napari_synth.synthesis.latents.vectors import check_latent, latent_of


@dataclass(frozen=True)
class Drawn:
    """Drawn from a seed; 0 without one."""

    seed: int | None

    def vector(self, size: int) -> np.ndarray:
        """The latent vector of a model whose card says ``latent_size=size``, ``(size,)`` float32."""
        return latent_of(self.seed, size)


@dataclass(frozen=True)
class Spot:
    """A place on the plane through three others; see `latents.paths.latent_at`."""

    a: Source
    b: Source
    c: Source
    u: float
    v: float

    def vector(self, size: int) -> np.ndarray:
        """The latent vector, ``(size,)`` float32."""
        return latent_at(self.a.vector(size), self.b.vector(size), self.c.vector(size), self.u, self.v)


@dataclass(frozen=True)
class OnWay:
    """A step of the way from one latent vector to another; see `latents.paths.latent_path`."""

    a: Source
    b: Source
    steps: int
    kind: PathKind
    step: int

    def vector(self, size: int) -> np.ndarray:
        """The latent vector, ``(size,)`` float32."""
        vector: np.ndarray = latent_path(self.a.vector(size), self.b.vector(size), self.steps, self.kind)[self.step]
        return vector


@dataclass(frozen=True)
class Given:
    """Numbers that a recipe has."""

    numbers: tuple[float, ...]

    def vector(self, size: int) -> np.ndarray:
        """The latent vector, ``(size,)`` float32."""
        return check_latent(np.array(self.numbers, np.float32), size)


Source = Drawn | Spot | OnWay | Given


def source_words(source: Source) -> str:
    """What a pinned latent vector is called."""
    if isinstance(source, Spot):
        return f"pad ({source.u:.2f}, {source.v:.2f})"
    if isinstance(source, Given):
        return "as in the recipe"
    if isinstance(source, OnWay):
        return f"walk, step {source.step + 1} of {source.steps}"
    return "no noise" if source.seed is None else f"seed {source.seed}"
