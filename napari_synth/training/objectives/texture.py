"""Distances between a made and a real image of the same mask that noise does not drown."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d

OUTSIDE = 1e30
"""Beyond all grey values."""


def blurred(images: Tensor, side: int = 3) -> Tensor:
    """The mean of the ``side``² pixels around each; at the border of those there are."""
    return avg_pool2d(images, side, stride=1, padding=side // 2, count_include_pad=False)


def local_deviation(images: Tensor, side: int = 7) -> Tensor:
    """The standard deviation of the ``side``² pixels around each; at least 0.001."""
    variance = blurred(images.square(), side) - blurred(images, side).square()
    return variance.clamp(min=1e-6).sqrt()


def spectral_distance(made: Tensor, real: Tensor, block: int = 64) -> Tensor:
    """Mean squared difference of the logarithms of two power spectra (after Durall et al. 2020).

    A discriminator that halves its input overlooks how fine the noise is; the spectrum shows it. It is
    averaged over half-overlapping blocks without their mean, under a Hann window, and kept in both
    directions, so that noise must have no direction where the real one has none.

    Parameters
    ----------
    made, real : Tensor, shape (B, 1, H, W)
        Sides are at least ``block``.
    """
    return (log_power(made, block) - log_power(real, block)).square().mean()


def log_power(images: Tensor, block: int) -> Tensor:
    """Natural logarithm of the mean power of the blocks of each image, ``(B, block, block // 2 + 1)``."""
    window = torch.hann_window(block, device=images.device)
    blocks = images.unfold(2, block, block // 2).unfold(3, block, block // 2).flatten(1, 3)
    blocks = (blocks - blocks.mean((2, 3), keepdim=True)) * window * window[:, None]
    return torch.log(torch.fft.rfft2(blocks).abs().square().mean(1) + 1e-6)


def lattice_power(images: Tensor, period: int = 8, block: int = 64) -> Tensor:
    """How far the phases of a lattice differ in their local mean: 0 on average for an image without a grid.

    Transposed convolutions of stride 2 give each phase of 2, 4 or 8 pixels weights of its own (Odena et al.
    2016). In every block the pixels of each of the ``period``² phases are averaged; the result is the
    covariance of these means between different blocks. It is the variance of what all blocks have in
    common; noise, which they have not, neither adds to it nor is held down by it.

    Parameters
    ----------
    images : Tensor, shape (B, 1, H, W)
        Sides are multiples of ``block``, and there are two blocks or more.
    """
    batch, _, height, width = images.shape
    parts = images.reshape(batch, height // block, block // period, period, width // block, block // period, period)
    means = parts.mean((2, 5)).permute(0, 1, 3, 2, 4).flatten(3).flatten(1, 2)
    apart = means - means.mean(-1, keepdim=True)
    count = apart.shape[1]
    products = apart.sum(1).square() - apart.square().sum(1)
    return products.mean() / (count * (count - 1))


def grey_value_distance(made: Tensor, real: Tensor, masks: Tensor) -> Tensor:
    """Wasserstein distance of the grey values outside the mask, plus that inside: sorted, value by value.

    Parameters
    ----------
    made, real, masks : Tensor, shape (B, 1, H, W)
        Inside is where the mask is above 0.
    """
    total = made.new_zeros(())
    inside = masks > 0
    for region in (inside, ~inside):
        # What is not in the region is sorted to the end of both and has no difference: no device waits for a count.
        one, other = (torch.where(region, x, OUTSIDE).flatten(1).sort().values for x in (made, real))
        total = total + ((one - other).abs().sum(1) / region.flatten(1).sum(1).clamp(min=1)).mean()
    return total
