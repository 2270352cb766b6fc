"""Images of any size: exact tiles for the capsule generator, blended windows for the others.

The memory of a tile does not depend on the canvas. Where a device runs out of it, the tile is halved.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from napari_synth.core.boxes import Box, whole
from napari_synth.core.devices import out_of_memory
from napari_synth.core.progress import CancelToken, OnProgress, Stopwatch, ignore_progress
from napari_synth.datasets.encoding import REACH, mask_plane
from napari_synth.nets.capspix2pix import LatentPlane
from napari_synth.nets.probe import Probe
from napari_synth.synthesis.forward import FORWARDS, ForwardRequest, latent_of
from napari_synth.synthesis.maps import StageMaps, canvas_of, needed_windows, render_window

if TYPE_CHECKING:
    from napari_synth.models.registry import TrainedModel

TILE = 512
SMALLEST = 64
OVERLAP = 0.25
"""Part of a window that it shares with the next one."""

OnTile = Callable[[Box, np.ndarray], None]


@dataclass
class Follow:
    """How a large render is followed and steered.

    Attributes
    ----------
    on_progress : callable
    cancel : CancelToken
    on_tile : callable
        Given each finished box and its pixels, in the thread that renders.
    near : tuple of float, optional
        Place (y, x) around which tiles are rendered first.
    tile : int
        Side of a tile; smaller afterwards where the device ran out of memory.
    """

    on_progress: OnProgress = ignore_progress
    cancel: CancelToken = field(default_factory=CancelToken)
    on_tile: OnTile | None = None
    near: tuple[float, float] | None = None
    tile: int = TILE

    def finished(self, box: Box, pixels: np.ndarray) -> None:
        if self.on_tile is not None:
            self.on_tile(box, pixels)


def grid(box: Box, tile: int, near: tuple[float, float] | None = None) -> list[Box]:
    """Boxes of at most ``tile`` squared that cover a box once, those near a place first."""
    y, x = near or (box.top, box.left)
    boxes = [
        Box(top, left, min(top + tile, box.bottom), min(left + tile, box.right))
        for top in range(box.top, box.bottom, tile)
        for left in range(box.left, box.right, tile)
    ]
    if near is None:
        return boxes
    return sorted(boxes, key=lambda b: ((b.top + b.bottom) / 2 - y) ** 2 + ((b.left + b.right) / 2 - x) ** 2)


def exact_tiles(model: TrainedModel, request: ForwardRequest, follow: Follow) -> np.ndarray:
    """The capsule generator's image, tile by tile; equal to the render in one piece.

    Every layer is computed over just the window that the tile needs of it, at most 72 pixels more
    on each side, with the zeros of the convolutions at the true border only. All tiles read one latent
    plane.
    """
    height, width = request.labels.shape
    network: Any = model.network
    z = request.z if request.z is not None else latent_of(request.seed)
    latent = LatentPlane(network, torch.from_numpy(z)[None].to(model.device))
    image = np.zeros((height, width), np.uint8)
    boxes = grid(whole(height, width), follow.tile, follow.near)
    done, total = 0, len(boxes)
    watch = Stopwatch(total, follow.on_progress)
    watch.report(0, f"tile 1 of {total}")
    while boxes:
        box = boxes.pop(0)
        maps = StageMaps(
            network, height, width, needed_windows(network, box, height, width), _planes(model, request.labels), latent
        )
        try:
            _run_tile(maps, request.probe, follow)
        except RuntimeError as error:
            if not out_of_memory(error) or follow.tile <= SMALLEST:
                raise
            follow.tile //= 2
            boxes = [part for whole_tile in (box, *boxes) for part in grid(whole_tile, follow.tile)]
            watch = Stopwatch(done + len(boxes), follow.on_progress, done)
            total = done + len(boxes)
            continue
        pixels = (255 * maps.image).round().astype(np.uint8)
        image[box.seen_from(whole(height, width))] = pixels
        done += 1
        follow.finished(box, pixels)
        watch.report(done, f"tile {done} of {total}, {follow.tile} pixels each")
    return image


def _run_tile(maps: StageMaps, outer: Probe | None, follow: Follow) -> None:
    outer = outer or Probe()
    wanted = {*outer.capture, *outer.routing}

    def keep(name: str, box: Box, activation: torch.Tensor, coefficients: torch.Tensor | None) -> None:
        canvas = canvas_of(name, maps.height, maps.width)
        for kept, part in ((outer.activations, activation), (outer.coefficients, coefficients)):
            if part is None or (kept is outer.activations and name not in outer.capture):
                continue
            if name not in kept:
                kept[name] = torch.zeros(*part.shape[:-2], canvas.height, canvas.width)
            kept[name][(..., *box.seen_from(canvas))] = part.cpu()

    probe = Probe(routing=outer.routing, edits=outer.edits)
    for _ in render_window(maps, probe, keep, wanted):
        follow.cancel.raise_if_cancelled()


def _planes(model: TrainedModel, labels: np.ndarray) -> Callable[[Box], np.ndarray]:
    canvas = whole(*labels.shape)

    def plane(box: Box) -> np.ndarray:
        seen = box.grown(REACH).within(canvas)
        return mask_plane(labels[seen.seen_from(canvas)], model.card.mask_meaning)[box.seen_from(seen)]

    return plane


def blended_windows(model: TrainedModel, request: ForwardRequest, follow: Follow) -> np.ndarray:
    """An image from overlapping windows, weighted towards their centres (MONAI's sliding window).

    The image beside the mask is cut into the same windows. Noise depends on the seed and the place: noise
    planes are those of the whole canvas, dropout is each window's own. Only a band of one window's height
    is held as float. Where the device runs out of memory the image is begun again with smaller windows.
    """
    multiple = max(1, model.card.tile_multiple)
    while True:
        tile = max(multiple, follow.tile - follow.tile % multiple)
        try:
            return _Bands(model, request, tile, follow).render()
        except RuntimeError as error:
            if not out_of_memory(error) or tile // 2 < max(multiple, SMALLEST):
                raise
            follow.tile = tile // 2


class _Bands:
    """One pass of a sliding window, from the top to the bottom."""

    def __init__(self, model: TrainedModel, request: ForwardRequest, tile: int, follow: Follow):
        from monai.data.utils import compute_importance_map, dense_patch_slices

        self._model, self._request, self._follow = model, request, follow
        self._shape = request.labels.shape
        size = tuple(min(tile, side) for side in self._shape)
        step = tuple(max(1, int(side * (1 - OVERLAP))) for side in size)
        self._windows = [
            Box(rows.start, columns.start, rows.stop, columns.stop)
            for rows, columns in dense_patch_slices(self._shape, size, step)
        ]
        self._weight = compute_importance_map(size, mode="gaussian", sigma_scale=0.125).numpy()
        self._sum: np.ndarray | None = None
        self._weights = np.zeros((size[0], self._shape[1]), np.float32)

    def render(self) -> np.ndarray:
        windows, follow = self._windows, self._follow
        tops = sorted({window.top for window in windows})
        watch = Stopwatch(len(windows), follow.on_progress)
        watch.report(0, f"window 1 of {len(windows)}")
        image: np.ndarray | None = None
        done = 0
        for top, following in pairwise([*tops, self._shape[0]]):
            for window in (window for window in windows if window.top == top):
                follow.cancel.raise_if_cancelled()
                self._add(window)
                done += 1
                watch.report(done, f"window {done} of {len(windows)}")
            finished = self._take(following - top)
            if image is None:
                image = np.zeros((*self._shape, *finished.shape[2:]), finished.dtype)
            image[top:following] = finished
            follow.finished(Box(top, 0, following, self._shape[1]), finished)
        return image

    def _add(self, window: Box) -> None:
        request = self._request
        cut = window.seen_from(whole(*self._shape))
        beside = None if request.condition is None else np.ascontiguousarray(request.condition[cut])
        labels = np.ascontiguousarray(request.labels[cut])
        part = replace(request, labels=labels, condition=beside, origin=(window.top, window.left))
        pixels = FORWARDS[self._model.card.architecture](self._model, part)
        if self._sum is None:
            self._sum = np.zeros((*self._weights.shape, *pixels.shape[2:]), np.float32)
            self._dtype = pixels.dtype
        columns = slice(window.left, window.right)
        weight = self._weight.reshape(*self._weight.shape, *(1,) * (pixels.ndim - 2))
        self._sum[:, columns] += weight * pixels
        self._weights[:, columns] += self._weight

    def _take(self, rows: int) -> np.ndarray:
        """The first rows, finished; the band moves on by them."""
        weights = self._weights[:rows].reshape(rows, -1, *(1,) * (self._sum.ndim - 2))
        blended = self._sum[:rows] / weights
        finished = (blended if self._dtype.kind == "f" else blended.round()).astype(self._dtype)
        for band in (self._sum, self._weights):
            left = band[rows:].copy()
            band[: len(left)] = left
            band[len(left) :] = 0
        return finished


Tiler = Callable[["TrainedModel", ForwardRequest, Follow], np.ndarray]
TILERS: dict[str, Tiler] = {
    "capspix2pix": exact_tiles,
    "optional-pix2pix": blended_windows,
    "pix2pix": blended_windows,
    "metgan": blended_windows,
    "metgan-unet": blended_windows,
}
"""How each architecture renders what is too large for one piece."""

WHOLE_PIXELS = {"capspix2pix": 512 * 512} | dict.fromkeys(
    ("optional-pix2pix", "pix2pix", "metgan", "metgan-unet"), 1024 * 1024
)
"""Most pixels in one piece. Exact tiles are no slower than the whole and take a fraction of its memory."""
