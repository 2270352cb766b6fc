"""Between numpy and the networks: what they read of a mask and of an image, and what becomes of what they give."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from napari_synth.core.errors import WorkError
from napari_synth.core.recipe import image_hash
from napari_synth.core.seeds import derived_seed, torch_generator
from napari_synth.datasets.mask_encoding import mask_plane
from napari_synth.nets.counter_noise import noise_planes
from napari_synth.nets.metgan import NOISE_PERIODS, MetGen
from napari_synth.nets.pix2pix import option_plane
from napari_synth.nets.styled import StyledPix2Pix, styled_input

if TYPE_CHECKING:
    from napari_synth.core.intensity import Intensity
    from napari_synth.models.card import ModelCard
    from napari_synth.models.registry import TrainedModel
    from napari_synth.nets.probe import Probe

Network = TypeVar("Network", bound=nn.Module)


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
    z : ndarray, shape (latent,), float32
        The latent vector; of length 0 for a model without.
    probe : Probe, optional
        What to keep and to change inside the network.
    condition : ndarray, shape (Y, X), optional
        Image beside the mask, in the dtype of the card's intensities.
    origin : tuple of int, optional
        Row and column of the first pixel on the canvas, where this is a window of it.
    style : ndarray, shape (style_size,), float32
        Code of the style; of length 0 for a model without styles.
    """

    labels: np.ndarray
    option: int
    seed: int | None
    z: np.ndarray
    probe: Probe | None = None
    condition: np.ndarray | None = None
    origin: tuple[int, int] | None = None
    style: np.ndarray = field(default_factory=lambda: np.zeros(0, np.float32))


Forward = Callable[["TrainedModel", ForwardRequest], np.ndarray]
"""Returns ``(Y, X)`` or ``(Y, X, 3)`` uint8; with a condition ``(Y, X)`` in the dtype of the card's output."""


def network_of(model: TrainedModel, kind: type[Network]) -> Network:
    """The network of a model as what it is.

    Raises
    ------
    TypeError
        If it is of another kind, which is a mistake in the program.
    """
    if not isinstance(model.network, kind):
        raise TypeError(f"{model.card.id} has a {type(model.network).__name__}, not a {kind.__name__}")
    return model.network


def mask_tensor(model: TrainedModel, labels: np.ndarray) -> Tensor:
    """The mask channel of labels ``(Y, X)`` as ``[1, 1, Y, X]``, on the CPU."""
    return torch.from_numpy(mask_plane(labels, model.card.mask_meaning))[None, None]


def option_channel(model: TrainedModel, plane: Tensor, option: int) -> Tensor:
    """The mask channel ``[1, 1, H, W]`` and the option's beside it, as a pix2pix network reads them."""
    card = model.card
    if card.hyper["in_channels"] == 2:
        options = len(card.looks) if card.option_values == "fraction" else 1
        return torch.cat([plane, option_plane(torch.tensor([option]), options, *plane.shape[-2:])], dim=1)
    return plane.expand(-1, int(card.hyper["in_channels"]), -1, -1)  # a network made for RGB label images


def pix2pix_input(
    model: TrainedModel, plane: Tensor, option: int, seed: int | None, style: np.ndarray, place: tuple[int, int]
) -> Tensor:
    """All that a pix2pix network reads, ``[1, C, H, W]``, on the CPU for a model without styles.

    Parameters
    ----------
    plane : Tensor, shape (1, 1, H, W)
        The mask channel.
    option : int
    seed : int, optional
    style : ndarray, shape (style_size,)
    place : tuple of int
        Row and column of the first pixel on the canvas.
    """
    x = option_channel(model, plane, option)
    if not style.size:
        return x
    periods, size = network_of(model, StyledPix2Pix).noise_periods, x.shape[-2:]
    noise = noise_at(seed, periods, place, size, model.device)
    code = torch.from_numpy(style)[None].to(model.device)
    return styled_input(x.to(model.device), noise, code)


def as_pixels(values: Tensor) -> np.ndarray:
    """What a network gives for one image, ``[1, C, H, W]``, as ``(H, W)`` or ``(H, W, C)`` float32.

    Raises
    ------
    WorkError
        If it is not finite.
    """
    pixels: np.ndarray = finite(values)[0].permute(1, 2, 0).float().cpu().numpy()
    return one_channel_flat(pixels)


def finite(values: Tensor) -> Tensor:
    """The values themselves; `WorkError` where one is NaN or infinite, which no image can show."""
    if not values.sum().isfinite():
        raise not_finite()
    return values


def not_finite() -> WorkError:
    """What is said of pixels that no image can show."""
    return WorkError("The model gives pixels that are not finite.", "Its training may have diverged: use another.")


def one_channel_flat(pixels: np.ndarray) -> np.ndarray:
    """``(H, W, 1)`` as ``(H, W)``."""
    return pixels[..., 0] if pixels.shape[-1] == 1 else pixels


def in_colours_of(card: ModelCard, image: np.ndarray, option: int) -> np.ndarray:
    """The image in grey where the option, by its number, is."""
    if card.looks and not card.looks[option].rgb and image.ndim == 3:
        grey: np.ndarray = image.astype(np.float32).mean(-1).round().astype(np.uint8)
        return grey
    return image


def dropout_noise(request: ForwardRequest) -> torch.Generator | None:
    """Dropout under the seed; a window of a canvas has its own."""
    if request.seed is None:
        return None
    if request.origin is None:
        return torch_generator(request.seed, "render")
    return torch_generator(derived_seed(request.seed, "window", *request.origin), "render")


def noise_at(
    seed: int | None, periods: tuple[int, ...], place: tuple[int, int], size: tuple[int, ...], device: torch.device
) -> Tensor:
    """Noise planes of a seed over a window of the canvas, ``[1, planes, height, width]``; 0 without a seed.

    A pixel has the same noise whatever part of the canvas is rendered.
    """
    height, width = size
    if seed is None:
        return torch.zeros(1, len(periods), height, width, device=device)
    return noise_planes(derived_seed(seed, "render"), periods, *place, height, width, device)[None]


def image_channel(card: ModelCard, condition: np.ndarray | None) -> np.ndarray:
    """The image beside the mask in the range of the network, float32.

    Raises
    ------
    ValueError
        If there is none; `request.check_condition` says so to users.
    """
    if condition is None:
        raise ValueError(f"{card.id} needs a condition")
    return card.intensities[card.condition_channels[0]].to_network(condition)


def output_scale(card: ModelCard) -> Intensity:
    """The grey values of the channel that a model with a condition makes."""
    return card.intensities[card.output_channel]


Key = tuple[str, int | None, tuple[int, int]]
"""Hash of an image, and for a network that has noise the seed and the place of the first pixel."""


class AnatomyFeatures:
    """What MetGen's image path made of the last image, so that an edited label costs the rest only."""

    def __init__(self) -> None:
        self._last: weakref.WeakKeyDictionary[nn.Module, tuple[Key, list[Tensor]]] = weakref.WeakKeyDictionary()

    def of(
        self, model: TrainedModel, condition: np.ndarray | None, seed: int | None, place: tuple[int, int] = (0, 0)
    ) -> list[Tensor]:
        """Features of an anatomy, ``(Y, X)`` in the dtype of the card's intensities, and of the noise at its place."""
        network, image = network_of(model, MetGen), image_channel(model.card, condition)
        noisy = network.noise and seed is not None
        key: Key = (image_hash(image), seed if noisy else None, place if noisy else (0, 0))
        known = self._last.get(network)
        if known is None or known[0] != key:
            x = torch.from_numpy(image)[None, None].to(model.device).contiguous(memory_format=torch.channels_last)
            planes = noise_at(seed, NOISE_PERIODS, place, image.shape, model.device) if noisy else None
            known = (key, network.encode(x, planes))
            self._last[network] = known
        return known[1]

    def forget(self) -> None:
        """Give the memory back."""
        self._last.clear()


anatomy_features = AnatomyFeatures()


def signal_of(model: TrainedModel, features: list[Tensor], plane: Tensor) -> np.ndarray:
    """What MetGen's label path and decoder make of a mask ``[1, 1, H, W]``: ``(H, W)`` float32 in [-1, 1]."""
    values = network_of(model, MetGen).decode(features, plane.to(model.device))
    signal: np.ndarray = finite(values)[0, 0].float().cpu().numpy()
    return signal
