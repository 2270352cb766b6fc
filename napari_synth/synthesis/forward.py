"""How each architecture turns a mask into pixel values. A new one is a function and a line in `FORWARDS`."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from napari_synth.core.errors import InputError
from napari_synth.core.recipe import image_hash
from napari_synth.core.seeds import derived_seed, torch_generator
from napari_synth.datasets.axons import AppearanceSettings, axon_image
from napari_synth.datasets.encoding import from_network, mask_plane
from napari_synth.nets.capspix2pix import LATENT_SIZE
from napari_synth.nets.counter_noise import noise_planes
from napari_synth.nets.metgan import NOISE_PERIODS
from napari_synth.nets.pix2pix import option_plane

if TYPE_CHECKING:
    from napari_synth.core.intensity import Intensity
    from napari_synth.models.card import ModelCard
    from napari_synth.models.registry import TrainedModel
    from napari_synth.nets.probe import Probe


@dataclass(frozen=True)
class ForwardRequest:
    """A checked request in the network's terms.

    Attributes
    ----------
    labels : ndarray, shape (Y, X), int32
        Sides are multiples of the card's ``tile_multiple``.
    option : int
        Number of the option.
    seed : int or None
        None: no noise.
    z : ndarray, shape (latent,), optional
        The latent vector; drawn from the seed when not given, 0 without noise.
    probe : Probe, optional
        What to keep and to change inside the network.
    condition : ndarray, shape (Y, X), optional
        Image beside the mask, in the dtype of the card's intensities.
    """

    labels: np.ndarray
    option: int
    seed: int | None
    z: np.ndarray | None
    probe: Probe | None = None
    condition: np.ndarray | None = None
    origin: tuple[int, int] | None = None
    """Row and column of the first pixel on the canvas, where this is a window of it."""


Forward = Callable[["TrainedModel", ForwardRequest], np.ndarray]
"""Returns ``(Y, X)`` or ``(Y, X, 3)`` uint8; with a condition ``(Y, X)`` in the dtype of the card's output."""


def pix2pix(model: TrainedModel, request: ForwardRequest) -> np.ndarray:
    """Mask and option plane, dropout under the seed."""
    card = model.card
    x = option_channel(model, _plane(model, request.labels), request.option)
    x = x.to(model.device).contiguous(memory_format=torch.channels_last)
    network: Any = model.network
    values = network(x, _dropout_noise(request))[0].permute(1, 2, 0).float().cpu().numpy()
    return from_network(values[..., 0] if values.shape[-1] == 1 else values, *card.network_range)


def _dropout_noise(request: ForwardRequest) -> torch.Generator | None:
    """Dropout under the seed; a window of a canvas has its own."""
    if request.seed is None:
        return None
    if request.origin is None:
        return torch_generator(request.seed, "render")
    return torch_generator(derived_seed(request.seed, "window", *request.origin), "render")


def option_channel(model: TrainedModel, plane: torch.Tensor, option: int) -> torch.Tensor:
    """The mask channel ``[1, 1, H, W]`` and the option's beside it, as the network reads them."""
    card = model.card
    if card.hyper["in_channels"] == 2:
        options = len(card.looks) if card.option_values == "fraction" else 1
        return torch.cat([plane, option_plane(torch.tensor([option]), options, *plane.shape[-2:])], dim=1)
    return plane.expand(-1, int(card.hyper["in_channels"]), -1, -1)  # a network made for RGB label images


def capspix2pix(model: TrainedModel, request: ForwardRequest) -> np.ndarray:
    """Mask and latent vector; there is no other noise."""
    z = request.z if request.z is not None else latent_of(request.seed)
    network: Any = model.network
    plane, latent = _plane(model, request.labels), torch.from_numpy(z)[None]
    image = network(plane.to(model.device), latent.to(model.device), probe=request.probe)
    return (255 * image[0, 0]).round().to(torch.uint8).cpu().numpy()


def pbam(model: TrainedModel, request: ForwardRequest) -> np.ndarray:
    """Physics-based appearance; its settings are the card's hyper-parameters."""
    return axon_image(request.labels, AppearanceSettings.model_validate(model.card.hyper), request.seed)


class ImagePaths:
    """What MetGen's image path made of the last image, so that an edited label costs the rest only."""

    def __init__(self) -> None:
        self._last: weakref.WeakKeyDictionary[Any, tuple[Any, list[torch.Tensor]]] = weakref.WeakKeyDictionary()

    def features(
        self, network: Any, image: np.ndarray, device: torch.device, seed: int | None, origin: tuple[int, int]
    ) -> list[torch.Tensor]:
        """Features of an image in the range of the network, ``(Y, X)``, and of the seed's noise at its place."""
        noisy = network.noise and seed is not None
        key = (image_hash(image), (seed, origin) if noisy else None)
        known = self._last.get(network)
        if known is None or known[0] != key:
            x = torch.from_numpy(image)[None, None].to(device).contiguous(memory_format=torch.channels_last)
            planes = None
            if noisy:
                planes = noise_planes(derived_seed(seed, "render"), NOISE_PERIODS, *origin, *image.shape, device)[None]
            known = (key, network.encode(x, planes))
            self._last[network] = known
        return known[1]

    def forget(self) -> None:
        """Give the memory back."""
        self._last.clear()


image_paths = ImagePaths()


def metgan(model: TrainedModel, request: ForwardRequest) -> np.ndarray:
    """Anatomy and mask, and noise planes by position in a network that has them."""
    if request.condition is None:
        raise ValueError(f"{model.card.id} needs a condition")
    features = anatomy_features(model, request.condition, request.seed, request.origin or (0, 0))
    return output_scale(model.card).from_network(signal_of(model, features, _plane(model, request.labels)))


def anatomy_features(
    model: TrainedModel, condition: np.ndarray, seed: int | None, origin: tuple[int, int] = (0, 0)
) -> list[torch.Tensor]:
    """What MetGen's image path makes of an anatomy, ``(Y, X)`` in the dtype of the card's intensities."""
    image = _in_network_range(model.card, condition)
    return image_paths.features(model.network, image, model.device, seed, origin)


def signal_of(model: TrainedModel, features: list[torch.Tensor], plane: torch.Tensor) -> np.ndarray:
    """What MetGen's label path and decoder make of a mask ``[1, 1, H, W]``: ``(H, W)`` float32 in [-1, 1]."""
    network: Any = model.network
    return network.decode(features, plane.to(model.device))[0, 0].float().cpu().numpy()


def output_scale(card: ModelCard) -> Intensity:
    """The grey values of the channel that a model with a condition makes."""
    return card.intensities[card.output_channel]


def metgan_unet(model: TrainedModel, request: ForwardRequest) -> np.ndarray:
    """Anatomy and mask, dropout under the seed."""
    if request.condition is None:
        raise ValueError(f"{model.card.id} needs a condition")
    image = torch.from_numpy(_in_network_range(model.card, request.condition))[None, None].to(model.device)
    values = model.network(image, _plane(model, request.labels).to(model.device), _dropout_noise(request))
    return output_scale(model.card).from_network(values[0, 0].float().cpu().numpy())


def _in_network_range(card: ModelCard, condition: np.ndarray) -> np.ndarray:
    return card.intensities[card.condition_channels[0]].to_network(condition)


def latent_of(seed: int | None) -> np.ndarray:
    """Latent vector z ~ N(0, 1) of a seed, 0 without one; shape (100,) float32."""
    if seed is None:
        return np.zeros(LATENT_SIZE, np.float32)
    return torch.randn(LATENT_SIZE, generator=torch_generator(seed, "render")).numpy()


def check_latent(z: np.ndarray, size: int) -> np.ndarray:
    """A latent vector as ``(size,)`` float32.

    Raises
    ------
    InputError
        If it has another length, is not finite, or the model has no latent.
    """
    if not size:
        raise InputError("This model has no latent vector z.", "Leave z out, and use the seed.")
    z = np.asarray(z, np.float32)
    if z.shape != (size,):
        raise InputError(f"The latent vector z has shape {z.shape}.", f"Give {size} numbers.")
    if not np.isfinite(z).all():
        raise InputError("The latent vector z contains NaN or infinity.", "Give finite numbers.")
    return z


def _plane(model: TrainedModel, labels: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(mask_plane(labels, model.card.mask_meaning))[None, None]


FORWARDS: dict[str, Forward] = {
    "optional-pix2pix": pix2pix,
    "pix2pix": pix2pix,
    "capspix2pix": capspix2pix,
    "pbam": pbam,
    "metgan": metgan,
    "metgan-unet": metgan_unet,
}
