"""Where a latent vector comes from; the vector itself is computed in a job, where torch is loaded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from napari_synth.synthesis.latents.paths import PathKind


@dataclass(frozen=True)
class Drawn:
    """Drawn from a seed; 0 without one."""

    seed: int | None

    def vector(self, size: int) -> np.ndarray:
        """The latent vector, ``(latent,)`` float32."""
        from napari_synth.synthesis.architectures.forward import latent_of

        return latent_of(self.seed)[:size]


@dataclass(frozen=True)
class Spot:
    """A place on the plane through three others; see `synthesis.latents.latent_at`."""

    a: Source
    b: Source
    c: Source
    u: float
    v: float

    def vector(self, size: int) -> np.ndarray:
        """The latent vector, ``(latent,)`` float32."""
        from napari_synth.synthesis.latents.paths import latent_at

        return latent_at(self.a.vector(size), self.b.vector(size), self.c.vector(size), self.u, self.v)


@dataclass(frozen=True)
class OnWay:
    """A step of the way from one latent vector to another; see `synthesis.latents.latent_path`."""

    a: Source
    b: Source
    steps: int
    kind: PathKind
    step: int

    def vector(self, size: int) -> np.ndarray:
        """The latent vector, ``(latent,)`` float32."""
        from napari_synth.synthesis.latents.paths import latent_path

        return latent_path(self.a.vector(size), self.b.vector(size), self.steps, self.kind)[self.step]


Source = Drawn | Spot | OnWay


def source_words(source: Source) -> str:
    """What a pinned latent vector is called."""
    if isinstance(source, Spot):
        return f"pad ({source.u:.2f}, {source.v:.2f})"
    if isinstance(source, OnWay):
        return f"walk, step {source.step + 1} of {source.steps}"
    return "no noise" if source.seed is None else f"seed {source.seed}"
