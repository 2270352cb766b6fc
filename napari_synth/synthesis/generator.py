"""Render a mask: the one path from labels to image, for window, Python, command line and export."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from napari_synth.core.devices import out_of_memory
from napari_synth.core.errors import InputError, WorkError, unknown_name
from napari_synth.core.intensity import check_channel, in_grey_values_of
from napari_synth.core.recipe import Intervention, Precision
from napari_synth.datasets.image_files import as_labels
from napari_synth.models.registry import RoleModel
from napari_synth.synthesis.capsules.access import Watch, intervention, stages_of

if TYPE_CHECKING:
    from napari_synth.models.card import ModelCard
    from napari_synth.models.registry import TrainedModel
    from napari_synth.nets.capsule_stages import Stage
    from napari_synth.synthesis.architectures.forward import ForwardRequest
    from napari_synth.synthesis.tiles import Follow

MAX_SIDE = 8192
LARGEST_PIECE = 1024 * 1024
"""Most pixels of an architecture that has no tiles."""


@dataclass(frozen=True)
class RenderRequest:
    """All that an image depends on, beside the model.

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
    """

    mask: np.ndarray
    option: str | None = None
    seed: int | None = None
    _: KW_ONLY
    z: np.ndarray | None = None
    condition: np.ndarray | None = None
    interventions: tuple[Intervention, ...] = ()
    capture: tuple[str, ...] = ()
    routing: tuple[str, ...] = ()
    precision: Precision = "exact"


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


def check_mask(mask: np.ndarray, may_be_empty: bool = False) -> np.ndarray:
    """Labels that can be rendered, ``(Y, X)`` int32.

    Over a real image a mask may be empty: it asks for that image without objects.

    Raises
    ------
    InputError
        If the mask is not 2-D, holds no label where it must, holds NaN or fractions, or is larger than `MAX_SIDE`.
    """
    labels = as_labels(mask)
    height, width = labels.shape
    if max(height, width) > MAX_SIDE:
        raise InputError(
            f"The mask is {width}×{height} pixels; the largest that can be rendered is {MAX_SIDE}×{MAX_SIDE}.",
            "Crop it into smaller pieces.",
        )
    if not labels.any() and not may_be_empty:
        raise InputError("The mask is empty.", "Paint or sample at least one nucleus.")
    return labels


def check_condition(card: ModelCard, condition: np.ndarray | None, shape: tuple[int, ...]) -> np.ndarray | None:
    """The image beside the mask, in the dtype the model was trained on; None for a model without.

    Raises
    ------
    InputError
        If it is missing or not wanted, has several channels or another size than the mask, or is
        constant.
    """
    if not card.condition_channels:
        if condition is not None:
            raise InputError(f"The model {card.id} takes no image beside the mask.", "Leave the condition out.")
        return None
    channel = card.condition_channels[0]
    if condition is None:
        raise InputError(
            f"The model {card.id} needs an image of the {channel} beside the mask.",
            "Give one of the same size: --condition FILE, condition=ARRAY, or an image layer.",
        )
    image = check_channel(condition, f"The {channel} image")
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
    if option in (None, ""):
        return 0
    if option not in names:
        raise unknown_name("option", str(option), names)
    return names.index(str(option))


class Generator(RoleModel):
    """A trained generator, ready to render."""

    role = "generator"
    does = "render images"

    def __init__(self, trained: TrainedModel):
        import torch

        super().__init__(trained)
        settle = getattr(trained.network, "settle", None)
        if settle is not None:
            settle()
        trained.network.to(memory_format=torch.channels_last)
        self._tile: int | None = None
        self._halved: TrainedModel | None = None
        self._compiled: dict[str, TrainedModel] | None = None

    @property
    def stages(self) -> tuple[Stage, ...]:
        """Layers that can be looked at and changed, in order; empty for a network without capsules."""
        return stages_of(self.card)

    def render(
        self,
        mask: np.ndarray,
        option: str | None = None,
        seed: int | None = None,
        z: np.ndarray | None = None,
        *,
        condition: np.ndarray | None = None,
        capture: Sequence[str] = (),
        routing: Sequence[str] = (),
        set: Mapping[tuple, float] | None = None,
        scale: Mapping[tuple, float] | None = None,
        precision: Precision = "exact",
    ) -> Rendering:
        """Image of a mask; see `RenderRequest` and `run`.

        ``set`` and ``scale`` map (layer, capsule) or (layer, capsule, channel) to the number that the
        activation is set to or multiplied by: ``set={("convcaps10", 0, 5): 0.0}``.
        """
        interventions = [intervention(key, scale=float(value)) for key, value in (scale or {}).items()]
        interventions += [intervention(key, value=float(value)) for key, value in (set or {}).items()]
        request = RenderRequest(
            mask,
            option,
            seed,
            z=z,
            condition=condition,
            interventions=tuple(interventions),
            capture=tuple(capture),
            routing=tuple(routing),
            precision=precision,
        )
        return self.run(request)

    def compile(self) -> None:
        """Compile the network, which pays for hundreds of images of one size.

        The first image of each size then takes minutes. The others are the same up to one grey level.
        Tiles, activations and interventions are computed as before.

        Raises
        ------
        InputError
            If there is no compiler.
        """
        from napari_synth.synthesis.compiling import check_compiler

        check_compiler(self._trained.device)
        self._compiled = {}

    def run(self, request: RenderRequest, follow: Follow | None = None) -> Rendering:
        """Render a request; the same request gives the same image on the same device.

        With the precision ``'fast'`` convolutions are computed in 16 bit, which changes the image by
        some grey levels; a copy of the network is then kept in that form.

        The mask is continued by reflection to the size the network accepts; image and activations
        are cropped back. More than `tiles.WHOLE_PIXELS` are rendered in tiles, which ``follow`` can watch
        and cancel; a tile that does not fit into the device's memory is halved, and stays so.

        Raises
        ------
        InputError
            If the mask, the option, z, the condition, the precision, a layer or an intervention cannot
            be used.
        WorkError
            If the device runs out of memory.
        Cancelled
            What was finished went to ``follow.on_tile``.
        """
        from napari_synth.synthesis.architectures.forward import ForwardRequest, check_latent
        from napari_synth.synthesis.precision import check_precision, computing

        card = self.card
        check_precision(request.precision)
        labels = check_mask(request.mask, may_be_empty=bool(card.condition_channels))
        condition = check_condition(card, request.condition, labels.shape)
        number = check_option(card, request.option)
        z = None if request.z is None else check_latent(request.z, card.latent_size)
        watch = Watch(card, request.capture, request.routing, request.interventions)
        padded = padded_to(labels, card.tile_multiple)
        beside = None if condition is None else padded_to(condition, card.tile_multiple)
        start = time.perf_counter()
        try:
            with computing(self._trained.device, request.precision):
                wanted = ForwardRequest(padded, number, request.seed, z, watch.probe, beside)
                followed = self._finished(labels.shape, number, follow)
                image, tile, remark = self._forward(request.precision, wanted, followed)
        except RuntimeError as error:
            raise render_error(error, self.device) from error
        image = np.ascontiguousarray(image[: labels.shape[0], : labels.shape[1]])
        image = self.in_colours_of(image, number)
        name = card.looks[number].name if card.looks else ""
        seconds = time.perf_counter() - start
        kept = watch.kept(labels.shape)
        return Rendering(image, seconds, name, request.seed, condition, *kept, tile=tile, remark=remark)

    def network_for(self, precision: str) -> TrainedModel:
        """The model as it computes with a precision, within `precision.computing`."""
        if precision == "exact":
            return self._trained
        if self._halved is None:
            from napari_synth.synthesis.precision import halved

            self._halved = halved(self._trained)
        return self._halved

    def _compiled_for(self, precision: str) -> TrainedModel:
        """The compiled model for a precision."""
        if precision not in self._compiled:
            from napari_synth.synthesis.compiling import compiled

            self._compiled[precision] = compiled(self.network_for(precision))
        return self._compiled[precision]

    def _forward(self, precision: str, wanted: ForwardRequest, follow: Follow) -> tuple[np.ndarray, int, str]:
        """The padded image, the side of its tiles or 0, and what is to be said about it."""
        from napari_synth.synthesis.architectures.forward import FORWARDS
        from napari_synth.synthesis.tiles import TILERS, WHOLE_PIXELS

        height, width = wanted.labels.shape
        tiler = TILERS.get(self.card.architecture)
        if height * width <= WHOLE_PIXELS.get(self.card.architecture, LARGEST_PIECE):
            compiled = self._compiled is not None and wanted.probe is None
            model = self._compiled_for(precision) if compiled else self.network_for(precision)
            return FORWARDS[self.card.architecture](model, wanted), 0, ""
        if tiler is None:
            raise InputError(
                f"The model {self.card.id} renders at most {LARGEST_PIECE} pixels, and the mask has {width}×{height}.",
                "Crop it into smaller pieces.",
            )
        begun = follow.tile = min(follow.tile, self._tile or follow.tile)
        image = tiler(self.network_for(precision), wanted, follow)
        self._tile = follow.tile
        if follow.tile == begun:
            return image, follow.tile, ""
        remark = f"The {self.device} device ran short of memory, so tiles have {follow.tile} pixels from now on."
        return image, follow.tile, remark

    def _finished(self, shape: tuple[int, ...], number: int, follow: Follow | None) -> Follow:
        """How to follow the padded image, where the user follows the image."""
        from napari_synth.core.boxes import Box, whole
        from napari_synth.synthesis.tiles import Follow

        follow = follow or Follow()
        tell = follow.on_tile
        if tell is None:
            return replace(follow)

        def on_tile(box: Box, pixels: np.ndarray) -> None:
            part = box.within(whole(*shape))
            if part.area:
                tell(part, self.in_colours_of(pixels[part.seen_from(box)], number))

        return replace(follow, on_tile=on_tile)

    def in_colours_of(self, image: np.ndarray, number: int) -> np.ndarray:
        """The image in grey where the option is."""
        looks = self.card.looks
        if looks and not looks[number].rgb and image.ndim == 3:
            return image.astype(np.float32).mean(-1).round().astype(np.uint8)
        return image


def padded_to(plane: np.ndarray, multiple: int) -> np.ndarray:
    """A plane continued by reflection until both sides are multiples."""
    missing = [(0, -side % multiple) for side in plane.shape]
    return np.pad(plane, missing, mode="symmetric")


def render_error(error: RuntimeError, device: str) -> WorkError:
    """What torch raised while rendering, in words for the user."""
    if out_of_memory(error):
        return WorkError(f"The {device} device ran out of memory while rendering.", "Use a smaller mask or the CPU.")
    return WorkError(f"Rendering failed on {device}: {error}.", "Try the device cpu and report this.")
