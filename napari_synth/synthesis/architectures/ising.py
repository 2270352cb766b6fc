"""Ising-GAN: image and mask together from a code; the image here, the mask in `synthesis.pairs`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_synth.core.errors import InputError
from napari_synth.core.seeds import derived_seed
from napari_synth.synthesis.architectures.record import Architecture

if TYPE_CHECKING:
    from torch import Tensor

    from napari_synth.models.card import ModelCard
    from napari_synth.models.registry import TrainedModel
    from napari_synth.synthesis.network_io import ForwardRequest

SAME = 0.5
"""Intersection over union of a mask and that of the code, from which on they are one: crumbs and holes differ."""


def forward(model: TrainedModel, request: ForwardRequest) -> np.ndarray:
    """The image of a code; the mask is only compared with that of the code."""
    image, values = decoded(model, request.z, request.option, request.seed)
    given, own = request.labels > 0, values > 0
    if given.shape != own.shape or (given & own).sum() < SAME * (given | own).sum():
        raise InputError(
            f"This mask is not the one that {model.card.id} makes of z.",
            "Take both from one pair: ns.load_model(…).sample(seed) gives its z and labels.",
        )
    return image


def decoded(model: TrainedModel, z: np.ndarray, option: int, seed: int | None) -> tuple[np.ndarray, np.ndarray]:
    """Image ``(Y, X, 3)`` uint8 and mask values ``(Y, X)`` float32 in [-1, 1] of a code, with the grain of a seed."""
    from napari_synth.datasets.mask_encoding import from_network
    from napari_synth.nets.counter_noise import counter_normal
    from napari_synth.nets.ising import IMAGE_CHANNELS
    from napari_synth.synthesis.network_io import as_pixels

    planes = None
    if seed is not None:
        sides: Any = model.network.noise_sides
        key = derived_seed(seed, "grain")
        planes = [counter_normal(key, i, 0, 0, n, n, model.device)[None, None] for i, n in enumerate(sides)]
    pixels = as_pixels(model.network(*_entered(model, z, option), planes))
    return from_network(pixels[..., :IMAGE_CHANNELS]), np.ascontiguousarray(pixels[..., IMAGE_CHANNELS])


def mask_values(model: TrainedModel, z: np.ndarray, option: int) -> np.ndarray:
    """The mask alone, as `decoded` gives it."""
    from napari_synth.nets.ising import IsingGenerator
    from napari_synth.synthesis.network_io import as_pixels, network_of

    network = network_of(model, IsingGenerator)
    return as_pixels(network.mask_of(network.shared(*_entered(model, z, option))))


def has_noise(card: ModelCard) -> bool:
    """Whether the image branch has planes of noise."""
    return bool(card.hyper.get("noise"))


def _entered(model: TrainedModel, z: np.ndarray, option: int) -> tuple[Tensor, Tensor]:
    import torch

    return torch.from_numpy(z)[None].to(model.device), torch.tensor([option], device=model.device)


ISING = Architecture(forward=forward, has_noise=has_noise)
