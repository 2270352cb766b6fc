"""Optional Pix2Pix with styles: noise planes, a style code, the encoder that reads a style off an image, its bank.

The U-Net of `nets.pix2pix` reads ``[mask, option, noise planes, style planes]``. The code is learned as in a
conditional VAE-GAN (Larsen et al. 2016; Zhu et al. 2017, BicycleGAN).
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from napari_synth.nets.half_precision import at_least_float32
from napari_synth.nets.pix2pix import Pix2PixGenerator

ENCODER_WIDTHS = (32, 64, 128, 256, 256)
COLOUR_STATISTICS = 12


def periods_of(text: str) -> tuple[int, ...]:
    """The periods of the noise planes in a card: ``"1,4,16"``."""
    return tuple(int(part) for part in text.split(",") if part)


def style_planes(style: Tensor, height: int, width: int) -> Tensor:
    """A code ``[B, S]`` as constant planes ``[B, S, height, width]``."""
    return style[:, :, None, None].expand(-1, -1, height, width)


def styled_input(conditions: Tensor, noise: Tensor, style: Tensor) -> Tensor:
    """What the generator reads, in the order of its planes; parameters as of `StyledPix2Pix.drawn`."""
    return torch.cat([conditions, noise, style_planes(style, *conditions.shape[-2:])], 1)


def colour_statistics(mask: Tensor, image: Tensor) -> Tensor:
    """Mean and deviation of each colour inside and outside of the mask, ``[B, 12]``; 0 where there is no pixel.

    Parameters
    ----------
    mask : Tensor, shape (B, 1, H, W)
        1 in nuclei, at most 0 elsewhere.
    image : Tensor, shape (B, 3, H, W)
    """
    inside = mask.clamp(min=0)
    found = []
    for weight in (inside, 1 - inside):
        total = weight.sum((2, 3)).clamp(min=1)
        mean = (weight * image).sum((2, 3)) / total
        variance = (weight * (image - mean[:, :, None, None]).square()).sum((2, 3)) / total
        found += [mean, (variance + 1e-6).sqrt()]
    return torch.cat(found, 1)


class StyleEncoder(nn.Module):
    """Reads the style code off an image and its mask.

    Five convolutions 3, stride 2, LeakyReLU 0.2, InstanceNorm on all but the first; mean and maximum over the
    image. InstanceNorm forgets how bright an image is, so the colours inside and outside of the nuclei are
    handed to the last layer beside them.

    Parameters
    ----------
    conditions : int
        Channels beside the image: the mask, and the option plane if there are several options.
    size : int
        Numbers in a code.
    """

    def __init__(self, conditions: int, size: int):
        super().__init__()
        layers: list[nn.Module] = []
        width = conditions + 3
        for level, out in enumerate(ENCODER_WIDTHS):
            layers.append(nn.Conv2d(width, out, 3, 2, 1))
            if level:
                layers.append(nn.InstanceNorm2d(out))
            layers.append(nn.LeakyReLU(0.2))
            width = out
        self.layers = nn.Sequential(*layers)
        self.mean = nn.Linear(2 * width + COLOUR_STATISTICS, size)
        self.log_variance = nn.Linear(2 * width + COLOUR_STATISTICS, size)

    def forward(self, conditions: Tensor, image: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log-variance of the code.

        Parameters
        ----------
        conditions : Tensor, shape (B, C, H, W)
            The mask first. Sides are at least 64.
        image : Tensor, shape (B, 3, H, W)
            In [-1, 1].

        Returns
        -------
        mean, log_variance : Tensor, shape (B, size), float32
        """
        features = at_least_float32(self.layers(torch.cat([conditions, image], 1)))
        with torch.autocast(image.device.type, enabled=False):
            colours = colour_statistics(conditions[:, :1].float(), image.float())
            seen = torch.cat([features.mean((2, 3)), features.amax((2, 3)), colours], 1)
            return self.mean(seen), self.log_variance(seen).clamp(-8, 4)


class StyledPix2Pix(Pix2PixGenerator):
    """The generator with its encoder and its bank of styles, as a weights file holds them.

    Parameters
    ----------
    in_channels : int
        Mask, and option plane if there are several options.
    out_channels : int
    noise_periods : str
        Pixels per cell of each noise plane, with commas between.
    style_size : int
        Numbers in a code.
    options : int
    bank_size : int
        Codes per option in the bank.
    **unet
        Of `Pix2PixGenerator`.

    Attributes
    ----------
    bank : Tensor, shape (options, bank_size, style_size)
        Codes of training images.
    bank_spread : Tensor, same shape
        How uncertain each number of a code is: the posterior's standard deviation.
    """

    def __init__(
        self,
        in_channels: int = 2,
        out_channels: int = 3,
        *,
        noise_periods: str = "1,4,16",
        style_size: int = 8,
        options: int = 1,
        bank_size: int = 40,
        **unet: Any,
    ):
        periods = periods_of(noise_periods)
        super().__init__(in_channels + len(periods) + style_size, out_channels, **unet)
        self.noise_periods = periods
        self.style_size = style_size
        self.encoder = StyleEncoder(in_channels, style_size)
        self.bank: Tensor
        self.bank_spread: Tensor
        self.register_buffer("bank", torch.zeros(options, bank_size, style_size))
        self.register_buffer("bank_spread", torch.zeros(options, bank_size, style_size))

    def drawn(self, conditions: Tensor, noise: Tensor, style: Tensor) -> Tensor:
        """The image ``[B, out_channels, H, W]`` in [-1, 1] of a mask, noise planes and a style.

        Parameters
        ----------
        conditions : Tensor, shape (B, in_channels, H, W)
        noise : Tensor, shape (B, len(noise_periods), H, W)
        style : Tensor, shape (B, style_size)
        """
        image: Tensor = self(styled_input(conditions, noise, style))
        return image
