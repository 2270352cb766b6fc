"""What is asked of a generator and what it gives back; what mask, image beside it and option must be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from napari_synth.core import arguments
from napari_synth.core.boxes import Box
from napari_synth.core.devices import device_lost, out_of_memory
from napari_synth.core.errors import InputError, WorkError, unknown_name
from napari_synth.core.intensity import check_channel, in_grey_values_of
from napari_synth.core.progress import CancelToken, OnProgress, ignore_progress
from napari_synth.core.recipe import CameraSettings, Intervention, Precision, Style, mask_hash
from napari_synth.datasets.image_files import as_labels
from napari_synth.datasets.plausible import is_scattered

if TYPE_CHECKING:
    from napari_synth.models.card import ModelCard
    from napari_synth.nets.capsule_stages import Stage

MAX_SIDE = 8192
TILE = 512
"""Side of a tile where nothing else is asked for."""

OnTile = Callable[[Box, np.ndarray], None]


@dataclass(frozen=True)
class RenderRequest:
    """All that an image depends on, beside the model; an argument that cannot be is an `InputError`.

    Attributes
    ----------
    mask : ndarray, shape (Y, X)
        Instance labels or bool.
    option : str, optional
        One of the card's options; the first when not given.
    seed : int, optional
        Seed of the noise; None switches it off.
    z : ndarray, shape (latent,), optional
        Latent vector of a model that has one; drawn from the seed when not given.
    style : int or tuple of float, optional
        Number in the bank, or code, of a model with styles; drawn from the seed when not given.
    condition : ndarray, shape (Y, X), optional
        Image beside the mask, for a model whose card names one; 8 or 16 bit or float.
    interventions : tuple of Intervention
        Changes inside the network, applied in order.
    capture : tuple of str
        Layers whose activations to keep; see `Generator.stages`.
    routing : tuple of str
        Layers whose routing coefficients to keep.
    precision : {'exact', 'fast'}
        ``'fast'`` computes the convolutions in 16 bit; see `Generator.run`.
    camera : CameraSettings, optional
        What a camera does to the image, its noise under the seed; see `synthesis.camera.photograph`.
    """

    mask: np.ndarray
    option: str | None = None
    seed: int | None = None
    _: KW_ONLY
    z: np.ndarray | None = None
    style: Style | None = None
    condition: np.ndarray | None = None
    interventions: tuple[Intervention, ...] = ()
    capture: tuple[str, ...] = ()
    routing: tuple[str, ...] = ()
    precision: Precision = "exact"
    camera: CameraSettings | None = None

    def __post_init__(self) -> None:
        checked = {
            "option": None if self.option is None else arguments.text(self.option, "option"),
            "seed": None if self.seed is None else arguments.whole_number(self.seed, "seed"),
            "z": None if self.z is None else arguments.numbers(self.z, "z"),
            "capture": arguments.texts(self.capture, "capture"),
            "routing": arguments.texts(self.routing, "routing"),
            "precision": arguments.text(self.precision, "precision"),
        }
        for name, value in checked.items():
            object.__setattr__(self, name, value)  # frozen, but this is its beginning
        if not all(isinstance(change, Intervention) for change in self.interventions):
            raise InputError("The argument interventions holds something else.", "Give Intervention(…) alone.")
        if not isinstance(self.camera, CameraSettings | None):
            raise InputError("The argument camera is no CameraSettings.", "Give CameraSettings(…) or camera_of(FILE).")

    @cached_property
    def labels(self) -> np.ndarray:
        """The mask as ``(Y, X)`` int32 labels, checked once; it may be empty.

        Raises
        ------
        InputError
            See `check_mask`.
        """
        return check_mask(self.mask, may_be_empty=True)

    @cached_property
    def mask_sha256(self) -> str:
        """The `mask_hash` of the labels, computed once."""
        return mask_hash(self.labels)


@dataclass(frozen=True)
class Rendering:
    """A rendered image.

    Attributes
    ----------
    image : ndarray, shape (Y, X) or (Y, X, 3)
        uint8, or the dtype of the channel that a model with a condition makes.
    seconds : float
        Time the render took.
    option : str
        The option used; empty for a model without options.
    seed : int or None
    style : tuple of float
        The code of the style used; empty for a model without styles.
    condition : ndarray, shape (Y, X), or None
        The image beside the mask, in the dtype the model was trained on.
    activations : dict of ndarray, shape (capsule, channel, y, x), float32
        By the layer name as it was asked for, at the layer's own size.
    routing : dict of ndarray, shape (iteration, input, output, y, x), float32
        Routing coefficients c_ij; they sum to 1 over the input capsules.
    tile : int
        Side of the tiles it was made of; 0 when it was made in one piece.
    remark : str
        One sentence where the render went another way than usual; else empty.
    """

    image: np.ndarray
    seconds: float
    option: str
    seed: int | None
    condition: np.ndarray | None = None
    activations: dict[str, np.ndarray] = field(default_factory=dict)
    routing: dict[str, np.ndarray] = field(default_factory=dict)
    tile: int = 0
    remark: str = ""
    style: tuple[float, ...] = ()


@dataclass(frozen=True)
class Steering:
    """How a large render is watched and steered.

    Attributes
    ----------
    on_progress : callable
    cancel : CancelToken
    on_tile : callable, optional
        Given each finished box and its pixels, in the thread that renders.
    near : tuple of float, optional
        Place (y, x) around which tiles are rendered first.
    tile : int
        Largest side of a tile; 0: as large as the device holds well, `TILE` at least where nothing is known.
    """

    on_progress: OnProgress = ignore_progress
    cancel: CancelToken = field(default_factory=CancelToken)
    on_tile: OnTile | None = None
    near: tuple[float, float] | None = None
    tile: int = 0

    def finished(self, box: Box, pixels: np.ndarray) -> None:
        """Pass a finished box on."""
        if self.on_tile is not None:
            self.on_tile(box, pixels)


class Renderer(Protocol):
    """What walks, recipes and windows need of a `Generator`."""

    @property
    def card(self) -> ModelCard: ...
    @property
    def sha256(self) -> str: ...
    @property
    def path(self) -> Path: ...
    @property
    def device(self) -> str: ...
    @property
    def stages(self) -> tuple[Stage, ...]: ...
    def run(self, request: RenderRequest, steering: Steering | None = None, /) -> Rendering: ...


def check_mask(mask: np.ndarray, may_be_empty: bool = False, what: str = "The mask") -> np.ndarray:
    """Labels that can be rendered, ``(Y, X)`` int32.

    Over a real image a mask may be empty: it asks for that image without objects.

    Raises
    ------
    InputError
        If the mask is not 2-D, holds no label where it must, holds NaN or fractions, has numbers scattered like grey
        values, or is larger than `MAX_SIDE`.
    """
    labels = as_labels(arguments.plane_of(mask, "mask", MAX_SIDE, what), what)
    height, width = labels.shape
    if max(height, width) > MAX_SIDE:
        raise InputError(
            f"{what} is {width}×{height} pixels; the largest that can be rendered is {MAX_SIDE}×{MAX_SIDE}.",
            "Crop it into smaller pieces.",
        )
    if not may_be_empty:
        check_not_empty(labels, what)
    if is_scattered(labels):
        raise InputError(
            f"{what} has grey values scattered as in a picture (JPEG noise or interpolation), not labels.",
            "Use one number for each nucleus, or cure a copy: ns.check_pairs for files, Check… in the window.",
        )
    return labels


def check_not_empty(labels: np.ndarray, what: str = "The mask") -> None:
    """Raise `InputError` when no pixel has a label."""
    if not labels.any():
        raise InputError(f"{what} is empty.", "Paint or sample at least one nucleus.")


def check_condition(card: ModelCard, condition: np.ndarray | None, shape: tuple[int, ...]) -> np.ndarray | None:
    """The image beside the mask, in the dtype the model was trained on; None for a model without.

    Raises
    ------
    InputError
        If it is missing or not wanted, has several channels or another size than the mask, or is
        constant.
    """
    if card.condition_channels:
        return needed_condition(card, condition, shape)
    if condition is not None:
        raise InputError(f"The model {card.id} takes no image beside the mask.", "Leave the condition out.")
    return None


def needed_condition(card: ModelCard, condition: np.ndarray | None, shape: tuple[int, ...]) -> np.ndarray:
    """`check_condition` for a model that needs an image beside the mask."""
    channel = card.condition_channels[0]
    if condition is None:
        raise InputError(
            f"The model {card.id} needs an image of the {channel} beside the mask.",
            "Give one of the same size: --condition FILE, condition=ARRAY, or an image layer.",
        )
    image = check_channel(arguments.plane_of(condition, "condition", MAX_SIDE), f"The {channel} image")
    if image.shape != tuple(shape):
        raise InputError(
            f"The {channel} image is {image.shape[1]}×{image.shape[0]} pixels but the mask is {shape[1]}×{shape[0]}.",
            "Choose a mask of the size of the image.",
        )
    if image.min() == image.max():
        raise InputError(
            f"The {channel} image is constant: its pixels all have the value {image.flat[0]}.", "Choose another image."
        )
    return in_grey_values_of(image, card.intensities[channel], f"{channel} image")


def check_option(card: ModelCard, option: str | None) -> int:
    """Number of an option; the first when none is named.

    Raises
    ------
    InputError
        If the model has no such option.
    """
    names = card.options
    if option is None or not arguments.text(option, "option"):
        return 0
    if option not in names:
        raise unknown_name("option", option, names)
    return names.index(option)


def option_name(card: ModelCard, option: str | None) -> str:
    """The option that is rendered where ``option`` is asked for; empty for a model without options."""
    number = check_option(card, option)
    return card.options[number] if card.options else ""


def render_error(error: RuntimeError, device: str) -> WorkError:
    """What went wrong on a device, in words for the user."""
    if out_of_memory(error):
        instead = "Use a smaller mask." if device == "cpu" else "Use a smaller mask or the CPU."
        return WorkError(f"The {device} device ran out of memory while rendering.", instead)
    if device_lost(error):
        return WorkError(
            f"The {device} device was lost while rendering.", "Choose the device cpu, or start the program again."
        )
    instead = "Report this." if device == "cpu" else "Try the device cpu and report this."
    return WorkError(f"Rendering failed on {device}: {error}.", instead)
