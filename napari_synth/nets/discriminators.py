"""Discriminators."""

from __future__ import annotations

from torch import Tensor, nn


class PatchGAN(nn.Module):
    """70x70 PatchGAN of pix2pix: ``[B, C, H, W]`` to a map of logits, 30x30 for 256x256.

    Convolutions 4: ndf, 2 ndf, 4 ndf with stride 2, 8 ndf and 1 with stride 1; BatchNorm on all
    but the first and last; LeakyReLU 0.2 (Isola et al. 2017, section 6.1.2).
    """

    def __init__(self, in_channels: int, ndf: int = 64):
        super().__init__()
        layers: list[nn.Module] = [nn.Conv2d(in_channels, ndf, 4, 2, 1), nn.LeakyReLU(0.2)]
        width = ndf
        for stride in (2, 2, 1):
            out = min(width * 2, ndf * 8)
            layers += [
                nn.Conv2d(width, out, 4, stride, 1, bias=False),
                nn.BatchNorm2d(out),
                nn.LeakyReLU(0.2),
            ]
            width = out
        layers.append(nn.Conv2d(width, 1, 4, 1, 1))
        self.layers = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x)
