"""Real pairs that go into an export beside the synthetic ones."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from napari_synth.core.errors import InputError
from napari_synth.core.recipe import image_hash, mask_hash
from napari_synth.datasets.image_files import read_image, read_labels
from napari_synth.datasets.pairs import Pair, find_options

ENDINGS = ("_masks", "_flows", "_cellprob", "_cp_output", "_img")
"""Of names from which trainers conclude what is in a file."""


@dataclass(frozen=True)
class RealPair:
    """One real pair on disk, and the hashes that tell whether another one shows the same."""

    stem: str
    files: Pair
    mask_sha256: str
    image_sha256: str

    def image(self) -> np.ndarray:
        """``(Y, X)`` or ``(Y, X, 3)`` in its own grey values."""
        return read_image(self.files.image)

    def labels(self) -> np.ndarray:
        """``(Y, X)`` int32."""
        return read_labels(self.files.mask)


def find_real_pairs(folder: Path) -> list[RealPair]:
    """The pairs of a data folder, those that are held out too.

    Raises
    ------
    InputError
        If there are none, or an image and its mask differ in size.
    """
    found: list[RealPair] = []
    for option in find_options(folder):
        for files in (*option.training, *option.held_out):
            image, labels = read_image(files.image), read_labels(files.mask)
            if image.shape[:2] != labels.shape:
                raise InputError(
                    f"The image {files.image} is {image.shape[1]}×{image.shape[0]} pixels "
                    f"but its mask is {labels.shape[1]}×{labels.shape[0]}.",
                    "Crop or resize one of them (masks with nearest neighbour), or leave them out.",
                )
            stem = f"real-{len(found) + 1:04d}-{plain_name(files.stem)}"
            found.append(RealPair(stem, files, mask_hash(labels), image_hash(image)))
    return found


def plain_name(name: str) -> str:
    """A name of digits, letters, ``-`` and single ``_`` that no trainer takes for something else.

    Cellpose and nnU-Net look at the endings of names, so ``x_masks`` and ``x_0001`` become ``x-masks`` and
    ``x-0001``.
    """
    plain = re.sub(r"_{2,}", "_", re.sub(r"[^0-9A-Za-z_-]+", "-", name)).strip("-_")[:60]
    while plain.endswith(ENDINGS) or re.search(r"_\d{4}$", plain):
        start, _, end = plain.rpartition("_")
        plain = f"{start}-{end}"
    return plain or "pair"
