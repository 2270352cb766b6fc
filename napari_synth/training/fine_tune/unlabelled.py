"""Images without labels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from napari_synth.datasets.image_files import read_image
from napari_synth.datasets.listing import files_below
from napari_synth.datasets.mask_encoding import to_uint8_rgb
from napari_synth.datasets.pairs import LoadedPair
from napari_synth.training.crops import DeviceCrops

MOST_IMAGES = 200
"""That are read; of more the first by name."""


class UnlabelledCrops:
    """Random crops of the images of a folder, or of its sub-folder ``images``.

    Parameters
    ----------
    folder : Path
    crop : int
        Side in pixels; smaller images are continued by reflection.
    seed : int

    Raises
    ------
    InputError
        If the folder does not exist or holds no images.
    """

    def __init__(self, folder: Path, crop: int, seed: int):
        files = unlabelled_files(folder)
        self.remarks = [f"{min(len(files), MOST_IMAGES)} images without labels join."]
        pairs = []
        for path in files[:MOST_IMAGES]:
            image = read_image(path)
            pairs.append(
                LoadedPair(path.stem, np.zeros(image.shape[:2], np.int32), to_uint8_rgb(image), image.ndim == 3)
            )
        self._crops = DeviceCrops([pairs], crop, "foreground", seed)

    def to(self, device: torch.device) -> None:
        """Move all pixels to a device."""
        self._crops.to(device)

    def batch(self, step: int, size: int, rank: int) -> Tensor:
        """Images ``[B, 3, crop, crop]`` in [-1, 1] of a step."""
        return self._crops.batch(step, size, rank)[1]


def unlabelled_files(folder: Path) -> list[Path]:
    """The images in a folder, or in its sub-folder ``images``.

    Raises
    ------
    InputError
        If there are none.
    """
    return files_below(folder, "images", "folder of images without labels")
