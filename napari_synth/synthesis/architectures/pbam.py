"""PBAM: physics-based appearance, computed from the card's hyper-parameters without a network."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_synth.synthesis.architectures.record import Architecture

if TYPE_CHECKING:
    import numpy as np

    from napari_synth.models.registry import TrainedModel
    from napari_synth.synthesis.network_io import ForwardRequest


def forward(model: TrainedModel, request: ForwardRequest) -> np.ndarray:
    """The image of axons, with noise under the seed."""
    from napari_synth.core.appearance import AppearanceSettings
    from napari_synth.datasets.axons import axon_image

    return axon_image(request.labels, AppearanceSettings.model_validate(model.card.hyper), request.seed)


PBAM = Architecture(forward=forward)
