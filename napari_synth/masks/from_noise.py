"""Pairs from noise: a trained Ising-GAN in its role."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np

from napari_synth.core.errors import WorkError, unknown_name
from napari_synth.core.seeds import derived_seed, numpy_rng
from napari_synth.datasets.mask_encoding import from_network
from napari_synth.masks.binary import binary_instances, why_unusable
from napari_synth.models.registry import RoleModel

TRIES = 50
"""Codes drawn for one pair until its mask is usable."""


@dataclass(frozen=True)
class NoisePair:
    """An image and its labels from one code.

    Attributes
    ----------
    image : ndarray, shape (Y, X) or (Y, X, 3), uint8
    labels : ndarray, shape (Y, X), int32
        See `masks.binary.binary_instances`.
    mask_probability : ndarray, shape (Y, X), float32
        0 to 1; the labels lie where it is above 0.5.
    z : ndarray, shape (latent size,), float32
    rejected : dict
        Codes drawn before and why their masks were no good; see `masks.binary.why_unusable`.
    """

    image: np.ndarray
    labels: np.ndarray
    mask_probability: np.ndarray
    z: np.ndarray
    rejected: dict[str, int]


class PairModel(RoleModel):
    """Makes image and mask together from noise."""

    role = "pairs"
    does = "make pairs from noise"

    @property
    def size(self) -> int:
        """Side of the pairs in pixels."""
        return int(self.card.hyper["size"])

    def sample(self, seed: int, look: str = "") -> NoisePair:
        """The pair of a seed: the same one on every device, but for rounding.

        Codes are drawn from the seed until one gives a usable mask.

        Parameters
        ----------
        seed : int
        look : str
            One of ``card.options``; the first by default.

        Raises
        ------
        InputError
            If there is no such look.
        WorkError
            If `TRIES` codes give none.
        """
        number = self._number(look)
        rng = numpy_rng(seed, "z")
        rejected: Counter[str] = Counter()
        for _ in range(TRIES):
            z = rng.uniform(-1, 1, self.card.latent_size).astype(np.float32)
            image, values = self.decode(z, look, noise=seed)
            labels = binary_instances(values > 0)
            reason = why_unusable(values, labels)
            if not reason:
                return NoisePair(image, labels, (values + 1) / 2, z, dict(rejected))
            rejected[reason] += 1
        name = self.card.options[number]
        raise WorkError(
            f"{self.card.id} gave no usable mask of the look {name} in {TRIES} tries.", "Use another seed or look."
        )

    def decode(self, z: np.ndarray, look: str = "", noise: int = 0) -> tuple[np.ndarray, np.ndarray]:
        """Image (Y, X) or (Y, X, 3) uint8 and mask values (Y, X) float32 in [-1, 1] of a code in [-1, 1].

        ``noise`` is the seed of the image's grain, which the code does not hold.
        """
        import torch

        from napari_synth.nets.counter_noise import counter_normal

        number = self._number(look)
        network, key = self._trained.network, derived_seed(noise, "grain")
        with torch.inference_mode():
            code = torch.from_numpy(np.asarray(z, np.float32))[None].to(self._trained.device)
            sides: Any = network.noise_sides
            planes = [counter_normal(key, i, 0, 0, n, n, code.device)[None, None] for i, n in enumerate(sides)]
            pair = network(code, torch.tensor([number], device=code.device), planes)[0].float().cpu().numpy()
        image = from_network(pair[:3].transpose(1, 2, 0))
        if not self.card.looks[number].rgb:
            image = image.mean(-1).round().astype(np.uint8)
        return image, pair[3]

    def _number(self, look: str) -> int:
        options = self.card.options
        if look and look not in options:
            raise unknown_name("look", look, options)
        return options.index(look) if look else 0
