"""Pools of generated images for discriminators."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor


class ImagePool:
    """The last images a generator made; half of what a discriminator sees are older ones.

    Source: Shrivastava et al. 2017, as used by CycleGAN. While the pool fills up images pass through.

    Parameters
    ----------
    size : int
        Images kept; 0 passes all through.
    """

    def __init__(self, size: int):
        self.size = size
        self._images: list[Tensor] = []

    def __len__(self) -> int:
        return len(self._images)

    def exchange(self, images: Tensor, rng: np.random.Generator) -> Tensor:
        """A batch of the same shape: each image itself, or an older one whose place it takes."""
        given = []
        for image in images.detach():
            if len(self._images) < self.size:
                self._images.append(image.clone())
                given.append(image)
            elif self.size and rng.random() < 0.5:
                place = rng.integers(self.size)
                given.append(self._images[place])
                self._images[place] = image.clone()
            else:
                given.append(image)
        return torch.stack(given)

    def state_dict(self) -> dict[str, Any]:
        """What a resumed run needs."""
        return {"images": [image.cpu() for image in self._images]}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self._images = list(state["images"])
