"""Training crops made on the device: all pixels lie there as uint8, a batch is a few gathers."""

from __future__ import annotations

import math
from collections.abc import Collection

import numpy as np
import torch
from torch import Tensor

from napari_synth.core.seeds import numpy_rng
from napari_synth.datasets.mask_encoding import mask_plane
from napari_synth.datasets.pairs import LoadedPair

SCALED_SHARE = 0.6
SCALE = 0.22


class DeviceCrops:
    """Random crops of pairs by option, scaled, turned and flipped.

    Each batch takes its samples from the options in turn. 60 % of the crops are scaled by e^±0.22
    (bilinear, masks by nearest neighbour); all are turned by multiples of 90 degrees and flipped. Beyond an
    image's edge it is continued by reflection.

    Parameters
    ----------
    options : list of list of LoadedPair
        Pairs of each option.
    crop : int
        Side of the crop in pixels, even.
    meaning : str
        See `mask_plane`; with values 0 and 1.
    seed : int
        The batch of a step depends on it and the step alone.
    scaled_share : float
        Part of the crops that is scaled.
    group : int
        So many neighbours in a batch are of one option.
    """

    def __init__(
        self,
        options: list[list[LoadedPair]],
        crop: int,
        meaning: str,
        seed: int,
        *,
        scaled_share: float = SCALED_SHARE,
        group: int = 1,
    ):
        self.crop = crop
        self.seed = seed
        self.scaled_share = scaled_share
        self.group = group
        pixels: list[np.ndarray] = []
        sides: list[tuple[int, ...]] = []
        self._start: list[int] = []
        self._of_option: list[list[int]] = []
        count = 0
        for pairs in options:
            self._of_option.append(list(range(len(sides), len(sides) + len(pairs))))
            for pair in pairs:
                mask = (255 * mask_plane(pair.labels, meaning)).astype(np.uint8)
                pixels.append(np.concatenate([pair.image, mask[..., None]], -1).reshape(-1, 4))
                self._start.append(count)
                sides.append(mask.shape)
                count += mask.size
        self._sides = np.array(sides)
        self._pixels = torch.from_numpy(np.concatenate(pixels))

    def to(self, device: torch.device) -> None:
        """Move all pixels to a device; batches are made there."""
        self._pixels = self._pixels.to(device)

    def batch(
        self, step: int, size: int, rank: int = 0, only: Collection[int] | None = None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Draw the batch of a step; samples of other options than ``only`` are left out of it.

        Returns
        -------
        masks : Tensor, shape (B, 1, crop, crop), float32 in {0, 1}
        images : Tensor, shape (B, 3, crop, crop), float32 in [-1, 1]
        numbers : Tensor, shape (B,), int64
            Option of each sample.
        """
        rng = numpy_rng(self.seed, "crop", step, rank)
        numbers = [(step * size + position) // self.group % len(self._of_option) for position in range(size)]
        places = []
        for number in numbers:
            image = self._of_option[number][rng.integers(len(self._of_option[number]))]
            scale = math.exp(rng.uniform(-SCALE, SCALE)) if rng.random() < self.scaled_share else 1.0
            places.append((*self._place(image, scale, rng), scale, *_turn(int(rng.integers(4)), int(rng.integers(2)))))
        wanted = [place for place, number in enumerate(numbers) if only is None or number in only]
        masks, images = self._cut([places[place] for place in wanted])
        return masks, images, torch.tensor([numbers[place] for place in wanted], device=self._pixels.device)

    def upright(self, number: int, indices: range) -> tuple[Tensor, Tensor]:
        """Crops of one option as they are, neither scaled nor turned: masks and images as in `batch`.

        The images are taken in turn by the indices, each crop at a place of its own.
        """
        images = self._of_option[number]
        places = []
        for index in indices:
            rng = numpy_rng(self.seed, "upright", number, index)
            places.append((*self._place(images[index % len(images)], 1.0, rng), 1.0, *_turn(0, 0)))
        return self._cut(places)

    def _place(self, image: int, scale: float, rng: np.random.Generator) -> tuple[float, ...]:
        """Start of the pixels, height, width, centre row and column of a crop."""
        covered = scale * self.crop
        room = np.maximum(self._sides[image] - math.ceil(covered), 0)
        top, left = (int(rng.integers(n + 1)) for n in room)
        return self._start[image], *self._sides[image], top + covered / 2, left + covered / 2

    def _cut(self, places: list[tuple[float, ...]]) -> tuple[Tensor, Tensor]:
        device = self._pixels.device
        table = np.array(places).T[:, :, None, None]
        start, height, width = torch.from_numpy(table[:3].astype(np.int64)).to(device)
        row, column, scale, *turn = torch.from_numpy(table[3:].astype(np.float32)).to(device)
        along = torch.arange(self.crop, device=device, dtype=torch.float32) + 0.5 - self.crop / 2
        v, u = along[:, None], along[None]
        y = row + scale * (turn[0] * v + turn[1] * u) - 0.5
        x = column + scale * (turn[2] * v + turn[3] * u) - 0.5

        def values(rows: Tensor, columns: Tensor) -> Tensor:
            return self._pixels[start + _reflected(rows, height) * width + _reflected(columns, width)]

        top, left = y.floor().long(), x.floor().long()
        down, right = (y - top)[..., None], (x - left)[..., None]
        upper = torch.lerp(values(top, left).float(), values(top, left + 1).float(), right)
        lower = torch.lerp(values(top + 1, left).float(), values(top + 1, left + 1).float(), right)
        images = torch.lerp(upper, lower, down)[..., :3] / 127.5 - 1
        masks = values((y + 0.5).floor().long(), (x + 0.5).floor().long())[..., 3:] > 127
        return masks.float().permute(0, 3, 1, 2), images.permute(0, 3, 1, 2)


def _turn(quarters: int, flip: int) -> tuple[int, ...]:
    """The matrix of a turn by quarters after a flip, row by row."""
    cosine, sine = ((1, 0), (0, 1), (-1, 0), (0, -1))[quarters]
    mirror = -1 if flip else 1
    return cosine, -sine * mirror, sine, cosine * mirror


def _reflected(index: Tensor, size: Tensor) -> Tensor:
    """Indices beyond [0, size) folded back by reflection at the edges."""
    index = index.remainder(2 * size)
    return torch.minimum(index, 2 * size - 1 - index)
