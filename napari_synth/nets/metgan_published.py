"""MetGAN's generator as its authors' program has it, which differs from the publication.

The second features of the label join before their SPADE block, not after it; images are enlarged with
aligned corners; and the norms of the image path have another epsilon.
"""

from __future__ import annotations

import torch
from monai.networks.blocks.spade_norm import SPADE as SpadeNorm
from torch import Tensor, nn
from torch.nn.functional import interpolate
from torch.nn.utils.parametrize import is_parametrized, remove_parametrizations

from napari_synth.nets.half_precision import at_least_float32
from napari_synth.nets.metgan import DECODER, ENCODER, HIDDEN, SPADE, MetGen
from napari_synth.nets.spade import LabelPath, one_hot

EPSILON = 1e-4
NGF = 8
NORMS = ("batch", "image")


def norm_of(channels: int, norm: str, eps: float = 1e-5, affine: bool = True) -> nn.BatchNorm2d:
    """A BatchNorm with the statistics of the training (``'batch'``) or of the image at hand (``'image'``)."""
    return nn.BatchNorm2d(channels, eps=eps, affine=affine, track_running_stats=norm == "batch")


def conv_unit(in_channels: int, out_channels: int, norm: str) -> nn.Sequential:
    """Conv 3 -> norm -> ReLU."""
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, 3, padding=1, bias=False),
        norm_of(out_channels, norm, eps=EPSILON),
        nn.ReLU(),
    )


def conv_units(in_channels: int, out_channels: int, count: int, norm: str) -> nn.Sequential:
    """``count`` units, the first of which changes the channels."""
    return nn.Sequential(
        *(conv_unit(in_channels if i == 0 else out_channels, out_channels, norm) for i in range(count))
    )


class PublishedMetGen(MetGen):
    """Image and label to the other channel, as `MetGen`.

    Parameters
    ----------
    norm : {'batch', 'image'}
        Whether all norms take the statistics of the training, or of the image at hand as the authors'
        program does when it is not told to evaluate. Then sides are multiples of 128.
    width : float
        Factor on the channels of the image path; 1 as published.
    ngf : int
        Unit of the channels of the label path; 8 as published.
    hidden : int
        Channels between the label and its scale and shift; 128 as published.

    Kernels are those of the file divided by their spectral norms: this network is for rendering only.

    Raises
    ------
    ValueError
        If ``norm`` is unknown.
    """

    def __init__(self, *, norm: str = "batch", width: float = 1.0, ngf: int = 8, hidden: int = HIDDEN):
        nn.Module.__init__(self)
        if norm not in NORMS:
            raise ValueError(f"norm must be one of {NORMS}, not {norm!r}")
        self.norm, self.noise = norm, False
        encoder, decoder = ([round(channels * width) for channels in widths] for widths in (ENCODER, DECODER))
        spade = [channels * ngf // NGF for channels in SPADE[:6]]
        joined = [0, spade[2], spade[2], *spade[4:], 0]
        self.down = nn.ModuleList(
            conv_units(before, after, 2, norm) for before, after in zip([1, *encoder[:-1]], encoder, strict=True)
        )
        self.centre = conv_unit(encoder[-1], encoder[-1], norm)
        before = [encoder[-1], *(stage + label for stage, label in zip(decoder, joined, strict=True))]
        self.up = nn.ModuleList(
            conv_units(before[i] + skip, decoder[i], 3, norm) for i, skip in enumerate(reversed(encoder))
        )
        self.label = LabelPath(spade, hidden=hidden)
        for module in list(self.label.modules()):
            if isinstance(module, SpadeNorm):
                module.param_free_norm = norm_of(module.param_free_norm.num_features, norm, affine=False)
            if is_parametrized(module):
                remove_parametrizations(module, "weight")
        self.last = nn.Conv2d(decoder[-1], 1, 1)

    def settle(self) -> None:
        """As `MetGen.settle`; norms that look at the image stay."""
        if self.norm == "batch":
            super().settle()
        self.eval()

    def decode(self, features: list[Tensor], mask: Tensor) -> Tensor:
        """Image features and ``[B, 1, H, W]`` mask to ``[B, 1, H, W]`` in [-1, 1]."""
        *skips, x = features
        labels = self.label(one_hot(mask))
        labels[1] = interpolate(labels[0], scale_factor=2, mode="nearest")
        for number, stage in enumerate(self.up):
            x = interpolate(x, scale_factor=2, mode="bilinear", align_corners=True)
            x = stage(torch.cat([x, skips[-1 - number]], dim=1))
            if 1 <= number <= len(labels):
                x = torch.cat([x, labels[number - 1]], dim=1)
        return torch.tanh(at_least_float32(self.last(x)))
