"""What a discriminator sees of real and made images: both changed alike (DiffAugment, Zhao et al. 2020)."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import affine_grid, grid_sample

SHIFT = 1 / 8
HOLE = 1 / 6
HOLE_SHARE = 0.5
GAIN, OFFSET, SATURATION = 0.3, 0.3, 0.6


class Augmentation:
    """One random shift, cut-out and change of colour per sample, to be applied to several images alike.

    Shift up to 1/8 of the side; in half of the samples a square hole of 1/3 of the side; gain ± 15 %,
    offset ± 0.15 (of images in [-1, 1]), saturation ± 30 %.

    Parameters
    ----------
    shape : tuple of int
        (B, C, H, W) of the images.
    draw : torch.Generator
        On the images' device.
    """

    def __init__(self, shape: torch.Size | tuple[int, ...], draw: torch.Generator):
        batch, _, height, width = shape
        device = draw.device

        def uniform(*sides: int) -> Tensor:
            return torch.rand(batch, *sides, generator=draw, device=device)

        # Whole pixels, so that nearest sampling is a plain shift.
        sides = torch.tensor([width, height], device=device)
        pixels = torch.round((2 * uniform(2) - 1) * SHIFT * sides)
        shift = torch.eye(2, 3, device=device).repeat(batch, 1, 1)
        shift[:, :, 2] = 2 * pixels / sides
        self._grid = affine_grid(shift, [batch, 1, height, width], align_corners=False)
        centre = uniform(2, 1, 1)
        rows = torch.arange(height, device=device)[:, None] - centre[:, 0] * height
        columns = torch.arange(width, device=device) - centre[:, 1] * width
        hole = (rows.abs() < HOLE * height) & (columns.abs() < HOLE * width)
        self._hole = (hole & (uniform(1, 1) < HOLE_SHARE))[:, None]
        self._gain = 1 + GAIN * (uniform(1, 1, 1) - 0.5)
        self._offset = OFFSET * (uniform(1, 1, 1) - 0.5)
        self._saturation = 1 + SATURATION * (uniform(1, 1, 1) - 0.5)

    def conditions(self, planes: Tensor) -> Tensor:
        """Masks and options: shifted and with the hole."""
        moved = grid_sample(planes, self._grid, mode="nearest", padding_mode="zeros", align_corners=False)
        return moved.masked_fill(self._hole, 0)

    def images(self, images: Tensor) -> Tensor:
        """Images: the same, and their colours changed."""
        moved = grid_sample(images, self._grid, mode="nearest", padding_mode="zeros", align_corners=False)
        grey = moved.mean(1, keepdim=True)
        coloured = (grey + (moved - grey) * self._saturation) * self._gain + self._offset
        return coloured.masked_fill(self._hole, 0)
