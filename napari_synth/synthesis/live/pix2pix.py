"""The partial update of the pix2pix generator: exact, or during a stroke with the innermost levels frozen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from napari_synth.core.boxes import Box, full_box, merged
from napari_synth.core.progress import CancelToken
from napari_synth.core.recipe import Precision
from napari_synth.core.seeds import torch_generator
from napari_synth.datasets.mask_encoding import from_network
from napari_synth.nets.pix2pix import Pix2PixGenerator, repeatable_tanh
from napari_synth.nets.receptive_windows import Reach, convolve_window
from napari_synth.synthesis.live.follower import BoundedFollower, Mode
from napari_synth.synthesis.live.mask_plane import PaddedPlane
from napari_synth.synthesis.network_io import (
    in_colours_of,
    network_of,
    one_channel_flat,
    pix2pix_input,
)
from napari_synth.synthesis.padding import padded_side
from napari_synth.synthesis.precision import computing
from napari_synth.synthesis.request import check_option
from napari_synth.synthesis.styles import style_for
from napari_synth.synthesis.threads import threads_for

if TYPE_CHECKING:
    from napari_synth.models.registry import TrainedModel
    from napari_synth.synthesis.request import RenderRequest

FROZEN_FACTOR = 16
"""Levels of this reduction and coarser are frozen during a stroke."""


class Level(NamedTuple):
    """A block of the network.

    Attributes
    ----------
    name : str
    block : nn.Module
    inputs : tuple of str
        Blocks it reads, joined in this order; empty for the mask.
    factor : int
        The image's size divided by its own.
    frozen : bool
        Whether it waits for the end of a stroke.
    """

    name: str
    block: Any
    inputs: tuple[str, ...]
    factor: int
    frozen: bool


def levels_of(network: Pix2PixGenerator) -> list[Level]:
    """All blocks in order."""
    depth = network.levels
    found = []
    for i, block in enumerate(network.down):
        factor = 2 ** (i + 1)
        found.append(Level(f"down{i}", block, (f"down{i - 1}",) if i else (), factor, factor >= FROZEN_FACTOR))
    for k, block in enumerate(network.up):
        skip = f"down{depth - 1 - k}"
        inputs = (f"up{k - 1}", skip) if k else (skip,)
        found.append(Level(f"up{k}", block, inputs, 2 ** (depth - 1 - k), 2 ** (depth - k) >= FROZEN_FACTOR))
    return found


class Dropout(NamedTuple):
    """A dropout of the network.

    Attributes
    ----------
    name : str
        Of the block that it belongs to; ``image`` for the head.
    p : float
    channels : int
    factor : int
        The image's size divided by its own.
    """

    name: str
    p: float
    channels: int
    factor: int


def dropouts_of(network: Pix2PixGenerator) -> list[Dropout]:
    """All dropouts, in the order in which the network draws them."""
    found = [
        Dropout(level.name, level.block.dropout.p, level.block.conv.out_channels, level.factor)
        for level in levels_of(network)
        if level.name.startswith("up")
    ]
    head = network.head
    return found if head is None else [*found, Dropout("image", head.dropout.p, head.detail.out_channels, 1)]


def channels_out(network: Pix2PixGenerator) -> int:
    """Channels of the image."""
    head = network.head
    return int(head.colour.out_channels if head is not None else levels_of(network)[-1].block.conv.out_channels)


class Appearance(NamedTuple):
    """All that an image depends on beside its mask.

    Attributes
    ----------
    option : int
        Its number.
    seed : int or None
    style : tuple of float
        Its code; empty for a model without styles.
    """

    option: int
    seed: int | None
    style: tuple[float, ...]


class FollowedImage:
    """Keeps the activations of one mask, option, seed and style, and redoes what a change of them reaches.

    Render statistics of the norm are those of the training, dropout is drawn once per seed, and noise planes
    belong to places, so an activation depends on the mask near it only: the result equals a full render to rounding.
    Within a stroke the levels that see far are left as they were; the end of the stroke redoes them.
    See `FollowedMask`.

    Parameters
    ----------
    model : TrainedModel
        A pix2pix generator with ``norm='batch'``, as it computes with the precision.
    request : RenderRequest
    precision : {'exact', 'fast'}
    """

    def __init__(self, model: TrainedModel, request: RenderRequest, precision: Precision):
        self._model, self._card, self._precision = model, model.card, precision
        self._network = network_of(model, Pix2PixGenerator)
        self._levels = levels_of(self._network)
        self._consumers = {a.name: [b for b in self._levels if a.name in b.inputs] for a in self._levels}
        self._dropouts = {dropout.name: dropout for dropout in dropouts_of(self._network)}
        self.computed = 0
        """Output pixels of all blocks computed in the last update."""
        self._plane = PaddedPlane(request.mask, self._card.tile_multiple, self._card.mask_meaning)
        self._maps: dict[str, Tensor] = {}
        self._image = np.zeros((*self._plane.values.shape, channels_out(self._network)), np.float32)
        self._complete = False
        """Whether the image was computed once in this appearance."""
        self._begin(self._look_of(request))

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the mask."""
        return self._plane.shape

    @property
    def nbytes(self) -> int:
        """Bytes that are kept now."""
        tensors = [*self._maps.values(), *self._noise.values()]
        arrays = self._image.nbytes + self._plane.values.nbytes
        return sum(tensor.numel() * tensor.element_size() for tensor in tensors) + arrays

    def pixels(self, box: Box) -> np.ndarray:
        """The image over a box, uint8."""
        values = one_channel_flat(self._image[box.top : box.bottom, box.left : box.right])
        return in_colours_of(self._card, from_network(values, *self._card.network_range), self._look.option)

    def follow(
        self, request: RenderRequest, boxes: Sequence[Box] | None, settled: bool, cancel: CancelToken
    ) -> tuple[list[Box], Mode]:
        """Bring the image up to date; where it changed, and whether it is exact."""
        look = self._look_of(request)
        if look != self._look:
            self._begin(look)
        with computing(self._model.device, self._precision):
            for box in self._plane.update(request.mask, boxes):
                self._soil_from_mask(box)
            self.computed = 0
            changed = self._run(settled or not self._complete, cancel)
            self._complete = True
        frozen = any(self._stale.values())
        found = [box.within(full_box(*self.shape)) for box in changed]
        return [box for box in found if box.area], "preview" if frozen else "partial"

    def _look_of(self, request: RenderRequest) -> Appearance:
        option = check_option(self._card, request.option)
        return Appearance(option, request.seed, tuple(style_for(self._model, request.style, option, request.seed)))

    def _begin(self, look: Appearance) -> None:
        """Another appearance: all is to be computed again, and shown when it is complete."""
        self._look = look
        self._style = np.array(look.style, np.float32)
        self._noise = self._drawn(look.seed)
        self._stale: dict[str, list[Box]] = {"down0": [self._canvas(2)], "image": [self._plane.canvas]}
        self._complete = False

    def _canvas(self, factor: int) -> Box:
        height, width = self._plane.values.shape
        return full_box(height // factor, width // factor)

    def _drawn(self, seed: int | None) -> dict[str, Tensor]:
        """The keep masks of all dropouts under a seed, drawn as the network draws them."""
        if seed is None:
            return {}
        noise, keep = torch_generator(seed, "render"), {}
        for name, p, channels, factor in self._dropouts.values():
            if p:
                canvas = self._canvas(factor)
                drawn = torch.rand((1, channels, canvas.height, canvas.width), generator=noise)
                keep[name] = (drawn >= p).to(self._model.device)
        return keep

    def _dropped(self, name: str, x: Tensor, box: Box) -> Tensor:
        keep = self._noise.get(name)
        if keep is None:
            return x
        part = keep[..., box.top : box.bottom, box.left : box.right]
        return x * part.to(x.dtype) / (1 - self._dropouts[name].p)

    def _soil(self, name: str, box: Box) -> None:
        if box.area:
            self._stale.setdefault(name, []).append(box)

    def _soil_from_mask(self, box: Box) -> None:
        first = self._levels[0].block.conv
        self._soil("down0", Reach.of(first).affected(box).within(self._canvas(2)))
        if self._network.head is not None:
            self._soil("image", box.grown(2).within(self._plane.canvas))

    def _spread(self, level: Level, box: Box) -> None:
        for consumer in self._consumers[level.name]:
            block = consumer.block
            reached = Reach.of(block.conv).affected(_doubled(box) if _resizes(block) else box)
            self._soil(consumer.name, reached.within(self._canvas(consumer.factor)))
        if level is self._levels[-1]:
            margin = 2 if self._network.head is not None else 0
            self._soil("image", box.grown(margin).within(self._plane.canvas))

    def _run(self, everything: bool, cancel: CancelToken) -> list[Box]:
        for level in self._levels:
            if level.frozen and not everything:
                continue
            boxes = merged(self._stale.get(level.name, []))
            for box in boxes:
                cancel.raise_if_cancelled()
                with threads_for(box.area * level.factor**2, self._model.device):
                    self._redo(level, box)
                self.computed += box.area
            for box in boxes:
                self._spread(level, box)
            self._stale.pop(level.name, None)
        boxes = merged(self._stale.get("image", []))
        for box in boxes:
            cancel.raise_if_cancelled()
            with threads_for(box.area, self._model.device):
                self._redo_image(box)
        self._stale.pop("image", None)
        return boxes

    def _redo(self, level: Level, box: Box) -> None:
        block = level.block
        if _resizes(block):
            out = self._resized(level, box)
        else:
            canvas = self._input_canvas(level)
            origin = Reach.of(block.conv).needed(box).within(canvas)
            x = self._input(level, origin)
            activate = block.activation if level.name.startswith("down") else torch.relu
            out = convolve_window(block.conv, activate(x), origin, box)
        out = block.norm(out)
        if level.name.startswith("up"):
            out = self._dropped(level.name, out, box)
        if level.name not in self._maps:
            canvas = self._canvas(level.factor)
            self._maps[level.name] = out.new_empty(canvas.height, canvas.width, out.shape[1])
        self._maps[level.name][box.top : box.bottom, box.left : box.right] = out[0].permute(1, 2, 0)

    def _resized(self, level: Level, box: Box) -> Tensor:
        """Bilinear doubling and a convolution over a window of the convolution's output."""
        block, coarse = level.block, self._input_canvas(level)
        fine = Reach.of(block.conv).needed(box).within(self._canvas(level.factor))
        origin = Box(
            (fine.top - 1) // 2, (fine.left - 1) // 2, (fine.bottom - 2) // 2 + 2, (fine.right - 2) // 2 + 2
        ).within(coarse)
        x = block.resize(torch.relu(self._input(level, origin)))
        corner = Box(2 * origin.top, 2 * origin.left, 0, 0)
        return convolve_window(block.conv, x[(..., *fine.seen_from(corner))], fine, box)

    def _input_canvas(self, level: Level) -> Box:
        if not level.inputs:
            return self._plane.canvas
        return self._canvas(next(other.factor for other in self._levels if other.name == level.inputs[0]))

    def _input(self, level: Level, origin: Box) -> Tensor:
        if not level.inputs:
            return self._entry(origin)
        return torch.cat([self._part(name, origin) for name in level.inputs], dim=1)

    def _part(self, name: str, box: Box) -> Tensor:
        return self._maps[name][box.top : box.bottom, box.left : box.right].permute(2, 0, 1)[None]

    def _entry(self, box: Box) -> Tensor:
        plane = torch.from_numpy(np.ascontiguousarray(self._plane.over(box)))[None, None]
        look, place = self._look, (box.top, box.left)
        x = pix2pix_input(self._model, plane, look.option, look.seed, self._style, place)
        return x.to(self._model.device)

    def _redo_image(self, box: Box) -> None:
        head, last = self._network.head, self._levels[-1].name
        if head is None:
            x = self._part(last, box)
        else:
            middle = box.grown(1).within(self._plane.canvas)
            origin = box.grown(2).within(self._plane.canvas)
            joined = torch.cat([torch.relu(self._part(last, origin)), self._entry(origin)], dim=1)
            detail = torch.relu(convolve_window(head.detail, joined, origin, middle))
            x = convolve_window(head.colour, self._dropped("image", detail, middle), middle, box)
        values = repeatable_tanh(x)[0].permute(1, 2, 0).float().cpu().numpy()
        self._image[box.top : box.bottom, box.left : box.right] = values


def _resizes(block: nn.Module) -> bool:
    return isinstance(getattr(block, "resize", None), nn.Upsample)


def _doubled(box: Box) -> Box:
    """Where a bilinear doubling passes a change on."""
    return Box(2 * box.top - 1, 2 * box.left - 1, 2 * box.bottom + 1, 2 * box.right + 1)


class UNetFollower(BoundedFollower):
    """Follows the masks of a pix2pix generator; during a stroke with the innermost levels frozen."""

    def needed(self, shape: tuple[int, ...]) -> int:
        """Bytes that the activations of a mask of this size take."""
        network = network_of(self.model, Pix2PixGenerator)
        height, width = (padded_side(side, self.model.card.tile_multiple) for side in shape)
        per_pixel = 4.0 * (channels_out(network) + 1)
        for level in levels_of(network):
            per_pixel += 4 * level.block.conv.out_channels / level.factor**2
        for dropout in dropouts_of(network):
            per_pixel += (dropout.p > 0) * dropout.channels / dropout.factor**2
        return int(per_pixel * height * width)

    def begin(self, request: RenderRequest) -> FollowedImage:
        """What is kept for the mask of a request."""
        return FollowedImage(self.model, request, self.precision)
