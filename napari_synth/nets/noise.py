"""Dropout as an explicit source of noise."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class SeededDropout(nn.Module):
    """Inverted dropout that is active exactly when a generator is given.

    Training and seeded rendering pass one; deterministic rendering passes none. The mask is drawn
    on the CPU, so a seed gives the same noise on every device.
    """

    def __init__(self, p: float = 0.5):
        super().__init__()
        if not 0 <= p < 1:
            raise ValueError(f"dropout must be in [0, 1), not {p}")
        self.p = p

    def forward(self, x: Tensor, noise: torch.Generator | None = None) -> Tensor:
        if noise is None or self.p == 0:
            return x
        keep = torch.rand(x.shape, generator=noise) >= self.p
        return x * keep.to(x.device, x.dtype) / (1 - self.p)
