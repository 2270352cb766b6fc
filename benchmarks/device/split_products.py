"""Convolutions of float32 on units that multiply shorter numbers.

The matrix units of an NVIDIA GPU multiply TF32, float32 with 10 bits behind the point instead of 23, many times
faster than float32, and add in float32. A number is the sum of one of TF32 and a small rest, so that three products
of TF32 make one of float32 up to the product of two rests, 2^-22 of it (Markidis et al. 2018, Ootomo & Yokota
2022). The three are one convolution of three times as many channels.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

DROPPED = 13
"""Bits of float32 that TF32 has not."""
FEWEST_CHANNELS = 8
"""A kernel of which the first side is shorter stays as it is: there is nothing to be gained."""


def short_part(x: Tensor) -> Tensor:
    """The nearest number of TF32 towards 0."""
    return (x.view(torch.int32) & -(1 << DROPPED)).view(torch.float32)


class SplitConvolution(nn.Module):
    """A convolution, or a transposed one, as one of three times as many input channels in TF32.

    Its input and output are those of the convolution, float32. Whoever calls it allows TF32.
    """

    def __init__(self, convolution: nn.Conv2d | nn.ConvTranspose2d):
        super().__init__()
        self.convolution = convolution
        transposed = isinstance(convolution, nn.ConvTranspose2d)
        weight = convolution.weight.detach()
        high = short_part(weight.contiguous())
        low = weight - high
        self.weight: Tensor
        self.register_buffer("weight", torch.cat([high, high, low], dim=0 if transposed else 1), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        high = short_part(x)
        parts = torch.cat([high, x - high, high], dim=1)
        like: Any = self.convolution
        transposed = isinstance(self.convolution, nn.ConvTranspose2d)
        convolve = nn.functional.conv_transpose2d if transposed else nn.functional.conv2d
        return convolve(parts, self.weight, like.bias, like.stride, like.padding)


def split_convolutions(network: nn.Module) -> None:
    """Exchange the convolutions of a network that is only rendered with for `SplitConvolution`, in place."""
    for module in list(network.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, nn.Conv2d | nn.ConvTranspose2d) and child.weight.shape[0] >= FEWEST_CHANNELS:
                setattr(module, name, SplitConvolution(child))
