"""Pix2pix, with an option plane beside the mask or without."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_synth.core.recipe import Precision
from napari_synth.synthesis.architectures.record import Architecture
from napari_synth.synthesis.tiles import Tiled, blended_windows, tiles_with_halo

if TYPE_CHECKING:
    import numpy as np

    from napari_synth.models.card import ModelCard
    from napari_synth.models.registry import TrainedModel
    from napari_synth.synthesis.live.follower import Follower
    from napari_synth.synthesis.network_io import ForwardRequest
    from napari_synth.synthesis.request import Steering


def forward(model: TrainedModel, request: ForwardRequest) -> np.ndarray:
    """Mask and option plane, noise planes and style where the network has them, dropout under the seed."""
    import torch

    from napari_synth.datasets.mask_encoding import from_network
    from napari_synth.synthesis.cuda.drawings import PIX2PIX as DRAWING
    from napari_synth.synthesis.cuda.drawings import pix2pix_is_drawn
    from napari_synth.synthesis.network_io import as_pixels, dropout_noise, mask_tensor, pix2pix_input

    if pix2pix_is_drawn(model, request):
        return DRAWING(model, request)
    plane, place = mask_tensor(model, request.labels), request.origin or (0, 0)
    x = pix2pix_input(model, plane, request.option, request.seed, request.style, place)
    x = x.to(model.device).contiguous(memory_format=torch.channels_last)
    return from_network(as_pixels(model.network(x, dropout_noise(request))), *model.card.network_range)


def follower(model: TrainedModel, limit: int, precision: Precision) -> Follower | None:
    """None where the norm takes its statistics from the image, so that every pixel depends on all others."""
    if model.card.hyper.get("norm", "batch") != "batch":
        return None
    from napari_synth.synthesis.live.pix2pix import UNetFollower

    return UNetFollower(model, limit, precision)


def tiler(model: TrainedModel, request: ForwardRequest, steering: Steering) -> Tiled:
    """Exact tiles where noise lies in planes; dropout is each window's own, and such windows are blended."""
    if not exact_tiles(model.card):
        return blended_windows(forward, model, request, steering)
    from napari_synth.nets.pix2pix import reach

    return tiles_with_halo(forward, model, request, steering, reach(int(model.card.hyper.get("levels", 8))))


def exact_tiles(card: ModelCard) -> bool:
    """Whether a pixel depends on the mask and the noise near it alone."""
    return bool(card.style_size) and card.hyper.get("norm", "batch") == "batch"


def has_noise(card: ModelCard) -> bool:
    """Whether the network has styles or dropout."""
    hyper = card.hyper
    inner = float(hyper.get("dropout", 0.5)) > 0 and int(hyper.get("dropout_blocks", 3)) > 0
    return bool(card.style_size) or inner or float(hyper.get("head_dropout", 0)) > 0


PIX2PIX = Architecture(forward=forward, tiler=tiler, follower=follower, has_noise=has_noise, exact_tiles=exact_tiles)
