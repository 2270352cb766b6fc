"""What a discriminator sees: real and generated pictures moved, cut and recoloured alike.

A discriminator that sees few images learns them by heart; these changes, the same for real and
generated ones and passed by the gradient, keep it from that (Zhao et al. 2020, DiffAugment).
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import affine_grid, grid_sample

SHIFT = 1 / 8
"""Furthest shift as a part of the side."""
HOLE = 1 / 3
"""Side of the hole as a part of the side; half of the samples have one."""


class Augmentation:
    """One draw of changes for a batch.

    Parameters
    ----------
    rng : numpy.random.Generator
    batch : int
    side : int
        Height and width of the pictures.
    device : torch.device
    colour : float
        Gain, offset and saturation of the image channels vary by half of this up and down (saturation by
        all of it); 0 for none.
    """

    def __init__(self, rng: np.random.Generator, batch: int, side: int, device: torch.device, colour: float = 0.0):
        reach = round(side * SHIFT)
        shift = 2 * rng.integers(-reach, reach + 1, (batch, 2)) / side
        theta = np.broadcast_to(np.eye(2, 3), (batch, 2, 3)).copy()
        theta[:, :, 2] = shift
        centre = rng.integers(0, side, (batch, 2, 1))
        inside = np.abs(np.arange(side) - centre) < side * HOLE / 2
        with_hole = rng.random((batch, 1, 1)) < 0.5
        hole = inside[:, 0, :, None] & inside[:, 1, None, :] & with_hole
        amount = colour * rng.uniform(-0.5, 0.5, (3, batch, 1, 1, 1)) * np.array([1, 1, 2]).reshape(3, 1, 1, 1, 1)
        self._grid = affine_grid(
            torch.from_numpy(theta).float().to(device), [batch, 1, side, side], align_corners=False
        )
        self._hole = torch.from_numpy(hole[:, None]).to(device)
        self._gain, self._offset, self._saturation = torch.from_numpy(amount).float().to(device)
        self._colour = colour > 0

    def __call__(self, pairs: Tensor) -> Tensor:
        """Image and mask ``(B, 4, side, side)`` with these changes; mid-grey where nothing is."""
        if self._colour:
            image, mask = pairs[:, :3], pairs[:, 3:]
            grey = image.mean(1, keepdim=True)
            image = grey + (image - grey) * (1 + self._saturation)
            pairs = torch.cat([image * (1 + self._gain) + self._offset, mask], 1)
        moved = grid_sample(pairs, self._grid, mode="nearest", padding_mode="zeros", align_corners=False)
        return moved.masked_fill(self._hole, 0)
