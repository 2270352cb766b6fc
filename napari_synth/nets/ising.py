"""Ising-GAN: an image and its mask together from noise; the mask is kept smooth by an Ising term.

Generator and discriminator with two branches, with or without residual blocks (Ising-ResGAN), and the
measures of a mask's smoothness.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import pad
from torch.nn.utils.parametrizations import spectral_norm

from napari_synth.nets.pix2pix import repeatable_tanh

SHARED = 32
"""Side of the features that both branches start from."""
IMAGE_CHANNELS = 3
NOISE_STRENGTH = 0.1
"""Of the noise in a channel before training."""
PATCH_LAYERS = (3, 4, 5)
"""Convolutions of the discriminator after which it also judges patches, of 29, 61 and 125 pixels."""
GROUP = 4
"""Samples whose variety the discriminator sees; they are neighbours in the batch and of one look."""


def halvings(size: int) -> int:
    """How often ``size`` can be halved down to 2 pixels.

    Raises
    ------
    ValueError
        If it is no power of two of at least 64.
    """
    steps = size.bit_length() - 2
    if size < 2 * SHARED or size != 2 << steps:
        raise ValueError(f"the size of the pairs must be 64, 128, 256 and so on, not {size}")
    return steps


class Doubling(nn.Module):
    """Convolution that doubles the size, BatchNorm, LeakyReLU 0.2; residual: plus two convolutions 3 beside it.

    Parameters
    ----------
    in_channels, out_channels : int
    upsampling : {'transposed', 'resize'}
        The published transposed convolution 4, stride 2, or bilinear doubling and a convolution 3, which
        leaves no grid.
    residual : bool
    last : bool
        The output layer: neither norm nor activation, and no norm at the end of the residual.
    noise : bool
        A plane of noise is added after the convolution, in each channel as strongly as it has learned
        (Karras et al. 2019). Not in the publication.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        upsampling: str,
        residual: bool,
        last: bool = False,
        noise: bool = False,
    ):
        super().__init__()
        self.strength = nn.Parameter(torch.full((out_channels, 1, 1), NOISE_STRENGTH)) if noise else None
        if upsampling == "transposed":
            self.resize: nn.Module = nn.Identity()
            self.conv: nn.Module = nn.ConvTranspose2d(in_channels, out_channels, 4, 2, 1, bias=last)
        else:
            self.resize = nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False)
            self.conv = nn.Conv2d(in_channels, out_channels, 3, 1, 1, bias=last)
        self.norm = nn.Identity() if last else nn.BatchNorm2d(out_channels)
        self.activation = nn.Identity() if last else nn.LeakyReLU(0.2)
        self.residual: nn.Module | None = None
        if residual:
            self.residual = nn.Sequential(
                nn.Conv2d(out_channels, out_channels, 3, 1, 1, bias=False),
                nn.BatchNorm2d(out_channels),
                nn.LeakyReLU(0.2),
                nn.Conv2d(out_channels, out_channels, 3, 1, 1, bias=last),
                nn.Identity() if last else nn.BatchNorm2d(out_channels),
            )

    def forward(self, x: Tensor, plane: Tensor | None = None) -> Tensor:
        """``[B, in, H, W]`` and a plane of N(0, 1), ``[B, 1, 2 H, 2 W]``, to ``[B, out, 2 H, 2 W]``."""
        x = self.conv(self.resize(x))
        if self.strength is not None and plane is not None:
            x = x + self.strength * plane
        x = self.activation(self.norm(x))
        return x if self.residual is None else self.activation(x + self.residual(x))


def branch(
    size: int, width: int, out_channels: int, *, upsampling: str, residual: bool, noise: bool = False
) -> nn.Sequential:
    """From the shared features to an output of full size, before the tanh.

    Published: every stage doubles, the last one to the output channels. With ``upsampling='resize'`` the
    last doubling keeps its width and a convolution 3 at full size makes the output of it, since a bilinear
    doubling alone holds no detail finer than two pixels.
    """
    stages = halvings(size) - halvings(2 * SHARED) + 1
    widths = [width, *(max(width >> stage, 1) for stage in range(stages))]
    head = upsampling == "resize"
    blocks: list[nn.Module] = []
    for stage in range(stages):
        last = stage == stages - 1 and not head
        out = out_channels if last else widths[stage + 1]
        how: dict[str, Any] = {"upsampling": upsampling, "residual": residual, "noise": noise}
        blocks.append(Doubling(widths[stage], out, last=last, **how))
    if head:
        blocks.append(nn.Conv2d(widths[-1], out_channels, 3, 1, 1))
    return nn.Sequential(*blocks)


class IsingGenerator(nn.Module):
    """Generator of Ising-GAN and Ising-ResGAN: noise to ``[B, 4, size, size]``, image and mask in (-1, 1).

    A fully-connected layer to 8 ``width`` channels of 4x4, three doublings to 32x32 and ``width``
    channels, then two branches that share no weights. 3,772,676 parameters as published (256 pixels, no
    residual), 3.96 million with residual.

    Parameters
    ----------
    size : int
        Side of the pair in pixels: 64, 128, 256, ...
    latent_size : int
        Length of z, uniform in [-1, 1].
    looks : int
        With several, the number of the look goes in beside z; the published network has one.
    width : int
        Channels of the shared features.
    residual : bool
        Residual blocks in the branches (Ising-ResGAN).
    upsampling : {'transposed', 'resize'}
        See `Doubling` and `branch`.
    noise : bool
        Planes of noise in the image branch, for the grain that 100 numbers cannot hold; see `Doubling`.

    Attributes
    ----------
    noise_sides : tuple of int
        Sides of the planes of noise that `forward` takes.
    """

    def __init__(
        self,
        size: int = 256,
        latent_size: int = 100,
        looks: int = 1,
        width: int = 64,
        residual: bool = True,
        upsampling: str = "transposed",
        noise: bool = False,
    ):
        super().__init__()
        self.noise_sides = tuple(2 * SHARED << stage for stage in range(halvings(size) - 4)) if noise else ()
        self.looks = looks
        self.latent_size = latent_size
        how: dict[str, Any] = {"upsampling": upsampling, "residual": residual}
        self.widest = 8 * width
        self.enter = nn.Linear(latent_size + (looks if looks > 1 else 0), self.widest * 16, bias=False)
        self.norm = nn.BatchNorm2d(self.widest)
        self.activation = nn.LeakyReLU(0.2)
        self.trunk = nn.Sequential(
            *(
                Doubling(self.widest >> step, self.widest >> (step + 1), upsampling=upsampling, residual=False)
                for step in range(3)
            )
        )
        self.image = branch(size, width, IMAGE_CHANNELS, noise=noise, **how)
        self.mask = branch(size, width, 1, **how)

    def forward(self, z: Tensor, numbers: Tensor | None = None, planes: list[Tensor] | None = None) -> Tensor:
        """Pairs of codes.

        Parameters
        ----------
        z : Tensor, shape (B, latent_size), in [-1, 1]
        numbers : Tensor, shape (B,), int64, optional
            Look of each; needed where there are several.
        planes : list of Tensor, shape (B, 1, side, side), optional
            N(0, 1), one for each of `noise_sides`; without them there is no noise.
        """
        shared = self.shared(z, numbers)
        return torch.cat([self.image_of(shared, planes), self.mask_of(shared)], dim=1)

    def shared(self, z: Tensor, numbers: Tensor | None = None) -> Tensor:
        """What both branches start from, ``(B, width, 32, 32)``; parameters as `forward`."""
        if self.looks > 1:
            if numbers is None:
                raise ValueError("a network of several looks needs the number of the look")
            look = torch.arange(self.looks, device=z.device) == numbers[:, None]
            z = torch.cat([z, look.to(z)], dim=1)
        x = self.enter(z).reshape(-1, self.widest, 4, 4).contiguous(memory_format=torch.channels_last)
        features: Tensor = self.trunk(self.activation(self.norm(x)))
        return features

    def image_of(self, shared: Tensor, planes: list[Tensor] | None = None) -> Tensor:
        """The image in (-1, 1), ``(B, 3, size, size)``."""
        image = shared
        for number, block in enumerate(self.image):
            image = block(image, planes[number]) if planes and isinstance(block, Doubling) else block(image)
        return repeatable_tanh(image)

    def mask_of(self, shared: Tensor) -> Tensor:
        """The mask in (-1, 1), ``(B, 1, size, size)``."""
        return repeatable_tanh(self.mask(shared))


class IsingDiscriminator(nn.Module):
    """Sees image and mask as four channels: convolutions 5, stride 2, down to 2x2, mean, one logit.

    Seven of them for 256 pixels, with widths 1, 2, 4, 8, 16, 16, 16 times ``width``; norm on all but the
    first, LeakyReLU 0.2. 17.47 million parameters with ``width=32``.

    Parameters
    ----------
    size : int
    width : int
    looks : int
        One output per look, of which that of the sample counts.
    modern : bool
        Spectral norm on every layer beside BatchNorm (Liu et al. 2021, for few images), verdicts on patches
        too (`PATCH_LAYERS`), and how much the samples of a group differ as one more feature of the last but
        one layer.
    """

    def __init__(self, size: int = 256, width: int = 32, looks: int = 1, modern: bool = False):
        super().__init__()
        self.modern = modern
        normed = spectral_norm if modern else nn.Identity()
        depth = halvings(size)
        widths = [IMAGE_CHANNELS + 1, *(width * min(2**layer, 16) for layer in range(depth))]
        self.layers = nn.ModuleList()
        for layer in range(depth):
            into = widths[layer] + (1 if modern and layer == depth - 1 else 0)
            plain = layer == 0
            self.layers.append(
                nn.Sequential(
                    normed(nn.Conv2d(into, widths[layer + 1], 5, 2, 2, bias=plain)),
                    nn.Identity() if plain else nn.BatchNorm2d(widths[layer + 1]),
                    nn.LeakyReLU(0.2),
                )
            )
        judged = [layer for layer in PATCH_LAYERS if layer < depth] if modern else []
        self.patches = nn.ModuleDict({str(layer): normed(nn.Conv2d(widths[layer], looks, 1)) for layer in judged})
        self.decide = normed(nn.Linear(widths[-1], looks))

    def forward(self, pairs: Tensor, numbers: Tensor) -> list[Tensor]:
        """Logits ``(B, ...)``: of the whole, then of patches."""
        x = pairs.contiguous(memory_format=torch.channels_last)
        chosen = torch.arange(len(x), device=x.device), numbers
        verdicts = []
        for number, layer in enumerate(self.layers, 1):
            if self.modern and number == len(self.layers):
                x = torch.cat([x, variety(x)], dim=1)
            x = layer(x)
            if str(number) in self.patches:
                verdicts.append(self.patches[str(number)](x)[chosen])
        return [self.decide(x.mean((2, 3)))[chosen], *verdicts]


def variety(x: Tensor) -> Tensor:
    """Mean standard deviation over the samples of each group, as a plane ``(B, 1, H, W)`` (Karras et al. 2018)."""
    group = GROUP if len(x) % GROUP == 0 else len(x)
    grouped = x.float().unflatten(0, (-1, group))
    spread = (grouped.var(1, unbiased=False) + 1e-8).sqrt().mean((1, 2, 3))
    plane: Tensor = spread.repeat_interleave(group)[:, None, None, None].expand(-1, 1, *x.shape[2:]).to(x.dtype)
    return plane


def laplacian(masks: Tensor) -> Tensor:
    """Mean ``|4 m - sum of its four neighbours|`` of masks ``(B, 1, H, W)``; the rim continues outwards.

    Summed over the pixels of a binary mask of -1 and 1 it is twice the Ising energy, the number of ordered
    pairs of neighbours that differ. In between it is lower the softer an edge is.
    """
    m = pad(masks, (1, 1, 1, 1), mode="replicate")
    around = m[..., :-2, 1:-1] + m[..., 2:, 1:-1] + m[..., 1:-1, :-2] + m[..., 1:-1, 2:]
    return (4 * masks - around).abs().mean()


def total_variation(masks: Tensor) -> Tensor:
    """The same value as `laplacian` on binary masks; a soft edge costs as much as a hard one."""
    down = (masks[..., 1:, :] - masks[..., :-1, :]).abs().sum()
    right = (masks[..., :, 1:] - masks[..., :, :-1]).abs().sum()
    return 2 * (down + right) / masks.numel()


def indecision(masks: Tensor) -> Tensor:
    """Mean ``1 - m²``: 0 for a mask of -1 and 1, 1 for a grey one."""
    return (1 - masks.square()).mean()


SMOOTHNESS = {"laplacian": laplacian, "tv": total_variation}
