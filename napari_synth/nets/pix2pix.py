"""Pix2pix U-Net generator with an optional appearance plane.

Sources: Isola et al. 2017 (pix2pix, arXiv:1611.07004) for the network, Sirinaovakul 2018
(Optional Pix2Pix) for the option plane. The input is ``[mask, option]``; plain pix2pix is the
case with ``in_channels=1``.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from napari_synth.nets.folding import folded
from napari_synth.nets.half_precision import at_least_float32
from napari_synth.nets.seeded_dropout import SeededDropout

UPSAMPLING = ("transposed", "resize")
NORMS = ("batch", "image", "instance", "none")


def encoder_widths(ngf: int, levels: int) -> list[int]:
    """Channels after each encoder level: ``ngf`` doubling up to ``8 * ngf``."""
    return [ngf * min(2**level, 8) for level in range(levels)]


def norm_layer(kind: str, channels: int) -> nn.Module:
    """A normalisation over height and width.

    ``'batch'`` renders with the statistics of the training; ``'image'`` is a BatchNorm that takes those
    of the images at hand, as code does that never switches to evaluation; ``'instance'`` is InstanceNorm
    without weights; ``'none'`` changes nothing.
    """
    if kind == "none":
        return nn.Identity()
    if kind == "instance":
        return nn.InstanceNorm2d(channels)
    return nn.BatchNorm2d(channels, track_running_stats=kind == "batch")


class DownBlock(nn.Module):
    """LeakyReLU 0.2 -> conv 4, stride 2 -> BatchNorm; halves the size.

    The outermost block has no activation before it, outermost and innermost have no norm.
    """

    def __init__(self, in_channels: int, out_channels: int, *, activate: bool, norm: str, bias: bool):
        super().__init__()
        self.activation = nn.LeakyReLU(0.2) if activate else nn.Identity()
        self.conv = nn.Conv2d(in_channels, out_channels, 4, 2, 1, bias=bias)
        self.norm = norm_layer(norm, out_channels)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.norm(self.conv(self.activation(x)))
        return out


class UpBlock(nn.Module):
    """ReLU -> doubling convolution -> BatchNorm -> dropout.

    ``upsampling='transposed'`` is the published transposed convolution 4, stride 2;
    ``'resize'`` is bilinear doubling and a 3x3 convolution, which has no preferred pixel phase
    and so leaves no grid (Odena et al. 2016).
    """

    def __init__(self, in_channels: int, out_channels: int, *, upsampling: str, norm: str, bias: bool, dropout: float):
        super().__init__()
        self.resize: nn.Module
        self.conv: nn.Conv2d | nn.ConvTranspose2d
        if upsampling == "transposed":
            self.resize = nn.Identity()
            self.conv = nn.ConvTranspose2d(in_channels, out_channels, 4, 2, 1, bias=bias)
        else:
            self.resize = nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False)
            self.conv = nn.Conv2d(in_channels, out_channels, 3, 1, 1, bias=bias)
        self.norm = norm_layer(norm, out_channels)
        self.dropout = SeededDropout(dropout)

    def forward(self, x: Tensor, noise: torch.Generator | None = None) -> Tensor:
        out: Tensor = self.dropout(self.norm(self.conv(self.resize(torch.relu(x)))), noise)
        return out


class FullSizeHead(nn.Module):
    """Two convolutions at full size, reading the input again, after the last resize.

    A bilinear doubling alone holds no detail finer than two pixels. Dropout here is noise without a
    lattice; dropout in an inner block sits on that block's coarse pixels and shows as a grid.
    """

    def __init__(self, in_channels: int, width: int, out_channels: int, dropout: float):
        super().__init__()
        self.detail = nn.Conv2d(in_channels + width, width, 3, 1, 1)
        self.dropout = SeededDropout(dropout)
        self.colour = nn.Conv2d(width, out_channels, 3, 1, 1)

    def forward(self, features: Tensor, inputs: Tensor, noise: torch.Generator | None = None) -> Tensor:
        detail = torch.relu(self.detail(torch.cat([torch.relu(features), inputs], dim=1)))
        image: Tensor = self.colour(self.dropout(detail, noise))
        return image


def repeatable_tanh(x: Tensor) -> Tensor:
    """Tanh from the sigmoid.

    On the CPU torch hands tanh to a vector library whose two threads, at its first call in a process,
    now and then give values that differ by up to 8e-6 from all later calls; the sigmoid is torch's own.
    """
    return 2 * torch.sigmoid(2 * at_least_float32(x)) - 1


class Pix2PixGenerator(nn.Module):
    """U-Net generator of pix2pix.

    Parameters
    ----------
    in_channels : int
        1 for a mask alone, 2 for ``[mask, option plane]``.
    out_channels : int
        Image channels.
    ngf : int
        Channels after the first level; the published network has 64.
    levels : int
        Halvings; 8 in the published network. Height and width must be multiples of ``2**levels``.
    upsampling : {'transposed', 'resize'}
        See `UpBlock`; ``'resize'`` also adds a `FullSizeHead`.
    dropout : float
        Probability in the decoder's inner blocks. Dropout is the network's only noise.
    dropout_blocks : int
        How many decoder blocks, counted from the bottleneck, have dropout; 3 as published.
    dropout_first : int
        The first of them; in the widely used PyTorch pix2pix the innermost block has none.
    head_dropout : float
        Probability in the `FullSizeHead`.
    bias : bool
        Bias beside the norm, as the thesis' code has it. The last layer always has one.
    norm : {'batch', 'image', 'instance', 'none'}
        See `norm_layer`.

    Raises
    ------
    ValueError
        If ``upsampling`` or ``norm`` is unknown, or ``levels`` is below 2.

    Notes
    -----
    With ``in_channels=1, out_channels=1`` and defaults the network has 54 407 809 parameters,
    with ``in_channels=2, out_channels=3, bias=True`` 54 418 435.
    """

    def __init__(
        self,
        in_channels: int = 2,
        out_channels: int = 3,
        *,
        ngf: int = 64,
        levels: int = 8,
        upsampling: str = "transposed",
        dropout: float = 0.5,
        dropout_blocks: int = 3,
        dropout_first: int = 0,
        head_dropout: float = 0.0,
        bias: bool = False,
        norm: str = "batch",
    ):
        super().__init__()
        if norm not in NORMS:
            raise ValueError(f"norm must be one of {NORMS}, not {norm!r}")
        if upsampling not in UPSAMPLING:
            raise ValueError(f"upsampling must be one of {UPSAMPLING}, not {upsampling!r}")
        if levels < 2:
            raise ValueError(f"levels must be at least 2, not {levels}")
        widths = encoder_widths(ngf, levels)
        resize = upsampling == "resize"
        self.levels = levels
        self.down = nn.ModuleList(
            DownBlock(
                widths[i - 1] if i else in_channels,
                widths[i],
                activate=i > 0,
                norm=norm if 0 < i < levels - 1 else "none",
                bias=bias,
            )
            for i in range(levels)
        )
        # Decoder block k undoes encoder level (levels - 1 - k); all but the first also read a skip.
        self.up = nn.ModuleList()
        for k, level in enumerate(reversed(range(levels))):
            last = level == 0
            inner_width = widths[level - 1] if not last else ngf // 2 if resize else out_channels
            self.up.append(
                UpBlock(
                    widths[level] * (1 if k == 0 else 2),
                    inner_width,
                    upsampling=upsampling,
                    norm=norm if not last or resize else "none",
                    bias=bias or (last and not resize),
                    dropout=dropout if 0 <= k - dropout_first < dropout_blocks and not last else 0.0,
                )
            )
        self.head = FullSizeHead(in_channels, ngf // 2, out_channels, head_dropout) if resize else None

    @torch.no_grad()
    def fold_norms(self) -> None:
        """Fold the norms of a trained network into its convolutions: the same output up to rounding, for rendering."""
        self.eval()
        for block in (*self.down, *self.up):
            if isinstance(block.norm, nn.BatchNorm2d) and block.norm.track_running_stats:
                block.conv, block.norm = folded(nn.Sequential(block.conv, block.norm)), nn.Identity()

    def forward(self, inputs: Tensor, noise: torch.Generator | None = None) -> Tensor:
        """``[B, in_channels, H, W]`` to ``[B, out_channels, H, W]`` in [-1, 1].

        Dropout is active exactly when ``noise`` is given.
        """
        x = inputs
        skips = []
        for block in self.down:
            x = block(x)
            skips.append(x)
        x = self.up[0](skips.pop(), noise)
        for block in self.up[1:]:
            x = block(torch.cat([x, skips.pop()], dim=1), noise)
        if self.head is not None:
            x = self.head(x, inputs, noise)
        return repeatable_tanh(x)


def reach(levels: int) -> int:
    """Pixels around a pixel on each side beyond which no input changes it, rendering with ``norm='batch'``.

    The head reads 2; each level inwards one pixel of its bilinear doubling and one of its convolution, and each
    level outwards, of four-pixel kernels at every second pixel, doubles that and adds 2.
    """
    radius = 2
    for _ in range(levels):
        radius = (radius + 2) // 2 + 1
    for _ in range(levels):
        radius = 2 * radius + 2
    return radius


def option_plane(index: Tensor, n_options: int, height: int, width: int) -> Tensor:
    """Constant plane ``(k + 1) / K`` for each option index.

    Parameters
    ----------
    index : Tensor, shape (B,)
        Option numbers, 0-based; fractions interpolate between neighbours.
    n_options : int
        K.
    height, width : int
        Size of the plane in pixels.

    Returns
    -------
    Tensor, shape (B, 1, height, width), float32
    """
    value = (index.to(torch.float32) + 1) / n_options
    return value[:, None, None, None].expand(-1, 1, height, width)
