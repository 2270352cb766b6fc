"""Discriminators."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d
from torch.nn.utils.parametrizations import spectral_norm

from napari_synth.nets.pix2pix import norm_layer


class PatchGAN(nn.Module):
    """70x70 PatchGAN of pix2pix: ``[B, C, H, W]`` to a map of logits, 30x30 for 256x256.

    Convolutions 4: ndf, 2 ndf, 4 ndf with stride 2, 8 ndf and 1 with stride 1; a norm on all but the
    first and last; LeakyReLU 0.2 (Isola et al. 2017, section 6.1.2).

    Parameters
    ----------
    in_channels : int
    ndf : int
    norm : {'batch', 'instance'}
        BatchNorm as in pix2pix, or InstanceNorm without weights as in CycleGAN, which has biases beside it.
    """

    def __init__(self, in_channels: int, ndf: int = 64, norm: str = "batch"):
        super().__init__()
        layers: list[nn.Module] = [nn.Conv2d(in_channels, ndf, 4, 2, 1), nn.LeakyReLU(0.2)]
        width = ndf
        for stride in (2, 2, 1):
            out = min(width * 2, ndf * 8)
            layers += [
                nn.Conv2d(width, out, 4, stride, 1, bias=norm == "instance"),
                norm_layer(norm, out),
                nn.LeakyReLU(0.2),
            ]
            width = out
        layers.append(nn.Conv2d(width, 1, 4, 1, 1))
        self.layers = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.layers(x)
        return logits


class DCGANDiscriminator(nn.Module):
    """Discriminator of CapsPix2Pix: ``[B, C, 256, 256]`` to one logit per image, ``[B, 1]``.

    Convolutions 4 without bias: 64, 128, 256, 512 with stride 2, then 1 with stride 1 to a 13×13 map,
    and a fully-connected layer over it; BatchNorm on the three inner ones, LeakyReLU 0.2 (Bass et al. 2019).
    """

    def __init__(self, in_channels: int = 2, width: int = 64):
        super().__init__()
        layers: list[nn.Module] = [nn.Conv2d(in_channels, width, 4, 2, 1, bias=False), nn.LeakyReLU(0.2)]
        for _ in range(3):
            layers += [
                nn.Conv2d(width, 2 * width, 4, 2, 1, bias=False),
                nn.BatchNorm2d(2 * width),
                nn.LeakyReLU(0.2),
            ]
            width *= 2
        layers.append(nn.Conv2d(width, 1, 4, 1, 0, bias=False))
        self.layers = nn.Sequential(*layers)
        self.decide = nn.Linear(13 * 13, 1)

    def forward(self, x: Tensor) -> Tensor:
        logit: Tensor = self.decide(torch.flatten(self.layers(x), 1))
        return logit


def _bounded(conv: nn.Conv2d) -> nn.Module:
    """A convolution with spectral norm (Miyato et al. 2018), initialised before, as the norm divides by what it is."""
    nn.init.xavier_normal_(conv.weight)
    if conv.bias is not None:
        nn.init.zeros_(conv.bias)
    return spectral_norm(conv)


class OptionPatchGAN(nn.Module):
    """A 70x70 PatchGAN with spectral norm and one map of logits per option.

    Parameters
    ----------
    in_channels, options, ndf : int
    """

    def __init__(self, in_channels: int, options: int, ndf: int = 64):
        super().__init__()
        self.blocks = nn.ModuleList([nn.Sequential(_bounded(nn.Conv2d(in_channels, ndf, 4, 2, 1)), nn.LeakyReLU(0.2))])
        width = ndf
        for stride in (2, 2, 1):
            out = min(width * 2, ndf * 8)
            self.blocks.append(
                nn.Sequential(_bounded(nn.Conv2d(width, out, 4, stride, 1)), nn.InstanceNorm2d(out), nn.LeakyReLU(0.2))
            )
            width = out
        self.decide = _bounded(nn.Conv2d(width, options, 4, 1, 1))

    def forward(self, x: Tensor, numbers: Tensor) -> tuple[list[Tensor], Tensor]:
        """Features after each block, and the logits ``[B, 1, h, w]`` of each image's own option."""
        features = []
        for block in self.blocks:
            x = block(x)
            features.append(x)
        logits = self.decide(x)
        return features, logits.gather(1, numbers[:, None, None, None].expand(-1, 1, *logits.shape[-2:]))


class TwoScaleDiscriminator(nn.Module):
    """`OptionPatchGAN` at full and at half size (Wang et al. 2018, pix2pixHD)."""

    def __init__(self, in_channels: int, options: int, ndf: int = 64, scales: int = 2):
        super().__init__()
        self.scales = nn.ModuleList(OptionPatchGAN(in_channels, options, ndf) for _ in range(scales))

    def forward(self, x: Tensor, numbers: Tensor) -> tuple[list[Tensor], list[Tensor]]:
        """``[B, C, H, W]`` and the option of each image to the features of all blocks and the logits per scale."""
        features, logits = [], []
        for scale, network in enumerate(self.scales):
            if scale:
                x = avg_pool2d(x, 2)
            seen, decided = network(x, numbers)
            features += seen
            logits.append(decided)
        return features, logits
