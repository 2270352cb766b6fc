"""Exact tiles of the capsule generator: no more memory than one tile needs, whatever the canvas."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import torch

from napari_synth.core.boxes import Box, full_box
from napari_synth.core.devices import out_of_memory
from napari_synth.core.progress import Stopwatch
from napari_synth.datasets.mask_encoding import REACH, mask_plane
from napari_synth.nets.capspix2pix import CapsPix2PixGenerator, LatentPlane
from napari_synth.nets.probe import Probe
from napari_synth.synthesis.capsules.windows import StageMaps, needed_windows, render_window, stage_box
from napari_synth.synthesis.network_io import ForwardRequest, network_of
from napari_synth.synthesis.tiles import SMALLEST, Tiled, tile_boxes

if TYPE_CHECKING:
    from napari_synth.models.registry import TrainedModel
    from napari_synth.synthesis.request import Steering


def exact_tiles(model: TrainedModel, request: ForwardRequest, steering: Steering) -> Tiled:
    """The capsule generator's image, tile by tile; equal to the render in one piece.

    Every layer is computed over just the window that the tile needs of it, at most 72 pixels more
    on each side, with the zeros of the convolutions at the true border only. All tiles read one latent
    plane.
    """
    height, width = request.labels.shape
    network, tile = network_of(model, CapsPix2PixGenerator), steering.tile
    latent = LatentPlane(network, torch.from_numpy(request.z)[None].to(model.device))
    plane = _plane_over(request.labels, model.card.mask_meaning)
    image = np.zeros((height, width), np.uint8)
    boxes = tile_boxes(full_box(height, width), tile, steering.near)
    done, total = 0, len(boxes)
    watch = Stopwatch(total, steering.on_progress)
    watch.report(0, f"tile 1 of {total}")
    while boxes:
        box = boxes.pop(0)
        maps = StageMaps(network, height, width, needed_windows(network, box, height, width), plane, latent)
        try:
            _run_tile(maps, request.probe or Probe(), steering)
        except RuntimeError as error:
            if not out_of_memory(error) or tile <= SMALLEST:
                raise
            tile //= 2
            boxes = [part for larger in (box, *boxes) for part in tile_boxes(larger, tile)]
            total = done + len(boxes)
            watch = Stopwatch(total, steering.on_progress, done)
            continue
        pixels = (255 * maps.image).round().astype(np.uint8)
        image[box.seen_from(full_box(height, width))] = pixels
        done += 1
        steering.finished(box, pixels)
        watch.report(done, f"tile {done} of {total}, {tile} pixels each")
    return Tiled(image, tile)


def _run_tile(maps: StageMaps, outer: Probe, steering: Steering) -> None:
    """Compute a tile; what the probe keeps goes to its place in the maps of the whole canvas."""
    wanted = {*outer.capture, *outer.routing}

    def keep(name: str, box: Box, activation: torch.Tensor, coefficients: torch.Tensor | None) -> None:
        canvas = stage_box(name, maps.height, maps.width)
        for kept, part in ((outer.activations, activation), (outer.coefficients, coefficients)):
            if part is None or (kept is outer.activations and name not in outer.capture):
                continue
            if name not in kept:
                kept[name] = torch.zeros(*part.shape[:-2], canvas.height, canvas.width)
            kept[name][(..., *box.seen_from(canvas))] = part.cpu()

    probe = Probe(routing=outer.routing, edits=outer.edits)
    for _ in render_window(maps, probe, keep, wanted):
        steering.cancel.raise_if_cancelled()


def _plane_over(labels: np.ndarray, meaning: str) -> Callable[[Box], np.ndarray]:
    """The mask channel over any box of the canvas."""
    canvas = full_box(*labels.shape)

    def plane(box: Box) -> np.ndarray:
        seen = box.grown(REACH).within(canvas)
        return mask_plane(labels[seen.seen_from(canvas)], meaning)[box.seen_from(seen)]

    return plane
