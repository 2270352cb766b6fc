"""The drawings of the architectures that have one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from napari_synth.core.seeds import derived_seed
from napari_synth.nets.capspix2pix import PLANE, CapsPix2PixGenerator, block_vectors, plane_indices
from napari_synth.nets.counter_noise import noise_planes_at
from napari_synth.nets.metgan import NOISE_PERIODS, MetGen
from napari_synth.nets.styled import StyledPix2Pix, style_planes
from napari_synth.synthesis.cuda.arrays import Arrays, Drawn, Tensors
from napari_synth.synthesis.cuda.drawing import Drawing, on_gpu
from napari_synth.synthesis.cuda.planes import anatomy_channel, drawn_in_bytes, drawn_in_grey_values, mask_channel
from napari_synth.synthesis.network_io import network_of, output_scale

if TYPE_CHECKING:
    from napari_synth.models.registry import TrainedModel
    from napari_synth.synthesis.network_io import ForwardRequest


def on_grid(request: ForwardRequest, periods: tuple[int, ...]) -> bool:
    """Whether a window begins where the numbers of all its noise planes begin."""
    return all(start % period == 0 for start in request.origin or (0, 0) for period in periods)


def _noise_numbers(request: ForwardRequest) -> Arrays:
    """Key and place of the noise; nothing where there is none."""
    if request.seed is None:
        return {}
    key, place = derived_seed(request.seed, "render"), request.origin or (0, 0)
    return {"key": np.array(key, np.int64), "place": np.array(place, np.int64)}


def _noise(given: Tensors, periods: tuple[int, ...]) -> Tensor:
    """Noise planes ``[1, planes, H, W]``; 0 without a key."""
    height, width = given["labels"].shape
    if "key" not in given:
        return torch.zeros(1, len(periods), height, width, device=given["labels"].device)
    y, x = given["place"]
    return noise_planes_at(given["key"], periods, y, x, height, width)[None]


def _capsule_numbers(model: TrainedModel, request: ForwardRequest) -> Arrays:
    network, (height, width), (top, left) = (
        network_of(model, CapsPix2PixGenerator), request.labels.shape, request.origin or (0, 0)
    )  # fmt: skip
    rows, columns = (plane_indices(network.beyond, *span) for span in ((top, top + height), (left, left + width)))
    latent = block_vectors(request.z, rows.blocks, columns.blocks)
    return {"labels": request.labels, "latent": latent, "rows": rows.within, "columns": columns.within}


def _draw_capsules(model: TrainedModel, given: Tensors) -> Drawn:
    network = network_of(model, CapsPix2PixGenerator)
    down, across, size = given["latent"].shape
    blocks = network.base_plane(given["latent"].reshape(-1, size)).reshape(down, across, PLANE, PLANE)
    plane = blocks.transpose(1, 2).reshape(down * PLANE, across * PLANE)
    plane = plane.index_select(0, given["rows"]).index_select(1, given["columns"])
    mask = mask_channel(given["labels"], model.card.mask_meaning)
    return drawn_in_bytes(network.drawn(torch.cat([plane[None, None], mask], dim=1)), 0, 1)


CAPSULES = Drawing(_capsule_numbers, _draw_capsules)


def pix2pix_is_drawn(model: TrainedModel, request: ForwardRequest) -> bool:
    """Whether nothing of the noise must be drawn on the CPU: dropout is, for an image with a seed."""
    if not on_gpu(model, request):
        return False
    network = model.network
    if isinstance(network, StyledPix2Pix):
        return on_grid(request, network.noise_periods)
    return request.seed is None


def _pix2pix_numbers(model: TrainedModel, request: ForwardRequest) -> Arrays:
    card = model.card
    options = len(card.looks) if card.option_values == "fraction" else 1
    option = np.array(np.float32(request.option + 1) / np.float32(options), np.float32)
    look = {"style": request.style, **_noise_numbers(request)} if request.style.size else {}
    return {"labels": request.labels, "option": option, **look}


def _draw_pix2pix(model: TrainedModel, given: Tensors) -> Drawn:
    network, channels = model.network, int(model.card.hyper["in_channels"])
    size, mask = given["labels"].shape, mask_channel(given["labels"], model.card.mask_meaning)
    parts = [mask, given["option"].expand(1, 1, *size)] if channels == 2 else [mask.expand(-1, channels, -1, -1)]
    if "style" in given:
        periods = network_of(model, StyledPix2Pix).noise_periods
        parts += [_noise(given, periods), style_planes(given["style"][None], *size)]
    x = torch.cat(parts, dim=1).contiguous(memory_format=torch.channels_last)
    return drawn_in_bytes(network(x), *model.card.network_range)


PIX2PIX = Drawing(_pix2pix_numbers, _draw_pix2pix)


def metgan_is_drawn(model: TrainedModel, request: ForwardRequest) -> bool:
    """Whether a window begins where the noise does."""
    return on_gpu(model, request) and isinstance(model.network, MetGen) and on_grid(request, NOISE_PERIODS)


def _metgan_numbers(model: TrainedModel, request: ForwardRequest) -> Arrays:
    if request.condition is None:
        raise ValueError(f"{model.card.id} needs a condition")
    anatomy = np.ascontiguousarray(request.condition)
    anatomy = anatomy.view(np.int16) if anatomy.dtype == np.uint16 else anatomy
    noise = _noise_numbers(request) if network_of(model, MetGen).noise else {}
    return {"labels": request.labels, "anatomy": anatomy, **noise}


def _draw_metgan(model: TrainedModel, given: Tensors) -> Drawn:
    network, card = network_of(model, MetGen), model.card
    image = anatomy_channel(given["anatomy"], card.intensities[card.condition_channels[0]])
    planes = _noise(given, NOISE_PERIODS) if "key" in given else None
    mask = given["labels"][None, None]
    if not mask.is_floating_point():  # else it is the mask channel already
        mask = mask_channel(given["labels"], card.mask_meaning)
    image, mask = (plane.contiguous(memory_format=torch.channels_last) for plane in (image, mask))
    return drawn_in_grey_values(network(image, mask, planes), output_scale(card))


METGAN = Drawing(_metgan_numbers, _draw_metgan, lambda model: np.dtype(output_scale(model.card).dtype))
