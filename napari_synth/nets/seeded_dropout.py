"""Dropout as an explicit source of noise."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class SeededDropout(nn.Module):
    """Inverted dropout that is active exactly when a generator is given.

    Training and seeded rendering pass one; deterministic rendering passes none. The mask is drawn
    on the CPU, so a seed gives the same noise on every device.

    Parameters
    ----------
    p : float
        Probability of being switched off, in [0, 1).
    leading_axes : int, optional
        Draw once for the first so many axes, so that whole channels (2 of ``[B, C, H, W]``) or
        capsules (2 of ``[B, I, C, H, W]``) go together; by default every element has its own draw.
    """

    def __init__(self, p: float = 0.5, leading_axes: int | None = None):
        super().__init__()
        if not 0 <= p < 1:
            raise ValueError(f"dropout must be in [0, 1), not {p}")
        self.p = p
        self.leading_axes = leading_axes

    def forward(self, x: Tensor, noise: torch.Generator | None = None) -> Tensor:
        if noise is None or self.p == 0:
            return x
        drawn = x.shape if self.leading_axes is None else x.shape[: self.leading_axes]
        keep = torch.rand(drawn, generator=noise) >= self.p
        keep = keep.reshape(*drawn, *(1,) * (x.ndim - len(drawn)))
        if x.device.type == "cuda":
            keep = keep.pin_memory()  # so that nobody waits while the GPU fetches it
        return x * keep.to(x.device, x.dtype, non_blocking=True) / (1 - self.p)
