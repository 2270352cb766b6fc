"""The partial update of the pix2pix generator: exact, or during a stroke with the innermost levels frozen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from napari_synth.core.boxes import Box, merged, whole
from napari_synth.core.progress import CancelToken
from napari_synth.core.seeds import torch_generator
from napari_synth.datasets.mask_encoding import from_network
from napari_synth.nets.pix2pix import Pix2PixGenerator, repeatable_tanh
from napari_synth.nets.receptive_windows import Reach, convolve_window
from napari_synth.synthesis.architectures.forward import option_channel
from napari_synth.synthesis.generator import check_option
from napari_synth.synthesis.live.mask_plane import PaddedPlane, padded_side

if TYPE_CHECKING:
    from napari_synth.synthesis.generator import Generator, RenderRequest
    from napari_synth.synthesis.live.canvas import Mode

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


class UNetFollower:
    """Keeps the activations of one mask, option and seed, and redoes what a change of them reaches.

    Render statistics of the norm are those of the training, and dropout is drawn once per seed, so
    an activation depends on the mask near it only: the result equals a full render to rounding.
    Within a stroke the levels that see far are left as they were; the end of the stroke redoes them.

    Parameters
    ----------
    generator : Generator
        A pix2pix generator with ``norm='batch'``.
    limit : int
        Bytes that may be kept.
    precision : {'exact', 'fast'}
        With ``'fast'``, use it within `precision.computing`.
    """

    def __init__(self, generator: Generator, limit: int, precision: str = "exact"):
        self._model = generator.network_for(precision)
        self._card = generator.card
        self._colours = generator.in_colours_of
        self._network: Any = self._model.network
        self._levels = levels_of(self._network)
        self._consumers = {a.name: [b for b in self._levels if a.name in b.inputs] for a in self._levels}
        self.limit = limit
        self.computed = 0
        """Output pixels of all blocks computed in the last update."""
        self._complete = False
        self._plane: PaddedPlane | None = None
        self._state: tuple[int, int | None] | None = None
        self._maps: dict[str, Tensor] = {}
        self._noise: dict[str, Tensor] = {}
        self._dirty: dict[str, list[Box]] = {}
        self._image = np.zeros((0, 0, 1), np.float32)

    @property
    def nbytes(self) -> int:
        """Bytes that are kept now."""
        tensors = [*self._maps.values(), *self._noise.values()]
        return sum(tensor.numel() * tensor.element_size() for tensor in tensors) + self._image.nbytes

    def fits(self, shape: tuple[int, ...]) -> bool:
        """Whether the activations of a mask of this size may be kept."""
        return self._needed(shape) <= self.limit

    def too_large(self, shape: tuple[int, ...]) -> str:
        """The sentence for a mask that does not fit."""
        return (
            f"A mask of {shape[1]}×{shape[0]} pixels would keep {self._needed(shape) / 2**30:.1f} GB of "
            f"activations, over the limit of {self.limit / 2**30:.1f} GB, so it is rendered whole."
        )

    def forget(self) -> None:
        """Give the memory back."""
        self._plane = self._state = None
        for kept in (self._maps, self._noise, self._dirty):
            kept.clear()

    def option(self, request: RenderRequest) -> str:
        """The name of the look."""
        return self._card.looks[check_option(self._card, request.option)].name if self._card.looks else ""

    def pixels(self, box: Box) -> np.ndarray:
        """The image over a box, uint8."""
        values = self._image[box.top : box.bottom, box.left : box.right]
        pixels = from_network(values[..., 0] if values.shape[-1] == 1 else values, *self._card.network_range)
        return self._colours(pixels, self._state[0])

    def follow(
        self, request: RenderRequest, boxes: Sequence[Box] | None, settled: bool, cancel: CancelToken | None
    ) -> tuple[list[Box], Mode]:
        """Bring the image up to date; where it changed, and whether it is exact."""
        shape, state = request.mask.shape, (check_option(self._card, request.option), request.seed)
        fresh = self._plane is None or self._plane.shape != shape or state != self._state
        with torch.inference_mode():
            if self._plane is None or self._plane.shape != shape:
                self._plane = PaddedPlane(shape, self._card.tile_multiple, self._card.mask_meaning)
                self._maps.clear()
                boxes = None
            if fresh:
                self._complete = False
                self._state = state
                self._draw_noise()
                self._dirty = {"down0": [self._canvas(2)], "image": [self._plane.canvas]}
            for box in self._plane.update(request.mask, boxes):
                self._soil_from_mask(box)
            self.computed = 0
            changed = self._run(settled or not self._complete, cancel or CancelToken())
            self._complete = True
        frozen = any(self._dirty.values())
        found = [box.within(whole(*shape)) for box in changed]
        return [box for box in found if box.area], "preview" if frozen else "partial"

    def _needed(self, shape: tuple[int, ...]) -> int:
        height, width = (padded_side(side, self._card.tile_multiple) for side in shape)
        per_pixel = 4.0 * (self._channels_out() + 1)
        for level in self._levels:
            per_pixel += 4 * level.block.conv.out_channels / level.factor**2
        for _, dropout, channels, factor in self._dropouts():
            per_pixel += (dropout.p > 0) * channels / factor**2
        return int(per_pixel * height * width)

    def _channels_out(self) -> int:
        head = self._network.head
        return head.colour.out_channels if head is not None else self._levels[-1].block.conv.out_channels

    def _canvas(self, factor: int) -> Box:
        height, width = self._plane.values.shape
        return whole(height // factor, width // factor)

    def _draw_noise(self) -> None:
        """The keep masks of all dropouts, drawn as the network draws them."""
        self._noise.clear()
        seed = self._state[1]
        if seed is None:
            return
        noise = torch_generator(seed, "render")
        for name, dropout, channels, factor in self._dropouts():
            if dropout.p:
                canvas = self._canvas(factor)
                drawn = torch.rand((1, channels, canvas.height, canvas.width), generator=noise)
                self._noise[name] = (drawn >= dropout.p).to(self._model.device)

    def _dropouts(self) -> list[tuple[str, Any, int, int]]:
        """Name, module, channels and factor of each dropout, in the order of the network."""
        head = self._network.head
        places = [
            (level.name, level.block.dropout, level.block.conv.out_channels, level.factor)
            for level in self._levels
            if level.name.startswith("up")
        ]
        return places if head is None else [*places, ("image", head.dropout, head.detail.out_channels, 1)]

    def _dropped(self, name: str, x: Tensor, box: Box, dropout: Any) -> Tensor:
        keep = self._noise.get(name)
        if keep is None:
            return x
        part = keep[..., box.top : box.bottom, box.left : box.right]
        return x * part.to(x.dtype) / (1 - dropout.p)

    def _soil(self, name: str, box: Box) -> None:
        if box.area:
            self._dirty.setdefault(name, []).append(box)

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
            boxes = merged(self._dirty.get(level.name, []))
            for box in boxes:
                cancel.raise_if_cancelled()
                self._redo(level, box)
                self.computed += box.area
            for box in boxes:
                self._spread(level, box)
            self._dirty.pop(level.name, None)
        boxes = merged(self._dirty.get("image", []))
        for box in boxes:
            cancel.raise_if_cancelled()
            self._redo_image(box)
        self._dirty.pop("image", None)
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
            out = self._dropped(level.name, out, box, block.dropout)
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
            return self._mask(origin)
        return torch.cat([self._part(name, origin) for name in level.inputs], dim=1)

    def _part(self, name: str, box: Box) -> Tensor:
        return self._maps[name][box.top : box.bottom, box.left : box.right].permute(2, 0, 1)[None]

    def _mask(self, box: Box) -> Tensor:
        plane = torch.from_numpy(np.ascontiguousarray(self._plane.over(box)))[None, None]
        return option_channel(self._model, plane, self._state[0]).to(self._model.device)

    def _redo_image(self, box: Box) -> None:
        head, last = self._network.head, self._levels[-1].name
        if head is None:
            x = self._part(last, box)
        else:
            middle = box.grown(1).within(self._plane.canvas)
            origin = box.grown(2).within(self._plane.canvas)
            joined = torch.cat([torch.relu(self._part(last, origin)), self._mask(origin)], dim=1)
            detail = torch.relu(convolve_window(head.detail, joined, origin, middle))
            x = convolve_window(head.colour, self._dropped("image", detail, middle, head.dropout), middle, box)
        values = repeatable_tanh(x)[0].permute(1, 2, 0).float().cpu().numpy()
        if self._image.shape != (*self._plane.values.shape, values.shape[-1]):
            self._image = np.zeros((*self._plane.values.shape, values.shape[-1]), np.float32)
        self._image[box.top : box.bottom, box.left : box.right] = values


def _resizes(block: nn.Module) -> bool:
    return isinstance(getattr(block, "resize", None), nn.Upsample)


def _doubled(box: Box) -> Box:
    """Where a bilinear doubling passes a change on."""
    return Box(2 * box.top - 1, 2 * box.left - 1, 2 * box.bottom + 1, 2 * box.right + 1)
