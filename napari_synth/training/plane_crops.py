"""Crops of two-channel planes that lie on the device."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from napari_synth.core.seeds import numpy_rng


class PlaneCrops:
    """Random squares cut where they are used, so that no step waits for a transfer.

    Parameters
    ----------
    planes : list of ndarray, shape (C, Y, X), float32
    crop : int
        Side of the square; smaller planes are continued by reflection.
    seed : int
    device : torch.device
    """

    def __init__(self, planes: list[np.ndarray], crop: int, seed: int, device: torch.device):
        self._crop = crop
        self._seed = seed
        self._planes = [torch.from_numpy(_filled_up(plane, crop)).to(device) for plane in planes]

    def batch(self, size: int, *keys: int | str) -> Tensor:
        """``[size, C, crop, crop]``, turned and flipped, for exactly these keys."""
        rng = numpy_rng(self._seed, "crop", *keys)
        return torch.stack([self._one(rng) for _ in range(size)])

    def _one(self, rng: np.random.Generator) -> Tensor:
        plane = self._planes[rng.integers(len(self._planes))]
        y, x = (int(rng.integers(side - self._crop + 1)) for side in plane.shape[1:])
        turns, flip = int(rng.integers(4)), rng.integers(2)
        part = torch.rot90(plane[:, y : y + self._crop, x : x + self._crop], turns, (1, 2))
        return part.flip(2) if flip else part


def _filled_up(plane: np.ndarray, side: int) -> np.ndarray:
    return np.pad(plane, [(0, 0), *((0, max(side - n, 0)) for n in plane.shape[1:])], "symmetric")
