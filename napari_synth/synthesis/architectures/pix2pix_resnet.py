"""The ResNet generator of pix2pix."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from napari_synth.synthesis.architectures.record import Architecture
from napari_synth.synthesis.tiles import blended_windows

if TYPE_CHECKING:
    import numpy as np

    from napari_synth.models.card import ModelCard
    from napari_synth.models.registry import TrainedModel
    from napari_synth.synthesis.network_io import ForwardRequest


def forward(model: TrainedModel, request: ForwardRequest) -> np.ndarray:
    """The mask in all channels that the network reads, dropout under the seed."""
    import torch

    from napari_synth.datasets.mask_encoding import from_network
    from napari_synth.synthesis.network_io import as_pixels, dropout_noise, mask_tensor

    x = mask_tensor(model, request.labels).expand(-1, int(model.card.hyper["in_channels"]), -1, -1)
    x = x.to(model.device).contiguous(memory_format=torch.channels_last)
    return from_network(as_pixels(model.network(x, dropout_noise(request))), *model.card.network_range)


def has_noise(card: ModelCard) -> bool:
    """Whether the network has dropout."""
    return float(card.hyper.get("dropout", 0)) > 0


PIX2PIX_RESNET = Architecture(forward=forward, tiler=partial(blended_windows, forward), has_noise=has_noise)
