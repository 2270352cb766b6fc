"""Latent vectors: drawn from a seed, or given and checked."""

from __future__ import annotations

import numpy as np

from napari_synth.core import arguments
from napari_synth.core.errors import InputError
from napari_synth.core.seeds import torch_generator


def latent_of(seed: int | None, size: int) -> np.ndarray:
    """Latent vector z ~ N(0, 1) of a seed, 0 without one; ``(size,)`` float32.

    ``size`` is the card's ``latent_size``.
    """
    if seed is None:
        return np.zeros(size, np.float32)
    import torch

    drawn: np.ndarray = torch.randn(size, generator=torch_generator(seed, "render")).numpy()
    return drawn


def check_latent(z: np.ndarray, size: int) -> np.ndarray:
    """A latent vector as ``(size,)`` float32.

    Raises
    ------
    InputError
        If it has another length, is not finite, or the model has no latent.
    """
    if not size:
        raise InputError("This model has no latent vector z.", "Leave z out, and use the seed.")
    z = arguments.numbers(z, "z").astype(np.float32)
    if z.shape != (size,):
        raise InputError(f"The latent vector z has shape {z.shape}.", f"Give {size} numbers.")
    if not np.isfinite(z).all():
        raise InputError("The latent vector z contains NaN or infinity.", "Give finite numbers.")
    return z


def latent_for(z: np.ndarray | None, seed: int | None, size: int) -> np.ndarray:
    """The latent vector of a request: the given one, checked, or that of its seed; of length 0 where there is none."""
    return latent_of(seed, size) if z is None else check_latent(z, size)
