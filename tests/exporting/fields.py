"""Masks to write and read back: what a field may be, and the cases at the edge."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from napari_synth.exporting.formats.base import Item, PairToWrite, PixelSize

SIZE = (96, 112)


def discs(seed: int, size: tuple[int, int] = SIZE, count: int = 18) -> np.ndarray:
    """Ellipses that may touch and never overlap, without holes and each in one piece; from a seed."""
    rng = np.random.default_rng(seed)
    labels = np.zeros(size, np.int32)
    y, x = np.mgrid[: size[0], : size[1]]
    for number in range(1, count + 1):
        cy, cx, a, b = rng.uniform(0, size[0]), rng.uniform(0, size[1]), *rng.uniform(4, 11, 2)
        turn = rng.uniform(0, np.pi)
        u = (x - cx) * np.cos(turn) + (y - cy) * np.sin(turn)
        v = (y - cy) * np.cos(turn) - (x - cx) * np.sin(turn)
        inside = (u / a) ** 2 + (v / b) ** 2 <= 1
        if not labels[inside].any():
            labels[inside] = number
    values, packed = np.unique(labels, return_inverse=True)
    assert values[0] == 0
    return packed.reshape(size).astype(np.int32)


def touching(rows: int = 15, columns: int = 20, side: int = 6) -> np.ndarray:
    """300 squares without a gap, inside a frame of background."""
    squares = np.arange(1, rows * columns + 1).reshape(rows, columns)
    return np.pad(np.kron(squares, np.ones((side, side), int)), 4).astype(np.int32)


def with_gaps() -> np.ndarray:
    """Numbers such as 3, 903, 1803 …"""
    labels = discs(77)
    return np.where(labels > 0, labels * 900 - 897, 0).astype(np.int32)


def beyond_16_bits() -> np.ndarray:
    """More nuclei than 16 bits count, of 2 × 2 pixels each."""
    return np.kron(np.arange(1, 66_049 + 1).reshape(257, 257), np.ones((2, 2), int)).astype(np.int32)


FIELDS: dict[str, np.ndarray] = {f"field {seed}": discs(seed) for seed in range(10)} | {
    "no nucleus": np.zeros(SIZE, np.int32),
    "one nucleus": (discs(3) == 2).astype(np.int32),
    "300 touching": touching(),
    "gaps in the numbers": with_gaps(),
    "over 65535 nuclei": beyond_16_bits(),
}


def stem(name: str) -> str:
    """A name of a pair for a field."""
    return f"{list(FIELDS).index(name) + 1:04d}_he"


def pairs(names: list[str] | None = None, grey: bool = False) -> Iterator[PairToWrite]:
    """Pairs of these fields with noise as images, all in one role or another."""
    rng = np.random.default_rng(5)
    for index, (name, labels) in enumerate(FIELDS.items()):
        shape = labels.shape if grey else (*labels.shape, 3)
        image = rng.integers(0, 256, shape, np.uint8)
        role = ("train", "train", "val", "test")[index % 4]
        if names is None or name in names:
            yield PairToWrite(Item(stem(name), role, index), image, labels, "model: x\n", PixelSize(0.5, 0.5, "um"))


def same_nuclei(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether two label maps part the pixels alike, whatever the numbers."""
    if one.shape != other.shape:
        return False
    both = np.unique(np.stack([one.ravel(), other.ravel()]), axis=1)
    zeros = (both[0] == 0) == (both[1] == 0)
    return bool(zeros.all() and len(np.unique(both[0])) == both.shape[1] == len(np.unique(both[1])))


def ious(truth: np.ndarray, found: np.ndarray) -> np.ndarray:
    """The best IoU of each nucleus of the truth."""
    best = []
    for number in np.unique(truth[truth > 0]):
        nucleus = truth == number
        others = np.unique(found[nucleus])
        shares = [((found == o) & nucleus).sum() / ((found == o) | nucleus).sum() for o in others if o]
        best.append(max(shares, default=0.0))
    return np.array(best)
