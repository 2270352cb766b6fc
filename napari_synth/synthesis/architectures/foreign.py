"""A network of somebody else, with the axes and ranges that its card declares."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from napari_synth.synthesis.architectures.record import Architecture
from napari_synth.synthesis.tiles import blended_windows

if TYPE_CHECKING:
    import numpy as np

    from napari_synth.models.registry import TrainedModel
    from napari_synth.synthesis.network_io import ForwardRequest


def forward(model: TrainedModel, request: ForwardRequest) -> np.ndarray:
    """The image; where the program reads one size only, from windows of that size."""
    from napari_synth.datasets.mask_encoding import from_network
    from napari_synth.nets.foreign import ForeignProgram
    from napari_synth.synthesis.network_io import as_pixels, mask_tensor, network_of
    from napari_synth.synthesis.request import Steering

    network = network_of(model, ForeignProgram)
    if network.side and request.labels.shape != (network.side, network.side):
        return blended_windows(forward, model, request, Steering(tile=network.side)).image
    values = network(mask_tensor(model, request.labels).to(model.device), request.seed)
    return from_network(as_pixels(values), *model.card.network_range)


FOREIGN = Architecture(forward=forward, tiler=partial(blended_windows, forward))
