"""The ResNet generator of the widely used PyTorch pix2pix.

Source: Johnson et al. 2016 (arXiv:1603.08155) for the network, Zhu et al. 2017 (CycleGAN, arXiv:1703.10593)
for its use as a generator.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from napari_synth.nets.pix2pix import NORMS, norm_layer, repeatable_tanh
from napari_synth.nets.seeded_dropout import SeededDropout

HALVINGS = 2
MULTIPLE = 2**HALVINGS


class ConvUnit(nn.Module):
    """A convolution, padded by reflection where it keeps the size, and a norm."""

    def __init__(self, convolution: nn.Conv2d | nn.ConvTranspose2d, norm: str):
        super().__init__()
        margin = convolution.kernel_size[0] // 2 if convolution.stride[0] == 1 else 0
        self.pad = nn.ReflectionPad2d(margin)
        self.conv = convolution
        self.norm = norm_layer(norm, convolution.out_channels)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.norm(self.conv(self.pad(x)))
        return out


class ResidualBlock(nn.Module):
    """Conv 3 -> norm -> ReLU -> dropout -> conv 3 -> norm, added to what it reads."""

    def __init__(self, channels: int, norm: str, bias: bool, dropout: float):
        super().__init__()
        self.first = ConvUnit(nn.Conv2d(channels, channels, 3, bias=bias), norm)
        self.second = ConvUnit(nn.Conv2d(channels, channels, 3, bias=bias), norm)
        self.dropout = SeededDropout(dropout)

    def forward(self, x: Tensor, noise: torch.Generator | None = None) -> Tensor:
        out: Tensor = x + self.second(self.dropout(torch.relu(self.first(x)), noise))
        return out


class Pix2PixResNet(nn.Module):
    """Conv 7, two halvings, residual blocks, two doublings by transposed convolution, conv 7, tanh.

    Parameters
    ----------
    in_channels, out_channels : int
        Channels of the label image and of the image.
    ngf : int
        Channels after the first convolution; doubled by each halving.
    blocks : int
        Residual blocks; 9 as published for 256², 6 for 128².
    dropout : float
        Probability between the convolutions of each block. Dropout is the network's only noise.
    bias : bool
        Bias beside the norm. The last layer always has one.
    norm : {'batch', 'image', 'instance', 'none'}
        See `nets.pix2pix.norm_layer`.

    Raises
    ------
    ValueError
        If ``norm`` is unknown.
    """

    def __init__(
        self,
        in_channels: int = 1,
        out_channels: int = 1,
        *,
        ngf: int = 64,
        blocks: int = 9,
        dropout: float = 0.5,
        bias: bool = False,
        norm: str = "batch",
    ):
        super().__init__()
        if norm not in NORMS:
            raise ValueError(f"norm must be one of {NORMS}, not {norm!r}")
        widths = [ngf * 2**level for level in range(HALVINGS + 1)]
        self.first = ConvUnit(nn.Conv2d(in_channels, ngf, 7, bias=bias), norm)
        self.down = nn.ModuleList(
            ConvUnit(nn.Conv2d(width, 2 * width, 3, 2, 1, bias=bias), norm) for width in widths[:-1]
        )
        self.blocks = nn.ModuleList(ResidualBlock(widths[-1], norm, bias, dropout) for _ in range(blocks))
        self.up = nn.ModuleList(
            ConvUnit(nn.ConvTranspose2d(2 * width, width, 3, 2, 1, output_padding=1, bias=bias), norm)
            for width in reversed(widths[:-1])
        )
        self.pad = nn.ReflectionPad2d(3)
        self.last = nn.Conv2d(ngf, out_channels, 7)

    def forward(self, inputs: Tensor, noise: torch.Generator | None = None) -> Tensor:
        """``[B, in_channels, H, W]`` to ``[B, out_channels, H, W]`` in [-1, 1]; H and W are multiples of 4.

        Dropout is active exactly when ``noise`` is given.
        """
        x = torch.relu(self.first(inputs))
        for unit in self.down:
            x = torch.relu(unit(x))
        for block in self.blocks:
            x = block(x, noise)
        for unit in self.up:
            x = torch.relu(unit(x))
        return repeatable_tanh(self.last(self.pad(x)))
