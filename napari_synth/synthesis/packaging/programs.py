"""Networks between tensors that other programs hold: grey values, masks and latent vectors, on any device.

What a request would say is fixed: option, style, latent vector and noise. So the same input gives the same output.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor, nn

from napari_synth.core.errors import InputError
from napari_synth.core.intensity import Intensity
from napari_synth.core.registry import Registry
from napari_synth.core.seeds import derived_seed
from napari_synth.datasets.mask_encoding import mask_plane
from napari_synth.models.registry import TrainedModel
from napari_synth.nets.capspix2pix import PLANE, CapsPix2PixGenerator
from napari_synth.nets.counter_noise import counter_normal
from napari_synth.nets.dvae import DVAE
from napari_synth.nets.ising import IMAGE_CHANNELS, IsingGenerator
from napari_synth.nets.metgan import NOISE_PERIODS, MetGen
from napari_synth.synthesis.importing import trial_mask
from napari_synth.synthesis.latents.vectors import latent_for
from napari_synth.synthesis.network_io import network_of, noise_at, pix2pix_input
from napari_synth.synthesis.request import check_option
from napari_synth.synthesis.styles import check_style, style_for

UINT8 = (0.0, 255.0)
SIDE = 256
"""Of the test images, where the network reads any."""


@dataclass(frozen=True)
class Fixed:
    """What a package leaves no choice of.

    Attributes
    ----------
    option : str, optional
        The first of the model when not given.
    seed : int, optional
        Of noise and latent vector; without one there is no noise.
    style : int or sequence of float, optional
        Drawn by the seed when not given.
    """

    option: str | None = None
    seed: int | None = 1
    style: int | Sequence[float] | np.ndarray | None = None


@dataclass(frozen=True)
class Port:
    """A tensor that a program reads or gives.

    Attributes
    ----------
    name : str
    channels : tuple of str
    range : tuple of float
        Of its values.
    spatial : bool
        Whether it has height and width.
    """

    name: str
    channels: tuple[str, ...]
    range: tuple[float, float]
    spatial: bool = True


@dataclass(frozen=True)
class Program:
    """A network between tensors.

    Attributes
    ----------
    module : Module
        Reads the tensors of ``inputs`` and gives that, or the tuple of those, of ``outputs``.
    inputs, outputs : tuple of Port
    examples : tuple of ndarray, float32
        One tensor for each input, ``(1, C, Y, X)`` or ``(1, C)``.
    multiple : int
        Height and width of the inputs are multiples of this.
    side : int
        Height and width, where they are fixed; else 0.
    style : tuple of float
        The code that was fixed.
    """

    module: nn.Module
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    examples: tuple[np.ndarray, ...]
    multiple: int = 1
    side: int = 0
    style: tuple[float, ...] = field(default=())


class _ToImage(nn.Module):
    """Mask ``[1, 1, H, W]`` to an image in [0, 255]; grey is the mean of the channels."""

    def __init__(self, network: nn.Module, entry: Callable[[Tensor], Tensor], grey: bool):
        super().__init__()
        self.network, self._entry, self._grey = network, entry, grey

    def forward(self, mask: Tensor) -> Tensor:
        values = self.network(self._entry(mask.cpu()).to(mask))
        image: Tensor = ((values + 1) * 127.5).clamp(0, 255)
        return image.mean(1, keepdim=True) if self._grey else image


class _Capsules(nn.Module):
    """Mask ``[1, 1, 256, 256]`` to an image in [0, 255] with a fixed latent plane."""

    def __init__(self, network: CapsPix2PixGenerator, z: Tensor):
        super().__init__()
        self.register_buffer("plane", network.latent_plane(z, PLANE, PLANE))
        self.network = copy.deepcopy(network)
        self.network.fc = nn.Identity()  # type: ignore[assignment]  # nine tenths of the numbers, of no use any more

    def forward(self, mask: Tensor) -> Tensor:
        return 255 * self.network.drawn(torch.cat([self.get_buffer("plane"), mask], 1))


class _IntoAnatomy(nn.Module):
    """Mask in {0, 1} and anatomy in grey values to the signal in grey values."""

    def __init__(self, network: MetGen, anatomy: Intensity, signal: Intensity, seed: int | None):
        super().__init__()
        self.network, self._anatomy, self._signal, self._seed = network, anatomy, signal, seed

    def forward(self, mask: Tensor, anatomy: Tensor) -> Tensor:
        planes = None
        if self.network.noise:
            planes = noise_at(self._seed, NOISE_PERIODS, (0, 0), mask.shape[-2:], torch.device("cpu")).to(mask)
        values = self.network(scaled(anatomy, self._anatomy), mask, planes)
        signal: Tensor = (values + 1) / 2 * (self._signal.high - self._signal.low) + self._signal.low
        return signal


class _Segmenting(nn.Module):
    """Image in grey values to the probability of an object."""

    def __init__(self, network: nn.Module, scale: Intensity):
        super().__init__()
        self.network, self._scale = network, scale

    def forward(self, image: Tensor) -> Tensor:
        return torch.sigmoid(self.network(scaled(image, self._scale)))


class _Decoding(nn.Module):
    """Latent vector to a shape in [0, 1]."""

    def __init__(self, network: DVAE):
        super().__init__()
        self.network = network

    def forward(self, z: Tensor) -> Tensor:
        return self.network.decode(z)


class _Pairs(nn.Module):
    """Latent vector in [-1, 1] to an image in [0, 255] and the probability of a nucleus, with fixed grain."""

    def __init__(self, network: IsingGenerator, look: int, seed: int | None, grey: bool):
        super().__init__()
        self.network, self._grey = network, grey
        self.register_buffer("look", torch.tensor([look]))
        key, strength = derived_seed(seed or 0, "grain"), float(seed is not None)
        for number, side in enumerate(network.noise_sides):
            plane = strength * counter_normal(key, number, 0, 0, side, side)[None, None]
            self.register_buffer(f"grain{number}", plane)

    def forward(self, z: Tensor) -> tuple[Tensor, Tensor]:
        planes = [self.get_buffer(f"grain{number}") for number in range(len(self.network.noise_sides))]
        pair = self.network(z, self.get_buffer("look"), planes)
        image = ((pair[:, :IMAGE_CHANNELS] + 1) * 127.5).clamp(0, 255)
        return image.mean(1, keepdim=True) if self._grey else image, (pair[:, IMAGE_CHANNELS:] + 1) / 2


def scaled(image: Tensor, scale: Intensity) -> Tensor:
    """Grey values to [-1, 1], as `Intensity.to_network`."""
    return 2 * ((image - scale.low) / (scale.high - scale.low)).clamp(0, 1) - 1


def _pix2pix(model: TrainedModel, fixed: Fixed) -> Program:
    option = check_option(model.card, fixed.option)
    code = style_for(model, check_style(model.card, fixed.style), option, fixed.seed)
    looks = model.card.looks
    grey = bool(looks) and not looks[option].rgb

    def entry(mask: Tensor) -> Tensor:
        return pix2pix_input(model, mask, option, fixed.seed, code, (0, 0))

    channels = 1 if grey else int(model.card.hyper.get("out_channels", 3))
    module = _ToImage(model.network, entry, grey)
    return _from_mask(model, module, ("grey",) if channels == 1 else ("red", "green", "blue"), tuple(code.tolist()))


def _capspix2pix(model: TrainedModel, fixed: Fixed) -> Program:
    network = network_of(model, CapsPix2PixGenerator)
    z = latent_for(None, fixed.seed, model.card.latent_size)
    return _from_mask(model, _Capsules(network, torch.from_numpy(z)[None]), ("grey",), side=PLANE)


def _from_mask(
    model: TrainedModel, module: nn.Module, channels: tuple[str, ...], style: tuple[float, ...] = (), side: int = 0
) -> Program:
    multiple = model.card.tile_multiple
    mask = _example_mask(model, side or SIDE + -SIDE % multiple)
    return Program(
        module, (_mask_port(model),), (Port("image", channels, UINT8),), (mask,), multiple, side=side, style=style
    )


def _metgan(model: TrainedModel, fixed: Fixed) -> Program:
    card, network = model.card, network_of(model, MetGen)
    anatomy, signal = (card.intensities[name] for name in (card.condition_channels[0], card.output_channel))
    side = SIDE + -SIDE % card.tile_multiple
    slope = np.linspace(anatomy.low, anatomy.high, side, dtype=np.float32)
    return Program(
        _IntoAnatomy(network, anatomy, signal, fixed.seed),
        (_mask_port(model), _grey_port(card.condition_channels[0], anatomy)),
        (_grey_port(card.output_channel, signal),),
        (_example_mask(model, side), np.broadcast_to(slope, (1, 1, side, side)).copy()),
        card.tile_multiple,
    )


def _segmentor(model: TrainedModel, fixed: Fixed) -> Program:
    card = model.card
    if not card.intensities:
        raise InputError(f"{card.id} stretches each image by itself, which no package can say.", "Use it here.")
    name, scale = next(iter(card.intensities.items()))
    side = SIDE + -SIDE % card.tile_multiple
    image = scale.low + (scale.high - scale.low) * _example_mask(model, side)
    return Program(
        _Segmenting(model.network, scale),
        (_grey_port(name, scale),),
        (Port("probability", ("object",), (0.0, 1.0)),),
        (image.astype(np.float32),),
        card.tile_multiple,
    )


def _shapes(model: TrainedModel, fixed: Fixed) -> Program:
    shape = Port("shape", ("nucleus",), (0.0, 1.0))
    z = latent_for(None, fixed.seed, model.card.latent_size)[None]
    return Program(_Decoding(network_of(model, DVAE)), (_latent_port(z, (-4.0, 4.0)),), (shape,), (z,))


def _pairs(model: TrainedModel, fixed: Fixed) -> Program:
    number = check_option(model.card, fixed.option)
    grey = not model.card.looks[number].rgb
    z = np.tanh(latent_for(None, fixed.seed, model.card.latent_size))[None]
    outputs = (
        Port("image", ("grey",) if grey else ("red", "green", "blue"), UINT8),
        Port("probability", ("nucleus",), (0.0, 1.0)),
    )
    module = _Pairs(network_of(model, IsingGenerator), number, fixed.seed, grey)
    return Program(module, (_latent_port(z, (-1.0, 1.0)),), outputs, (z,))


def _mask_port(model: TrainedModel) -> Port:
    background = -1.0 if model.card.mask_meaning == "foreground-signed" else 0.0
    return Port("mask", ("mask",), (background, 1.0))


def _grey_port(name: str, scale: Intensity) -> Port:
    return Port(name, (name,), (scale.low, scale.high))


def _latent_port(z: np.ndarray, limits: tuple[float, float]) -> Port:
    return Port("z", tuple(f"z{number}" for number in range(z.shape[1])), limits, spatial=False)


def _example_mask(model: TrainedModel, side: int) -> np.ndarray:
    return mask_plane(trial_mask(side), model.card.mask_meaning or "foreground")[None, None]


PROGRAMS: Registry[Callable[[TrainedModel, Fixed], Program]] = Registry(
    "architecture of a package",
    {
        "optional-pix2pix": _pix2pix,
        "pix2pix": _pix2pix,
        "pix2pix-resnet": _pix2pix,
        "capspix2pix": _capspix2pix,
        "metgan": _metgan,
        "dvae": _shapes,
        "signal-unet": _segmentor,
        "ising-gan": _pairs,
    },
)
"""How the network of an architecture becomes a program."""
