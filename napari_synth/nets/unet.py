"""Segmentation U-Nets (MONAI's, with fixed choices)."""

from __future__ import annotations

import torch
from monai.networks.nets.basic_unet import BasicUNet
from monai.networks.nets.unet import UNet
from torch import Tensor, nn


def segmentation_unet(in_channels: int = 3, width: int = 16) -> nn.Module:
    """U-Net giving one logit per pixel: ``[B, in_channels, H, W]`` to ``[B, 1, H, W]``.

    Five scales, residual units, InstanceNorm; height and width must be multiples of 16.
    """
    return UNet(
        spatial_dims=2,
        in_channels=in_channels,
        out_channels=1,
        channels=tuple(width * 2**i for i in range(5)),
        strides=(2, 2, 2, 2),
        num_res_units=2,
    )


def signal_unet(in_channels: int = 1, width: int = 16) -> nn.Module:
    """U-Net for sparse objects, one logit per pixel: ``[B, in_channels, H, W]`` to ``[B, 1, H, W]``.

    Five scales with BatchNorm, so that in eval mode a pixel is judged by what is around it and an
    image without objects stays empty; height and width must be multiples of 16.
    """
    features = (*(width * 2**i for i in range(5)), width)
    return BasicUNet(2, in_channels, 1, features, norm="batch", upsample="nontrainable")


class PlainUNet(nn.Module):
    """The U-Net of CapsPix2Pix's comparison: ``[B, in_channels, H, W]`` to one logit per pixel ``[B, 1, H, W]``.

    Encoder 32-64-128-256-512, two 3×3 convolutions and ReLUs per scale, no norms, max pooling, bilinear
    upsampling, joined skips, decoder 256-128-64-32, 1×1 at the end; whole channels are dropped with
    probability 0.5 after each pair of convolutions but the last. Height and width are multiples of 16.
    """

    def __init__(self, in_channels: int = 1, width: int = 32, dropout: float = 0.5):
        super().__init__()
        sides = [width * 2**i for i in range(5)]
        self.down = nn.ModuleList(
            _double(a, b, dropout) for a, b in zip([in_channels, *sides[:-1]], sides, strict=True)
        )
        self.up = nn.ModuleList(
            _double(sides[i + 1] + sides[i], sides[i], dropout if i else 0.0) for i in reversed(range(4))
        )
        self.head = nn.Conv2d(width, 1, 1)
        self.pool = nn.MaxPool2d(2)
        self.larger = nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True)

    def forward(self, x: Tensor) -> Tensor:
        skips: list[Tensor] = []
        for block in self.down:
            x = block(self.pool(x) if skips else x)
            skips.append(x)
        for block, skip in zip(self.up, reversed(skips[:-1]), strict=True):
            x = block(torch.cat([skip, self.larger(x)], 1))
        logits: Tensor = self.head(x)
        return logits


def _double(inputs: int, outputs: int, dropout: float) -> nn.Sequential:
    layers: list[nn.Module] = [nn.Conv2d(inputs, outputs, 3, padding=1), nn.ReLU()]
    layers += [nn.Conv2d(outputs, outputs, 3, padding=1), nn.ReLU()]
    return nn.Sequential(*layers, *([nn.Dropout2d(dropout)] if dropout else []))
