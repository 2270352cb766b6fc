"""Random numbers that depend on named keys only, never on what ran before."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import torch

MAX_SEED = 2**31 - 1
"""The largest that is asked of a person or drawn for one; what is derived from it has 64 bits."""


def _entropy(keys: tuple[int | str, ...]) -> list[int]:
    return [zlib.crc32(key.encode()) if isinstance(key, str) else int(key) for key in keys]


def numpy_rng(*keys: int | str) -> np.random.Generator:
    """A generator for exactly these keys, for example ``numpy_rng(seed, "crop", step)``."""
    return np.random.default_rng(np.random.SeedSequence(_entropy(keys)))


def derived_seed(*keys: int | str) -> int:
    """An integer in [0, 2**31 - 1] for exactly these keys."""
    return int(numpy_rng(*keys).integers(0, MAX_SEED, endpoint=True))


def wide_seed(*keys: int | str) -> int:
    """An integer in [0, 2**64 - 1] for exactly these keys.

    Of a million seeds of 31 bits some 230 are there twice; of these none. How many keys there are, which of them are
    words and how long each is go into the hash, so that ``(5, 1)``, ``(5, 1, 0)`` and ``(2**32 + 5,)`` differ.
    """
    words = [len(keys)]
    for key in keys:
        number = int.from_bytes(key.encode(), "little") if isinstance(key, str) else int(key)
        words += (int(isinstance(key, str)), number.bit_length(), number)
    return int(np.random.SeedSequence(words).generate_state(1, np.uint64)[0])


def series_seed(seed: int, key: str, index: int) -> int:
    """The seed of one of a series: the first has ``seed`` itself, the others are derived from it."""
    return wide_seed(seed, key, index) if index else seed


def torch_generator(*keys: int | str) -> torch.Generator:
    """A CPU generator for exactly these keys; noise drawn from it is the same for every device."""
    import torch

    return torch.Generator().manual_seed(derived_seed(*keys))


def random_seed() -> int:
    """A fresh seed, for the dice button."""
    return int(np.random.default_rng().integers(0, 100_000))
