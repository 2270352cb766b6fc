"""Image-mask pairs held on the device as uint8 and cut, turned, flipped and scaled there."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import affine_grid, grid_sample, interpolate

from napari_synth.core.seeds import numpy_rng
from napari_synth.datasets.encoding import mask_plane
from napari_synth.datasets.pairs import LoadedPair

SCALED = 0.6
"""Share of the crops that are scaled; the others keep their pixels as they are."""


class DevicePairs:
    """Random training pairs; the batch of a step depends on ``seed`` and ``step`` alone.

    Images are kept as overlapping tiles of one size, so that a batch is one call for all samples.

    Parameters
    ----------
    looks : list of list of LoadedPair
        Pairs of each look; all looks weigh the same, and all images of a look.
    size : int
        Side of the square pairs in pixels.
    meaning : str
        See `datasets.encoding.mask_plane`; without touching instances parted.
    seed : int
    whole : bool
        Every image resized to the square as a whole, in place of crops.
    zoom : float
        Crops show a part of ``exp(-zoom)`` to ``exp(zoom)`` times their size; 0 for none.
    group : int
        So many neighbours in a batch are of one look.
    """

    def __init__(
        self,
        looks: list[list[LoadedPair]],
        size: int,
        seed: int,
        *,
        meaning: str = "foreground",
        whole: bool = False,
        zoom: float = 0.0,
        group: int = 1,
    ):
        self.size, self.seed, self.zoom, self.group = size, seed, 0.0 if whole else zoom, group
        self._side = math.ceil(size * math.exp(self.zoom))
        tiles: list[np.ndarray] = []
        self._extents: list[tuple[int, int]] = []
        self._of: list[list[list[int]]] = []
        """Look, image: numbers of its tiles."""
        for pairs in looks:
            self._of.append([])
            for pair in pairs:
                stack = _stack(pair, meaning)
                cut = [_resized(stack, size)] if whole else self._tiles(stack)
                self._of[-1].append(list(range(len(tiles), len(tiles) + len(cut))))
                self._extents += [tile.shape[1:] for tile in cut]
                tiles += [_padded(tile, self._side) for tile in cut]
        self._store = torch.from_numpy(np.stack(tiles))

    def to(self, device: torch.device) -> None:
        """Move the data there."""
        self._store = self._store.to(device)

    def _tiles(self, stack: np.ndarray) -> list[np.ndarray]:
        """Overlapping tiles of at most the stored side; an image smaller than a crop is continued by reflection."""
        _, height, width = stack.shape
        stack = np.pad(stack, ((0, 0), (0, max(self.size - height, 0)), (0, max(self.size - width, 0))), "symmetric")
        rows, columns = (_starts(n, self._side, self._side - self.size // 2) for n in stack.shape[1:])
        return [stack[:, y : y + self._side, x : x + self._side] for y in rows for x in columns]

    def batch(self, step: int, count: int, rank: int = 0) -> tuple[Tensor, Tensor]:
        """Draw the batch of a step.

        Returns
        -------
        pairs : Tensor, shape (count, 4, size, size), float32
            Image and mask in [-1, 1]; the mask is -1 or 1.
        numbers : Tensor, shape (count,), int64
            Look of each.
        """
        rng = numpy_rng(self.seed, "pairs", step, rank)
        numbers = np.arange(count) // self.group % len(self._of)
        chosen, views = [], []
        for number in numbers:
            image = self._of[number][rng.integers(len(self._of[number]))]
            tile = image[rng.integers(len(image))]
            chosen.append(tile)
            views.append(self._view(rng, self._extents[tile]))
        device = self._store.device
        tiles = self._store[torch.tensor(chosen).to(device)].float() / 127.5 - 1
        theta = torch.from_numpy(np.stack(views)).to(device)
        grid = affine_grid(theta, [count, 4, self.size, self.size], align_corners=False)
        image = grid_sample(tiles[:, :3], grid, mode="bilinear", padding_mode="border", align_corners=False)
        mask = grid_sample(tiles[:, 3:], grid, mode="nearest", padding_mode="border", align_corners=False)
        return torch.cat([image, mask], 1), torch.from_numpy(numbers).to(device)

    def _view(self, rng: np.random.Generator, extent: tuple[int, int]) -> np.ndarray:
        """Where a sample looks at its tile: an affine matrix (2, 3) for `affine_grid`."""
        scaled = self.zoom > 0 and rng.random() < SCALED
        seen: float = self.size
        if scaled:
            seen = min(self.size * math.exp(rng.uniform(-self.zoom, self.zoom)), *extent)
        top, left = (rng.uniform(0, n - seen) if scaled else rng.integers(n - self.size + 1) for n in extent)
        turn, flip = rng.integers(4), rng.integers(2)
        cos, sin = ((1, 0), (0, 1), (-1, 0), (0, -1))[turn]
        linear = np.array([[cos, -sin], [sin, cos]]) @ np.diag([1 - 2 * flip, 1])
        centre = (2 * np.array([left, top]) + seen) / self._side - 1
        return np.column_stack([linear * seen / self._side, centre]).astype(np.float32)


def _stack(pair: LoadedPair, meaning: str) -> np.ndarray:
    """Image and mask as four channels (4, Y, X) uint8; the mask is 0 or 255."""
    mask = (255 * (mask_plane(pair.labels, meaning) > 0)).astype(np.uint8)
    return np.concatenate([pair.image.transpose(2, 0, 1), mask[None]])


def _resized(stack: np.ndarray, size: int) -> np.ndarray:
    """The image bilinear, the mask nearest."""
    both = torch.from_numpy(stack)[None].float()
    image = interpolate(both[:, :3], (size, size), mode="bilinear", antialias=True, align_corners=False)
    mask = interpolate(both[:, 3:], (size, size), mode="nearest-exact")
    return torch.cat([image, mask], 1)[0].round().clamp(0, 255).byte().numpy()


def _padded(tile: np.ndarray, side: int) -> np.ndarray:
    """Filled up to the stored square; what is added is never looked at."""
    return np.pad(tile, ((0, 0), (0, side - tile.shape[1]), (0, side - tile.shape[2])), "edge")


def _starts(length: int, side: int, stride: int) -> list[int]:
    """Where tiles begin so that they cover ``length`` evenly."""
    if length <= side:
        return [0]
    return np.linspace(0, length - side, math.ceil((length - side) / stride) + 1).round().astype(int).tolist()
