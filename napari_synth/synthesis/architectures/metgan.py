"""MetGAN's generator, and the U-Net that it is compared with: an anatomy and a mask to the signal."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from napari_synth.core.recipe import Precision
from napari_synth.synthesis.architectures.record import Architecture
from napari_synth.synthesis.tiles import Tiled, blended_windows

if TYPE_CHECKING:
    import numpy as np

    from napari_synth.models.card import ModelCard
    from napari_synth.models.registry import TrainedModel
    from napari_synth.synthesis.live.follower import Follower
    from napari_synth.synthesis.network_io import ForwardRequest
    from napari_synth.synthesis.request import Steering

EDGE = 16
"""Pixels along the edge of a window that are not what they would be in a larger one."""


def forward(model: TrainedModel, request: ForwardRequest) -> np.ndarray:
    """Anatomy and mask, and noise planes by position in a network that has them."""
    from napari_synth.synthesis.cuda.drawings import METGAN as DRAWING
    from napari_synth.synthesis.cuda.drawings import metgan_is_drawn
    from napari_synth.synthesis.network_io import anatomy_features, mask_tensor, output_scale, signal_of

    if metgan_is_drawn(model, request):
        return DRAWING(model, request)
    features = anatomy_features.of(model, request.condition, request.seed, request.origin or (0, 0))
    return output_scale(model.card).from_network(signal_of(model, features, mask_tensor(model, request.labels)))


def unet_forward(model: TrainedModel, request: ForwardRequest) -> np.ndarray:
    """Anatomy and mask, dropout under the seed."""
    import torch

    from napari_synth.synthesis.network_io import as_pixels, dropout_noise, image_channel, mask_tensor, output_scale

    image = torch.from_numpy(image_channel(model.card, request.condition))[None, None].to(model.device)
    values = model.network(image, mask_tensor(model, request.labels).to(model.device), dropout_noise(request))
    return output_scale(model.card).from_network(as_pixels(values))


def follower(model: TrainedModel, limit: int, precision: Precision) -> Follower:
    """The anatomy is kept, the rest is computed again."""
    from napari_synth.synthesis.live.metgan import AnatomyFollower

    return AnatomyFollower(model, limit, precision, METGAN.whole_pixels)


def tiler(model: TrainedModel, request: ForwardRequest, steering: Steering) -> Tiled:
    """Blended windows; those of the publication's network as they always were, so that recipes keep their images."""
    return blended_windows(forward, model, request, steering, EDGE if built_with_noise(model.card) else 0)


def built_with_noise(card: ModelCard) -> bool:
    """Whether the network was built with noise planes, which those of the publication were not."""
    return bool(card.hyper.get("noise"))


METGAN = Architecture(forward=forward, tiler=tiler, follower=follower, has_noise=built_with_noise)
METGAN_UNET = Architecture(forward=unet_forward, tiler=partial(blended_windows, unet_forward))
