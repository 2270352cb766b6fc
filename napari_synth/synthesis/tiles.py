"""Images of any size from overlapping windows, and what all tiles have in common.

The memory of a tile does not depend on the canvas. Where a device runs out of it, the tile is halved.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from napari_synth.core.boxes import Box, full_box
from napari_synth.core.devices import out_of_memory
from napari_synth.core.progress import Stopwatch

if TYPE_CHECKING:
    from napari_synth.models.registry import TrainedModel
    from napari_synth.synthesis.network_io import Forward, ForwardRequest
    from napari_synth.synthesis.request import Steering

SMALLEST = 64
OVERLAP = 0.25
"""Part of a window that it shares with the next one."""
HARDLY = 1e-4
"""Weight of the edge of a window, where the network saw nothing beyond, against that in another window."""


class Tiled(NamedTuple):
    """An image in tiles.

    Attributes
    ----------
    image : ndarray
        As `Forward` returns it.
    tile : int
        Side of its tiles; less than was asked for where the device ran out of memory.
    """

    image: np.ndarray
    tile: int


Tiler = Callable[["TrainedModel", "ForwardRequest", "Steering"], Tiled]


def tile_boxes(box: Box, tile: int, near: tuple[float, float] | None = None) -> list[Box]:
    """Boxes of at most ``tile`` squared that cover a box once, those near a place first."""
    boxes = [
        Box(top, left, min(top + tile, box.bottom), min(left + tile, box.right))
        for top in range(box.top, box.bottom, tile)
        for left in range(box.left, box.right, tile)
    ]
    if near is None:
        return boxes
    y, x = near
    return sorted(boxes, key=lambda b: ((b.top + b.bottom) / 2 - y) ** 2 + ((b.left + b.right) / 2 - x) ** 2)


def blended_windows(
    forward: Forward, model: TrainedModel, request: ForwardRequest, steering: Steering, edge: int = 0
) -> Tiled:
    """An image from overlapping windows, weighted towards their centres (MONAI's sliding window).

    The image beside the mask is cut into the same windows. Noise depends on the seed and the place: noise
    planes are those of the whole canvas, dropout is each window's own. Only a band of one window's height
    is held as float. Where the device runs out of memory the image is begun again with smaller windows.

    Parameters
    ----------
    edge : int
        So many pixels along a window's edge count for nothing where another window has them.
    """
    return _as_memory_allows(
        lambda side: _in_bands(forward, model, request, side, edge, steering), model, steering.tile
    )


def tiles_with_halo(
    forward: Forward, model: TrainedModel, request: ForwardRequest, steering: Steering, reach: int
) -> Tiled:
    """An image from tiles that are rendered with all around them that a pixel of theirs sees; equal to the whole.

    For an architecture whose noise depends on the place alone. Where the device runs out of memory the image is
    begun again with smaller tiles.

    Parameters
    ----------
    reach : int
        How far a pixel sees.
    """
    multiple = max(1, model.card.tile_multiple)
    halo = -(-reach // multiple) * multiple  # so that windows begin where the network's coarse pixels begin
    return _as_memory_allows(
        lambda side: _with_halo(forward, model, request, side, halo, steering), model, steering.tile
    )


def _as_memory_allows(render: Callable[[int], np.ndarray], model: TrainedModel, tile: int) -> Tiled:
    """An image in tiles of this side, a multiple of the card's; of half the side where memory runs out."""
    multiple = max(1, model.card.tile_multiple)
    while True:
        side = max(multiple, tile - tile % multiple)
        try:
            return Tiled(render(side), tile)
        except RuntimeError as error:
            if not out_of_memory(error) or side // 2 < max(multiple, SMALLEST):
                raise
            tile = side // 2


def _with_halo(
    forward: Forward, model: TrainedModel, request: ForwardRequest, side: int, halo: int, steering: Steering
) -> np.ndarray:
    """One pass of exact tiles."""
    canvas = full_box(*request.labels.shape)
    boxes = tile_boxes(canvas, side, steering.near)
    watch = Stopwatch(len(boxes), steering.on_progress)
    watch.report(0, f"tile 1 of {len(boxes)}")
    image = np.zeros(request.labels.shape, np.uint8)
    for done, box in enumerate(boxes, 1):
        steering.cancel.raise_if_cancelled()
        window = box.grown(halo).within(canvas)
        pixels = forward(model, _window_request(request, window))[box.seen_from(window)]
        if image.shape[2:] != pixels.shape[2:]:
            image = np.zeros((*request.labels.shape, *pixels.shape[2:]), pixels.dtype)
        image[box.seen_from(canvas)] = pixels
        steering.finished(box, pixels)
        watch.report(done, f"tile {done} of {len(boxes)}, {side} pixels each")
    return image


def _in_bands(
    forward: Forward, model: TrainedModel, request: ForwardRequest, side: int, edge: int, steering: Steering
) -> np.ndarray:
    """One pass of a sliding window, from the top to the bottom."""
    from monai.data.utils import compute_importance_map, dense_patch_slices

    height, width = shape = request.labels.shape
    size = tuple(min(side, extent) for extent in shape)
    step = tuple(max(1, int(extent * (1 - OVERLAP))) for extent in size)
    places = dense_patch_slices(shape, size, step)
    windows = [Box(rows.start, columns.start, rows.stop, columns.stop) for rows, columns in places]
    weight: np.ndarray = compute_importance_map(size, mode="gaussian", sigma_scale=0.125).numpy()
    for axis in (0, 1):
        ends = np.ones(size[axis], np.float32)
        ends[:edge] = ends[size[axis] - edge :] = HARDLY
        weight = weight * np.expand_dims(ends, 1 - axis)
    watch = Stopwatch(len(windows), steering.on_progress)
    watch.report(0, f"window 1 of {len(windows)}")
    steering.cancel.raise_if_cancelled()
    first = forward(model, _window_request(request, windows[0]))
    image = np.zeros((*shape, *first.shape[2:]), first.dtype)
    band = _Band(weight, width, first)
    done = 0
    for top, following in pairwise([*sorted({window.top for window in windows}), height]):
        for window in (window for window in windows if window.top == top):
            steering.cancel.raise_if_cancelled()
            band.add(window, forward(model, _window_request(request, window)) if done else first)
            done += 1
            watch.report(done, f"window {done} of {len(windows)}")
        image[top:following] = band.take(following - top)
        steering.finished(Box(top, 0, following, width), image[top:following])
    return image


def _window_request(request: ForwardRequest, window: Box) -> ForwardRequest:
    cut = window.seen_from(full_box(*request.labels.shape))
    labels = np.ascontiguousarray(request.labels[cut])
    beside = None if request.condition is None else np.ascontiguousarray(request.condition[cut])
    return replace(request, labels=labels, condition=beside, origin=(window.top, window.left))


class _Band:
    """The rows under the windows that are rendered now, as weighted sums.

    Parameters
    ----------
    weight : ndarray, shape (y, x), float32
        Of the pixels of a window.
    width : int
        Of the image.
    like : ndarray, shape (y, x) or (y, x, channel)
        A window's pixels, in the dtype of the image.
    """

    def __init__(self, weight: np.ndarray, width: int, like: np.ndarray):
        self._weight, self._dtype = weight, like.dtype
        self._flat = (1,) * (like.ndim - 2)
        self._sum = np.zeros((len(weight), width, *like.shape[2:]), np.float32)
        self._weights = np.zeros((len(weight), width), np.float32)

    def add(self, window: Box, pixels: np.ndarray) -> None:
        """Add the pixels of a window whose top is the band's."""
        columns = slice(window.left, window.right)
        self._sum[:, columns] += self._weight.reshape(*self._weight.shape, *self._flat) * pixels
        self._weights[:, columns] += self._weight

    def take(self, rows: int) -> np.ndarray:
        """The first rows, finished; the band moves on by them."""
        blended = self._sum[:rows] / self._weights[:rows].reshape(rows, -1, *self._flat)
        finished = (blended if self._dtype.kind == "f" else blended.round()).astype(self._dtype)
        for band in (self._sum, self._weights):
            left = band[rows:].copy()
            band[: len(left)] = left
            band[len(left) :] = 0
        return finished
