"""Ways to draw latent codes of shapes, by name."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from napari_synth.core.errors import unknown_name

Sampler = Callable[[np.random.Generator, int, int, float], np.ndarray]


def prior(rng: np.random.Generator, count: int, latent_size: int, spread: float) -> np.ndarray:
    """``z ~ N(0, spread²)``, shape ``(count, latent_size)`` float32."""
    return (spread * rng.standard_normal((count, latent_size))).astype(np.float32)


SAMPLERS: dict[str, Sampler] = {"prior": prior}


def sampler(name: str) -> Sampler:
    """The sampler registered under ``name``."""
    if name not in SAMPLERS:
        raise unknown_name("sampler", name, sorted(SAMPLERS))
    return SAMPLERS[name]
