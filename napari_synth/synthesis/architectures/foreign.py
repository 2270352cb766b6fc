"""A network of somebody else, with the axes and ranges that its card declares."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from napari_synth.synthesis.architectures.record import Architecture
from napari_synth.synthesis.tiles import Tiled, blended_windows

if TYPE_CHECKING:
    import numpy as np

    from napari_synth.models.registry import TrainedModel
    from napari_synth.synthesis.network_io import ForwardRequest
    from napari_synth.synthesis.request import Steering


def forward(model: TrainedModel, request: ForwardRequest) -> np.ndarray:
    """The image; where the program reads one size only, from windows of that size."""
    from napari_synth.datasets.mask_encoding import from_network
    from napari_synth.nets.foreign import ForeignProgram
    from napari_synth.synthesis.network_io import as_pixels, dropout_noise, mask_tensor, network_of
    from napari_synth.synthesis.request import Steering

    network = network_of(model, ForeignProgram)
    if network.side and request.labels.shape != (network.side, network.side):
        return blended_windows(forward, model, request, Steering(tile=network.side)).image
    noise = dropout_noise(request)
    seed = None if noise is None else noise.initial_seed()
    values = network(mask_tensor(model, request.labels).to(model.device), seed)
    return from_network(as_pixels(values), *model.card.network_range)


def tiler(model: TrainedModel, request: ForwardRequest, steering: Steering) -> Tiled:
    """Windows, of the one size where there is one."""
    side = int(model.card.hyper.get("side", 0))
    return blended_windows(forward, model, request, replace(steering, tile=side) if side else steering)


FOREIGN = Architecture(forward=forward, tiler=tiler)
