"""CapsPix2Pix: a mask and a latent vector through capsules."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_synth.core.recipe import Precision
from napari_synth.nets.capsule_stages import STAGES
from napari_synth.synthesis.architectures.record import Architecture
from napari_synth.synthesis.tiles import Tiled, tiles_with_halo

if TYPE_CHECKING:
    import numpy as np

    from napari_synth.models.registry import TrainedModel
    from napari_synth.synthesis.live.follower import Follower
    from napari_synth.synthesis.network_io import ForwardRequest
    from napari_synth.synthesis.request import Steering

REACH = 70
"""How far a pixel sees."""


def forward(model: TrainedModel, request: ForwardRequest) -> np.ndarray:
    """Mask and latent vector; there is no other noise."""
    import torch

    from napari_synth.synthesis.cuda.drawing import on_gpu
    from napari_synth.synthesis.network_io import finite, mask_tensor

    if on_gpu(model, request):
        from napari_synth.synthesis.cuda.drawings import CAPSULES

        return CAPSULES(model, request)
    plane, latent = mask_tensor(model, request.labels), torch.from_numpy(request.z)[None]
    values: torch.Tensor = model.network(plane.to(model.device), latent.to(model.device), probe=request.probe)
    image: np.ndarray = (255 * finite(values)[0, 0]).round().to(torch.uint8).cpu().numpy()
    return image


def tiler(model: TrainedModel, request: ForwardRequest, steering: Steering) -> Tiled:
    """Exact tiles: on a GPU windows with all around them, else each layer over what it needs."""
    from napari_synth.synthesis.cuda.drawing import on_gpu

    if on_gpu(model, request):
        return tiles_with_halo(forward, model, request, steering, REACH)
    from napari_synth.synthesis.capsules.tiles import exact_tiles

    return exact_tiles(model, request, steering)


def follower(model: TrainedModel, limit: int, precision: Precision) -> Follower:
    """The exact partial update."""
    from napari_synth.synthesis.live.capspix2pix import CapsuleFollower

    return CapsuleFollower(model, limit, precision)


CAPSPIX2PIX = Architecture(
    forward=forward,
    tiler=tiler,
    whole_pixels=512 * 512,  # exact tiles are no slower than the whole and take a fraction of its memory
    follower=follower,
    stages=STAGES,
    exact_tiles=lambda card: True,
)
