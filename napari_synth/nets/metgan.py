"""MetGAN's generator: an image path that keeps the anatomy, a label path that places the objects.

Source: Horvath et al. 2022 (MetGAN, WACV; arXiv:2104.10993).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, max_pool2d
from torch.nn.utils.parametrize import is_parametrized, remove_parametrizations

from napari_synth.nets.folding import folded
from napari_synth.nets.half_precision import at_least_float32
from napari_synth.nets.pix2pix import Pix2PixGenerator
from napari_synth.nets.spade import LabelPath, one_hot

ENCODER = (24, 64, 128, 256, 512, 768)
DECODER = (512, 256, 128, 64, 24, 24)
SPADE = (128, 128, 128, 64, 32, 16, 8)
HIDDEN = 128
BLOCKS = (6, 7)
TILE_MULTIPLE = 2 ** len(ENCODER)
STEP = 8
NOISE_PERIODS = (1, 4, 16)
"""Pixels per number of each noise plane."""


def width_scaled(channels: int, width: float, at_least: int = STEP) -> int:
    """Channels at a width, a multiple of 8 and at least 8; those of the publication at width 1."""
    return channels if width == 1 else max(at_least, round(channels * width / STEP) * STEP)


def conv_unit(in_channels: int, out_channels: int) -> nn.Sequential:
    """Conv 3 -> BatchNorm -> ReLU."""
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, 3, padding=1, bias=False), nn.BatchNorm2d(out_channels), nn.ReLU()
    )


def conv_units(in_channels: int, out_channels: int, count: int) -> nn.Sequential:
    """``count`` units, the first of which changes the channels."""
    return nn.Sequential(*(conv_unit(in_channels if i == 0 else out_channels, out_channels) for i in range(count)))


class MetGen(nn.Module):
    """Image and label to the other channel.

    Parameters
    ----------
    in_channels, out_channels : int
        Image channels.
    width : float
        Factor on all channels; 1 as published.
    blocks : {6, 7}
        SPADE blocks. The seventh works at full size and its features join those of the last decoder
        stage.
    at_least : int
        Channels that a stage of the image path keeps at any width below 1.
    noise : bool
        Whether three noise planes come beside the image, from which the network draws what neither image
        nor label says: grain, and how bright each object is. Not in the publication.

    Raises
    ------
    ValueError
        If ``blocks`` is neither 6 nor 7, or ``width`` is not positive.
    """

    def __init__(
        self,
        in_channels: int = 1,
        out_channels: int = 1,
        *,
        width: float = 1.0,
        blocks: int = 6,
        at_least: int = STEP,
        noise: bool = False,
    ):
        super().__init__()
        if blocks not in BLOCKS:
            raise ValueError(f"blocks must be one of {BLOCKS}, not {blocks}")
        if width <= 0:
            raise ValueError(f"width must be positive, not {width}")
        encoder, decoder = (
            [width_scaled(channels, width, at_least) for channels in widths] for widths in (ENCODER, DECODER)
        )
        spade = [width_scaled(channels, width) for channels in SPADE[:blocks]]
        self.noise = noise
        in_channels += len(NOISE_PERIODS) * noise
        self.down = nn.ModuleList(
            conv_units(before, after, 2) for before, after in zip([in_channels, *encoder[:-1]], encoder, strict=True)
        )
        self.centre = conv_unit(encoder[-1], encoder[-1])
        # The label's features join after the decoder stages at 1/16, 1/8, … of the size.
        joined = [0, *spade[2:], *[0] * (len(decoder) - 1 - len(spade[2:]))]
        before = [encoder[-1], *(stage + label for stage, label in zip(decoder, joined, strict=True))]
        self.up = nn.ModuleList(conv_units(before[i] + skip, decoder[i], 3) for i, skip in enumerate(reversed(encoder)))
        self.label = LabelPath(spade, hidden=width_scaled(HIDDEN, width))
        self.last = nn.Conv2d(before[-1], out_channels, 1)

    @property
    def last_bias(self) -> Tensor:
        """What is added to the output before the tanh."""
        return self.last.get_parameter("bias")

    @torch.no_grad()
    def settle(self) -> None:
        """Fold the norms into the convolutions and drop the spectral norm: the same output, for rendering only."""
        self.eval()
        units = [m for m in self.modules() if type(m) is nn.Sequential and isinstance(m[0], nn.Conv2d)]
        for unit in units:
            unit[0], unit[1] = folded(unit), nn.Identity()
        for module in list(self.modules()):
            if is_parametrized(module):
                remove_parametrizations(module, "weight")

    def encode(self, image: Tensor, planes: Tensor | None = None) -> list[Tensor]:
        """Features of image and noise planes, without the label: the skips, fine to coarse, then the centre."""
        skips, x = [], self._entry(image, planes)
        for stage in self.down:
            skips.append(stage(x))
            x = max_pool2d(skips[-1], 2)
        return [*skips, self.centre(x)]

    def _entry(self, image: Tensor, planes: Tensor | None) -> Tensor:
        if not self.noise:
            return image
        if planes is None:
            planes = image.new_zeros(len(image), len(NOISE_PERIODS), *image.shape[-2:])
        return torch.cat([image, planes], dim=1)

    def decode(self, features: list[Tensor], mask: Tensor) -> Tensor:
        """Image features and ``[B, 1, H, W]`` mask to ``[B, out_channels, H, W]`` in [-1, 1]."""
        *skips, x = features
        labels = self.label(one_hot(mask))
        for number, stage in enumerate(self.up):
            x = interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
            x = stage(torch.cat([x, skips[-1 - number]], dim=1))
            if 1 <= number <= len(labels):
                x = torch.cat([x, labels[number - 1]], dim=1)
        return torch.tanh(at_least_float32(self.last(x)))

    def forward(self, image: Tensor, mask: Tensor, planes: Tensor | None = None) -> Tensor:
        """``[B, in_channels, H, W]`` in [-1, 1] and ``[B, 1, H, W]`` in {0, 1}; sides are multiples of 64.

        ``planes``, ``[B, 3, H, W]``, are N(0, 1); 0 where not given, and without effect on a network that has none.
        """
        return self.decode(self.encode(image, planes), mask)


class ConditionedUNet(Pix2PixGenerator):
    """The U-Net of pix2pix with image and mask as two input channels; what MetGen is compared with."""

    def __init__(self, *, ngf: int = 64, levels: int = 8):
        super().__init__(2, 1, ngf=ngf, levels=levels)

    @property
    def last_bias(self) -> Tensor:
        """What is added to the output before the tanh."""
        return self.up[-1].get_parameter("conv.bias")

    def forward(self, image: Tensor, mask: Tensor, noise: torch.Generator | None = None) -> Tensor:  # type: ignore[override]
        """As `MetGen`; dropout is active exactly when ``noise`` is given."""
        return super().forward(torch.cat([image, mask], dim=1), noise)
