"""Segmentation U-Nets (MONAI's, with fixed choices)."""

from __future__ import annotations

from monai.networks.nets.basic_unet import BasicUNet
from monai.networks.nets.unet import UNet
from torch import nn


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
