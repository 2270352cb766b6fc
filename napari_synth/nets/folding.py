"""A trained network rearranged for use: the same function, up to rounding."""

from __future__ import annotations

from typing import TypeVar

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

Network = TypeVar("Network", bound=nn.Module)


def folded(unit: nn.Sequential) -> nn.Module:
    """The convolution that begins a unit with the BatchNorm after it folded in, in eval mode.

    Raises
    ------
    TypeError
        If the unit does not begin with a convolution and a BatchNorm.
    """
    convolution, norm = unit[0], unit[1]
    if not isinstance(convolution, nn.Conv2d | nn.ConvTranspose2d) or not isinstance(norm, nn.BatchNorm2d):
        raise TypeError(f"a convolution and a BatchNorm2d are needed, not {convolution} and {norm}")
    return fuse_conv_bn_eval(convolution, norm, transpose=isinstance(convolution, nn.ConvTranspose2d))


def channels_last(network: Network) -> Network:
    """The network itself, with kernels in the memory order that convolutions are fastest in."""
    return network.to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]
