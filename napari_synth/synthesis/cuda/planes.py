"""What networks read, made on the device: the same numbers as `datasets.mask_encoding` and `synthesis.network_io` give.

None of these functions waits for the device.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn.functional import pad

from napari_synth.synthesis.cuda.arrays import Drawn

if TYPE_CHECKING:
    from napari_synth.core.intensity import Intensity


def mask_channel(labels: Tensor, meaning: str) -> Tensor:
    """`mask_encoding.mask_plane` of labels ``(H, W)`` int32, as ``[1, 1, H, W]`` float32."""
    plane = labels > 0
    if meaning == "foreground-gap":
        plane = plane & (_highest_around(labels) <= labels)
    values = plane.float()
    return (2 * values - 1 if meaning == "foreground-signed" else values)[None, None]


def _highest_around(labels: Tensor) -> Tensor:
    """The highest label among a pixel and its eight neighbours."""
    for axis in (0, 1):
        size = labels.shape[axis]
        beside = pad(labels, (0, 0, 1, 1) if axis == 0 else (1, 1))  # labels are not negative
        parts = [beside.narrow(axis, start, size) for start in range(3)]
        labels = torch.maximum(torch.maximum(parts[0], parts[1]), parts[2])
    return labels


def drawn_in_bytes(values: Tensor, black: float, white: float) -> Drawn:
    """`mask_encoding.from_network` of ``[1, C, H, W]``: ``(H, W)`` or ``(H, W, C)`` uint8."""
    pixels = values[0].permute(1, 2, 0).float()
    grey = ((pixels - black) * (255 / (white - black))).clamp(0, 255).round().to(torch.uint8)
    return Drawn(grey[..., 0].contiguous() if grey.shape[-1] == 1 else grey.contiguous(), _finite(values))


def drawn_in_grey_values(values: Tensor, scale: Intensity) -> Drawn:
    """`Intensity.from_network` of ``[1, 1, H, W]``: ``(H, W)`` in the dtype of the scale."""
    grey = (values[0, 0].double() + 1) / 2 * (scale.high - scale.low) + scale.low
    if scale.dtype.startswith("float"):
        return Drawn(grey.to(getattr(torch, scale.dtype)), _finite(values))
    bits = torch.iinfo(getattr(torch, scale.dtype))
    whole = grey.round().clamp(bits.min, bits.max).to(torch.int32)
    stored = torch.uint8 if scale.dtype == "uint8" else torch.int8 if scale.dtype == "int8" else torch.int16
    if scale.dtype == "uint16":
        whole = torch.where(whole > 32767, whole - 65536, whole)
    return Drawn(whole.to(stored), _finite(values))


def anatomy_channel(image: Tensor, scale: Intensity) -> Tensor:
    """`Intensity.to_network` of ``(H, W)`` grey values, 16 bit without sign as int16: ``[1, 1, H, W]`` float32."""
    values = image.to(torch.int32) & 0xFFFF if scale.dtype == "uint16" else image
    share = (values.to(torch.float32) - scale.low) / (scale.high - scale.low)
    return (2 * share.clamp(0, 1) - 1)[None, None]


def _finite(values: Tensor) -> Tensor:
    return values.sum().isfinite()
