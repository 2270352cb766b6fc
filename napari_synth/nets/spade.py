"""Residual blocks with spatially-adaptive normalisation (SPADE): a path of features made from a label alone.

Source: Park et al. 2019 (arXiv:1903.07291) for the block, Horvath et al. 2022 (MetGAN) for the path.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, leaky_relu
from torch.nn.utils.parametrizations import spectral_norm

if TYPE_CHECKING:
    from monai.networks.blocks.spade_norm import SPADE

SLOPE = 0.2


def spade_norm(label_channels: int, channels: int, hidden: int) -> SPADE:
    """BatchNorm without weights, then ``x * (1 + gamma) + beta`` with both from the label.

    MONAI's module as published: ReLU after the shared convolution, and gamma and beta as the convolutions
    give them (MONAI has a LeakyReLU there and an InstanceNorm on gamma and beta, which makes both 0
    where the label is constant).
    """
    from monai.networks.blocks.spade_norm import SPADE  # brings all of MONAI: seconds, and only these networks need it

    norm = SPADE(label_channels, channels, hidden_channels=hidden, norm="BATCH", norm_params={"affine": False})
    norm.mlp_shared.adn = nn.ReLU()
    norm.mlp_gamma.adn = norm.mlp_beta.adn = nn.Identity()
    return norm


class SpadeBlock(nn.Module):
    """Two times SPADE -> LeakyReLU 0.2 -> spectrally normalised conv 3, beside a shortcut.

    The shortcut is the input itself, or SPADE and a convolution 1 where the channels change.
    """

    def __init__(self, in_channels: int, out_channels: int, label_channels: int = 2, hidden: int = 128):
        super().__init__()
        middle = min(in_channels, out_channels)
        self.norm_0 = spade_norm(label_channels, in_channels, hidden)
        self.conv_0 = spectral_norm(nn.Conv2d(in_channels, middle, 3, padding=1))
        self.norm_1 = spade_norm(label_channels, middle, hidden)
        self.conv_1 = spectral_norm(nn.Conv2d(middle, out_channels, 3, padding=1))
        self.norm_s: SPADE | None = None
        if in_channels != out_channels:
            self.norm_s = spade_norm(label_channels, in_channels, hidden)
            self.conv_s = spectral_norm(nn.Conv2d(in_channels, out_channels, 1, bias=False))

    def forward(self, x: Tensor, label: Tensor) -> Tensor:
        """``[B, in_channels, H, W]`` to ``[B, out_channels, H, W]``; the label may have any size."""
        shortcut: Tensor = x if self.norm_s is None else self.conv_s(self.norm_s(x, label))
        out = self.conv_0(leaky_relu(self.norm_0(x, label), SLOPE))
        detail: Tensor = self.conv_1(leaky_relu(self.norm_1(out, label), SLOPE))
        return shortcut + detail


class LabelPath(nn.Module):
    """Features of a label at 1/16, 1/8, 1/4, 1/2 and, with a seventh block, full size.

    Parameters
    ----------
    widths : list of int
        Channels of the blocks: two at 1/32 and 1/16 come before the one at 1/16 whose features are
        given, then one per doubling.
    label_channels : int
        Channels of the one-hot label.
    hidden : int
        Channels between the label and gamma, beta; 128 as published.
    """

    def __init__(self, widths: list[int], label_channels: int = 2, hidden: int = 128):
        super().__init__()
        self.head = nn.Conv2d(label_channels, widths[0], 3, padding=1)
        self.blocks = nn.ModuleList(
            SpadeBlock(before, after, label_channels, hidden)
            for before, after in zip([widths[0], *widths[:-1]], widths, strict=True)
        )

    def forward(self, label: Tensor) -> list[Tensor]:
        """``[B, label_channels, H, W]`` to the features, coarse to fine; H and W are multiples of 32."""
        coarse = [side // 32 for side in label.shape[-2:]]
        x = self.blocks[0](self.head(interpolate(label, size=coarse, mode="nearest")), label)
        x = self.blocks[1](interpolate(x, scale_factor=2, mode="nearest"), label)
        features = [self.blocks[2](x, label)]
        for block in self.blocks[3:]:
            features.append(block(interpolate(features[-1], scale_factor=2, mode="nearest"), label))
        return features


def one_hot(mask: Tensor) -> Tensor:
    """``[B, 1, H, W]`` in {0, 1} to background and foreground planes, ``[B, 2, H, W]``."""
    return torch.cat([1 - mask, mask], dim=1)
