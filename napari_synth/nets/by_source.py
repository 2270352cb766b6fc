"""A network that is told where its images come from: the parts that FS-Net puts before a shared U-Net."""

from __future__ import annotations

import torch
from torch import Tensor, nn

SOURCES = 2
FEATURES = 16


class BySource(nn.Module):
    """An entry of its own for each of two sources of images before one network for both.

    The image of a source lies in channels of its own, ``[image, 0]`` or ``[0, image]``; the entry is a 1×1
    convolution to features A, (C, pixels), and attention between its channels, X = softmax(A Aᵀ), E = Xᵀ A + A.
    Here A Aᵀ is divided by the number of pixels, so that crops and whole images are treated alike.

    Parameters
    ----------
    shared : nn.Module
        Takes `FEATURES` channels.
    channels : int
        Of an image.
    """

    def __init__(self, shared: nn.Module, channels: int = 3):
        super().__init__()
        self.entries = nn.ModuleList(nn.Conv2d(SOURCES * channels, FEATURES, 1) for _ in range(SOURCES))
        self.shared = shared

    def forward(self, images: Tensor, first: int | None = None) -> Tensor:
        """What the shared network says of ``images`` (B, C, Y, X), the ``first`` of the first source; None: all."""
        count = len(images) if first is None else first
        parts = (images[:count], images[count:])
        features = [self._entered(part, source) for source, part in enumerate(parts) if len(part)]
        found: Tensor = self.shared(torch.cat(features))
        return found

    def _entered(self, images: Tensor, source: int) -> Tensor:
        nothing = torch.zeros_like(images)
        coded = torch.cat((nothing, images) if source else (images, nothing), 1)
        a: Tensor = self.entries[source](coded)
        flat = a.flatten(2)
        attention = torch.softmax(flat @ flat.transpose(1, 2) / flat.shape[2], -1)
        return (attention.transpose(1, 2) @ flat + flat).view_as(a)
