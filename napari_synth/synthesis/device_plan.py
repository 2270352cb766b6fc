"""How much of an image is rendered at once: on a GPU as much as its memory holds, by what a pixel was seen to take.

On the CPU, and for an architecture whose tiles are not exactly parts of the whole, the sizes are the same
everywhere, so that an image does not depend on the machine.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import nn

if TYPE_CHECKING:
    from napari_synth.models.registry import TrainedModel

SHARE = 0.5
"""Of the free memory that one piece may take; the convolutions' own memory does not grow evenly."""
LARGEST_SIDE = 2048
"""Of one piece: a larger one is no faster, and nobody can stop it."""
SMALLEST_SIDE = 256
STEP = 64
MEASURED_FROM = 200 * 200
"""Pixels of an image that says what a pixel takes; in a smaller one other things take more."""


class Seen(NamedTuple):
    """The memory that the largest image so far took at its peak."""

    pixels: int
    bytes_per_pixel: float


_seen: weakref.WeakKeyDictionary[nn.Module, Seen] = weakref.WeakKeyDictionary()


@dataclass(frozen=True)
class DevicePlan:
    """How an image is rendered.

    Attributes
    ----------
    whole_pixels : int
        Most pixels in one piece.
    tile : int
        Side of a tile of a larger image; 0: as usual.
    """

    whole_pixels: int
    tile: int = 0


def plan_for(model: TrainedModel, whole_pixels: int, exact_tiles: bool) -> DevicePlan:
    """The plan for a model on its device; the usual one while it is not known what a pixel takes.

    Parameters
    ----------
    model : TrainedModel
    whole_pixels : int
        Most pixels in one piece as usual.
    exact_tiles : bool
        Whether tiles are exactly parts of the whole.
    """
    taken = footprint(model)
    if taken is None or not exact_tiles or model.device.type != "cuda":
        return DevicePlan(whole_pixels)
    fitting = SHARE * free_bytes(model.device) / taken
    side = int(min(max(fitting, 0) ** 0.5, LARGEST_SIDE)) // STEP * STEP
    side = max(side, SMALLEST_SIDE)
    return DevicePlan(side * side, side)


def footprint(model: TrainedModel) -> float | None:
    """Bytes that a pixel takes at the peak; None before an image was rendered on a GPU."""
    seen = _seen.get(model.network)
    return None if seen is None else seen.bytes_per_pixel


def free_bytes(device: torch.device) -> int:
    """Memory of a GPU that this process can get, with what torch holds and does not use."""
    free, _ = torch.cuda.mem_get_info(device)
    return free + torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)


@contextmanager
def measuring(model: TrainedModel, pixels: int) -> Iterator[None]:
    """Learn from an image rendered within what a pixel of this model takes on a GPU."""
    if model.device.type != "cuda" or pixels < MEASURED_FROM:
        yield
        return
    before = torch.cuda.memory_allocated(model.device)
    torch.cuda.reset_peak_memory_stats(model.device)
    yield
    taken = (torch.cuda.max_memory_allocated(model.device) - before) / pixels
    seen = _seen.get(model.network)
    if seen is None or pixels >= seen.pixels:  # small images take more for a pixel
        _seen[model.network] = Seen(pixels, max(taken, 1.0))
