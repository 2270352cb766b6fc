"""Pix2pix, with an option plane beside the mask or without."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from napari_synth.core.recipe import Precision
from napari_synth.synthesis.architectures.record import Architecture
from napari_synth.synthesis.tiles import blended_windows

if TYPE_CHECKING:
    import numpy as np

    from napari_synth.models.registry import TrainedModel
    from napari_synth.synthesis.live.follower import Follower
    from napari_synth.synthesis.network_io import ForwardRequest


def forward(model: TrainedModel, request: ForwardRequest) -> np.ndarray:
    """Mask and option plane, dropout under the seed."""
    import torch

    from napari_synth.datasets.mask_encoding import from_network
    from napari_synth.synthesis.network_io import as_pixels, dropout_noise, mask_tensor, option_channel

    x = option_channel(model, mask_tensor(model, request.labels), request.option)
    x = x.to(model.device).contiguous(memory_format=torch.channels_last)
    return from_network(as_pixels(model.network(x, dropout_noise(request))), *model.card.network_range)


def follower(model: TrainedModel, limit: int, precision: Precision) -> Follower | None:
    """None where the norm takes its statistics from the image, so that every pixel depends on all others."""
    if model.card.hyper.get("norm", "batch") != "batch":
        return None
    from napari_synth.synthesis.live.pix2pix import UNetFollower

    return UNetFollower(model, limit, precision)


PIX2PIX = Architecture(forward=forward, tiler=partial(blended_windows, forward), follower=follower)
