"""Render a mask: the one path from labels to image, for window, Python, command line and export."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from napari_synth.core import arguments
from napari_synth.core.boxes import Box, full_box
from napari_synth.core.devices import out_of_memory
from napari_synth.core.errors import InputError
from napari_synth.core.recipe import CameraSettings, Precision
from napari_synth.models.registry import RoleModel
from napari_synth.synthesis.architectures.registry import architecture, stages_of
from napari_synth.synthesis.camera import grey_range_of, photograph, photograph_part
from napari_synth.synthesis.capsules.access import CapsuleAccess, interventions_of
from napari_synth.synthesis.latents.vectors import latent_for
from napari_synth.synthesis.padding import padded_to
from napari_synth.synthesis.request import (
    MAX_SIDE,
    TILE,
    Rendering,
    RenderRequest,
    Steering,
    check_condition,
    check_not_empty,
    check_option,
    option_name,
    render_error,
)
from napari_synth.synthesis.styles import check_style, style_for

if TYPE_CHECKING:
    from napari_synth.models.registry import TrainedModel
    from napari_synth.nets.capsule_stages import Stage
    from napari_synth.synthesis.live.follower import Follower
    from napari_synth.synthesis.network_io import ForwardRequest

UnitKey = tuple[str, int] | tuple[str, int, int]
"""(layer, capsule) or (layer, capsule, channel)."""


class Generator(RoleModel):
    """A trained generator, ready to render."""

    roles = ("generator", "pairs")
    does = "render images"

    def __init__(self, trained: TrainedModel):
        import torch

        from napari_synth.synthesis.networks import Networks

        super().__init__(trained)
        settle = getattr(trained.network, "settle", None)
        if settle is not None:
            settle()
        if trained.device.type == "cuda" and hasattr(trained.network, "fold_norms"):
            trained.network.fold_norms()  # type: ignore[operator]
        trained.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._networks = Networks(trained)
        self._compiles = False
        self._largest_tile = MAX_SIDE
        """As far as is known, what fits into the device's memory."""
        self._largest_piece = MAX_SIDE * MAX_SIDE

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
        style: int | Sequence[float] | np.ndarray | None = None,
        condition: np.ndarray | None = None,
        capture: Sequence[str] = (),
        routing: Sequence[str] = (),
        set: Mapping[UnitKey, float] | None = None,
        scale: Mapping[UnitKey, float] | None = None,
        precision: Precision = "exact",
        camera: CameraSettings | None = None,
    ) -> Rendering:
        """Image of a mask; see `RenderRequest` and `run`.

        ``set`` and ``scale`` map (layer, capsule) or (layer, capsule, channel) to the number that the
        activation is set to or multiplied by: ``set={("convcaps10", 0, 5): 0.0}``.
        """
        request = RenderRequest(
            mask,
            option,
            seed,
            z=z,
            style=check_style(self.card, style),
            condition=condition,
            interventions=interventions_of(set, scale),
            capture=arguments.texts(capture, "capture"),
            routing=arguments.texts(routing, "routing"),
            precision=precision,
            camera=camera,
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
        self._compiles = True

    def run(self, request: RenderRequest, steering: Steering | None = None) -> Rendering:
        """Render a request; the same request gives the same image on the same device.

        With the precision ``'fast'`` convolutions are computed in 16 bit, which changes the image by
        some grey levels; a copy of the network is then kept in that form.

        The mask is continued by reflection to the size the network accepts; image and activations
        are cropped back. More pixels than the architecture renders in one piece are rendered in tiles, which
        ``steering`` can watch and cancel; a tile that does not fit into the device's memory is halved, and
        stays so.

        Raises
        ------
        InputError
            If the mask, the option, z, the style, the condition, the precision, a layer or an intervention cannot
            be used.
        WorkError
            If the device runs out of memory.
        Cancelled
            What was finished went to ``steering.on_tile``.
        """
        from napari_synth.synthesis.network_io import ForwardRequest, in_colours_of
        from napari_synth.synthesis.precision import check_precision, computing
        from napari_synth.synthesis.threads import threads_for

        card = self.card
        check_precision(request.precision)
        labels = request.labels
        if not card.condition_channels:
            check_not_empty(labels)
        condition = check_condition(card, request.condition, labels.shape)
        option = check_option(card, request.option)
        if card.role == "pairs" and request.z is None:
            raise InputError(
                f"The model {card.id} makes its masks itself and renders no others.",
                "Use napari-synth pairs, ns.load_model(…).sample(seed), or From noise in the window.",
            )
        z = latent_for(request.z, request.seed, card.latent_size)
        style = style_for(self._trained, request.style, option, request.seed)
        access = CapsuleAccess(request, self.stages, card.id)
        padded = padded_to(labels, card.tile_multiple)
        beside = None if condition is None else padded_to(condition, card.tile_multiple)
        start = time.perf_counter()
        try:
            device = self._trained.device
            with threads_for(padded.size, device), computing(device, request.precision):
                wanted = ForwardRequest(padded, option, request.seed, z, access.probe, beside, style=style)
                on_image = self._on_image(request, option, steering or Steering())
                image, tile, remark = self._forward(request.precision, wanted, on_image)
        except RuntimeError as error:
            raise render_error(error, self.device) from error
        image = np.ascontiguousarray(image[: labels.shape[0], : labels.shape[1]])
        image = in_colours_of(card, image, option)
        if request.camera is not None:
            image = photograph(image, request.camera, request.seed, grey_range_of(card))
        seconds = time.perf_counter() - start
        kept = access.kept(labels.shape)
        name = option_name(card, request.option)
        code = tuple(style.tolist())
        return Rendering(image, seconds, name, request.seed, condition, *kept, tile=tile, remark=remark, style=code)

    def network_for(self, precision: Precision) -> TrainedModel:
        """The model as it computes with a precision, within `precision.computing`."""
        return self._networks.plain(precision)

    def follower(self, limit: int, precision: Precision = "exact") -> Follower | None:
        """How masks that are edited are followed; None where each render is a new one.

        Parameters
        ----------
        limit : int
            Bytes of activations that may be kept.
        precision : {'exact', 'fast'}
        """
        return architecture(self.card.architecture).follower(self.network_for(precision), limit, precision)

    def _forward(self, precision: Precision, wanted: ForwardRequest, steering: Steering) -> tuple[np.ndarray, int, str]:
        """The padded image, the side of its tiles or 0, and what is to be said about it."""
        from napari_synth.synthesis.device_plan import plan_for

        record = architecture(self.card.architecture)
        pixels = wanted.labels.size
        if pixels > record.whole_pixels:
            self._measure(precision, wanted)
        plan = plan_for(self.network_for(precision), record.whole_pixels, record.exact_tiles(self.card))
        short = False
        if pixels <= min(record.whole_pixels if wanted.probe else plan.whole_pixels, self._largest_piece):
            try:
                return self._whole(precision, wanted), 0, ""
            except RuntimeError as error:
                if record.tiler is None or not self._stepped_down(error):
                    raise
                short = True
        if record.tiler is None:
            raise InputError(
                f"The model {self.card.id} renders at most {record.whole_pixels} pixels, and the mask has "
                f"{wanted.labels.shape[1]}×{wanted.labels.shape[0]}.",
                "Crop it into smaller pieces.",
            )
        begun = min(steering.tile or plan.tile or TILE, self._largest_tile)
        image, tile = record.tiler(self.network_for(precision), wanted, replace(steering, tile=begun))
        if tile == begun and not short:
            return image, tile, ""
        self._largest_tile = tile
        return image, tile, f"The {self.device} device ran short of memory, so tiles have {tile} pixels from now on."

    def _whole(self, precision: Precision, wanted: ForwardRequest) -> np.ndarray:
        """The image in one piece."""
        form = self._networks.compiled if self._compiles and wanted.probe is None else self._networks.plain
        return architecture(self.card.architecture).forward(form(precision), wanted)

    def _measure(self, precision: Precision, wanted: ForwardRequest) -> None:
        """See what a pixel takes, from a part of a large image, where that decides how it is rendered."""
        from napari_synth.synthesis.device_plan import SMALLEST_SIDE, footprint

        model, record = self.network_for(precision), architecture(self.card.architecture)
        if self.device == "cuda" and record.exact_tiles(self.card) and footprint(model) is None:
            part = np.ascontiguousarray(wanted.labels[:SMALLEST_SIDE, :SMALLEST_SIDE])
            record.forward(model, replace(wanted, labels=part, probe=None))

    def _stepped_down(self, error: RuntimeError) -> bool:
        """Whether a GPU ran out of memory over an image in one piece, which goes on in tiles then."""
        if self.device != "cuda" or not out_of_memory(error):
            return False
        from napari_synth.synthesis.cuda.graphs import graphs_of

        graphs_of(self._trained.device).clear()
        self._largest_piece = TILE * TILE
        return True

    def _on_image(self, request: RenderRequest, option: int, steering: Steering) -> Steering:
        """How to steer the padded image, where the user watches the image.

        The camera sees each tile alone, so until the image is whole its blur does not cross their borders.
        """
        from napari_synth.synthesis.network_io import in_colours_of

        tell = steering.on_tile
        if tell is None:
            return steering

        height, width = request.labels.shape
        camera, seed, grey = request.camera, request.seed, grey_range_of(self.card)

        def on_tile(box: Box, pixels: np.ndarray) -> None:
            part = box.within(full_box(height, width))
            if not part.area:
                return
            image = in_colours_of(self.card, pixels[part.seen_from(box)], option)
            if camera is not None:
                image = photograph_part(image, part, part, (height, width), camera, seed, grey)
            tell(part, image)

        return replace(steering, on_tile=on_tile)
