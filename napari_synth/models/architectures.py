"""Architectures by name: how the hyper-parameters of a card become a torch module.

A new one is a function here and a line in `ARCHITECTURES`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from napari_synth.core.registry import Registry

if TYPE_CHECKING:
    from torch import nn


def _pix2pix(**hyper: Any) -> nn.Module:
    from napari_synth.nets.pix2pix import Pix2PixGenerator
    from napari_synth.nets.styled import StyledPix2Pix

    if "style_size" in hyper:
        return StyledPix2Pix(**hyper)
    return Pix2PixGenerator(**hyper)


def _pix2pix_resnet(**hyper: Any) -> nn.Module:
    from napari_synth.nets.pix2pix_resnet import Pix2PixResNet

    return Pix2PixResNet(**hyper)


def _capspix2pix(**hyper: Any) -> nn.Module:
    from napari_synth.nets.capspix2pix import CapsPix2PixGenerator

    return CapsPix2PixGenerator(**hyper)


def _metgan(**hyper: Any) -> nn.Module:
    from napari_synth.nets.metgan import MetGen

    return MetGen(**hyper)


def _metgan_published(**hyper: Any) -> nn.Module:
    from napari_synth.nets.metgan_published import PublishedMetGen

    return PublishedMetGen(**hyper)


def _metgan_unet(**hyper: Any) -> nn.Module:
    from napari_synth.nets.metgan import ConditionedUNet

    return ConditionedUNet(**hyper)


def _dvae(**hyper: Any) -> nn.Module:
    from napari_synth.nets.dvae import DVAE

    return DVAE(**hyper)


def _ising(**hyper: Any) -> nn.Module:
    from napari_synth.nets.ising import IsingGenerator

    return IsingGenerator(**hyper)


def _unet(**hyper: Any) -> nn.Module:
    from napari_synth.nets.unet import segmentation_unet

    return segmentation_unet(**hyper)


def _plain_unet(**hyper: Any) -> nn.Module:
    from napari_synth.nets.unet import PlainUNet

    return PlainUNet(**hyper)


def _foreign(**hyper: Any) -> nn.Module:
    from napari_synth.nets.foreign import ForeignProgram

    return ForeignProgram(**hyper)


def _pbam(**_: Any) -> nn.Module:
    from torch import nn

    return nn.Identity()  # it computes from its settings and has nothing to train


def _signal_unet(**hyper: Any) -> nn.Module:
    from napari_synth.nets.unet import signal_unet

    return signal_unet(**hyper)


ARCHITECTURES: Registry[Callable[..., nn.Module]] = Registry(
    "architecture",
    {
        "optional-pix2pix": _pix2pix,
        "pix2pix": _pix2pix,
        "pix2pix-resnet": _pix2pix_resnet,
        "capspix2pix": _capspix2pix,
        "pbam": _pbam,
        "metgan": _metgan,
        "metgan-published": _metgan_published,
        "metgan-unet": _metgan_unet,
        "foreign": _foreign,
        "dvae": _dvae,
        "ising-gan": _ising,
        "unet": _unet,
        "plain-unet": _plain_unet,
        "signal-unet": _signal_unet,
    },
)


def build(architecture: str, **hyper: Any) -> nn.Module:
    """An untrained network of a registered architecture."""
    return ARCHITECTURES[architecture](**hyper)
