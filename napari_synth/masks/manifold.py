"""Sampling where the data is: a Riemannian metric on the latent space, and HMC on its volume.

After Chadebec & Allassonnière, A geometric perspective on variational autoencoders (2022).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from napari_synth.masks.shape_codes import Latents

FLOOR = 1e-2
"""λ: what the metric is far from all data."""
LEAPFROGS = 15
FIRST_STEP = 0.05
WANTED_ACCEPTANCE = (0.7, 0.95)
STEP_CHANGE = 1.2
STEP_RANGE = (0.005, 0.5)

Density = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class LatentMetric:
    """``G(z) = Σᵢ Σᵢ⁻¹ exp(-(z - cᵢ)ᵀ Σᵢ⁻¹ (z - cᵢ) / ρ²) + λ I`` with diagonal Σᵢ.

    Attributes
    ----------
    centres : Tensor, shape (M, latent), float64
    precisions : Tensor, shape (M, latent), float64
        The diagonals of Σᵢ⁻¹.
    reach : float
        ρ.
    """

    centres: Tensor
    precisions: Tensor
    reach: float

    @classmethod
    def of(cls, latents: Latents) -> LatentMetric:
        """The metric of the medoids of a library; ρ is the largest distance of a medoid to its nearest other."""
        centres = torch.from_numpy(latents.codes[latents.centres].astype(np.float64))
        variances = torch.from_numpy(latents.variances[latents.centres].astype(np.float64))
        distance = torch.cdist(centres, centres).fill_diagonal_(torch.inf)
        nearest = distance.min(1).values
        reach = float(nearest[torch.isfinite(nearest)].max()) if len(centres) > 1 else 1.0
        return cls(centres, 1 / variances.clamp_min(1e-6), reach or 1.0)

    def diagonal(self, z: Tensor) -> Tensor:
        """The diagonal of G at ``z`` (N, latent); all else is 0. Shape (N, latent)."""
        # (z - c)ᵀ P (z - c) = z²·P - 2 z·(P c) + c²·P, as three products rather than an (N, M, latent) array
        p, c = self.precisions, self.centres
        form = z**2 @ p.T - 2 * z @ (p * c).T + (c**2 * p).sum(1)
        return torch.exp(-form.clamp_min(0) / self.reach**2) @ p + FLOOR

    def log_volume(self, z: Tensor) -> Tensor:
        """``log √det G(z)``, shape (N,)."""
        return 0.5 * self.diagonal(z).log().sum(1)


def gradient(density: Density, z: Tensor) -> tuple[Tensor, Tensor]:
    """Log density (N,) and its gradient (N, latent), by autograd."""
    with torch.enable_grad():
        z = z.detach().requires_grad_()
        value = density(z)
        (slope,) = torch.autograd.grad(value.sum(), z)
    return value.detach(), slope


def leapfrog(
    density: Density, z: Tensor, momentum: Tensor, slope: Tensor, step: float, count: int
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """``count`` leapfrog steps with unit mass; returns z, momentum, log density and its gradient there."""
    value = slope
    for _ in range(count):
        momentum = momentum + 0.5 * step * slope
        z = z + step * momentum
        value, slope = gradient(density, z)
        momentum = momentum + 0.5 * step * slope
    return z, momentum, value, slope


@dataclass(frozen=True)
class Chains:
    """Where HMC chains ended.

    Attributes
    ----------
    z : ndarray, shape (N, latent), float32
    acceptance : float
        Share of accepted proposals.
    step : float
        The last leapfrog step.
    """

    z: np.ndarray
    acceptance: float
    step: float


def run_chains(density: Density, start: np.ndarray, steps: int, rng: np.random.Generator) -> Chains:
    """Hamiltonian Monte Carlo with a chain per row of ``start``; the leapfrog step adapts to the acceptance."""
    z = torch.from_numpy(np.asarray(start, np.float64))
    value, slope = gradient(density, z)
    step, accepted = FIRST_STEP, 0.0
    for _ in range(steps):
        momentum = torch.from_numpy(rng.standard_normal(tuple(z.shape)))
        chance = torch.from_numpy(rng.random(len(z)))
        new, new_momentum, new_value, new_slope = leapfrog(density, z, momentum, slope, step, LEAPFROGS)
        gain = new_value - value - 0.5 * (new_momentum.square().sum(1) - momentum.square().sum(1))
        taken = chance.log() < gain
        z = torch.where(taken[:, None], new, z)
        slope = torch.where(taken[:, None], new_slope, slope)
        value = torch.where(taken, new_value, value)
        rate = float(taken.double().mean()) if len(z) else 1.0
        accepted += rate
        low, high = WANTED_ACCEPTANCE
        factor = STEP_CHANGE if rate > high else 1 / STEP_CHANGE if rate < low else 1.0
        step = float(np.clip(step * factor, *STEP_RANGE))
    return Chains(z.numpy().astype(np.float32), accepted / max(steps, 1), step)
