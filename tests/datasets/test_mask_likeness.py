"""What an image that was opened looks like."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage
from skimage import data as pictures

from napari_synth.datasets.mask_likeness import LOOKED_AT, likeness
from tests.helpers import nuclei

LABELS = nuclei((120, 160), seed=3)


def jpeg(array: np.ndarray, quality: int = 80) -> np.ndarray:
    file = io.BytesIO()
    Image.fromarray(array).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file))


def colours(labels: np.ndarray) -> np.ndarray:
    table = np.random.default_rng(0).integers(40, 255, (labels.max() + 1, 3)).astype(np.uint8)
    table[0] = 0
    return table[labels]


MASKS = {
    "labels 8 bit": (LABELS.astype(np.uint8), "labels"),
    "labels 32 bit": (LABELS.astype(np.uint32) * 1000, "labels"),
    "whole floats": (LABELS.astype(np.float32), "labels"),
    "bool": (LABELS > 0, "binary"),
    "0 and 255": ((LABELS > 0).astype(np.uint8) * 255, "binary"),
    "0.0 and 0.5": ((LABELS > 0) * 0.5, "binary"),
    "0/1 as JPEG": (jpeg((LABELS > 0).astype(np.uint8) * 255), "binary"),
    "grey in three channels": (np.stack([LABELS.astype(np.uint8)] * 3, -1), "labels"),
    "colours": (colours(LABELS), "colours"),
    "colours and alpha": (np.dstack([colours(LABELS), np.full(LABELS.shape, 255, np.uint8)]), "colours"),
}
GREY = np.random.default_rng(1)
IMAGES = {
    "camera": pictures.camera(),
    "coins": pictures.coins(),
    "astronaut": pictures.astronaut(),
    "noise": GREY.integers(0, 255, (90, 90)).astype(np.uint8),
    "gradient": np.tile(np.arange(200, dtype=np.uint16), (100, 1)),
    "fluorescence": (ndimage.gaussian_filter((LABELS > 0) * 900.0, 2) + GREY.poisson(60, LABELS.shape)).astype(
        np.uint16
    ),
    "float": GREY.random((64, 64)).astype(np.float32),
    "not a number": np.full((32, 32), np.nan),
    "empty": np.zeros((32, 32), np.uint8),
    "complex": np.zeros((32, 32), complex),
}


@pytest.mark.parametrize("name", MASKS)
def test_masks_are_known(name):
    pixels, kind = MASKS[name]
    found = likeness(pixels)
    assert found.kind == kind
    assert found.is_mask
    expected = LABELS.max() if kind == "labels" else ndimage.label(LABELS > 0, np.ones((3, 3)))[1]
    assert found.nuclei == expected or kind == "colours"


@pytest.mark.parametrize("name", IMAGES)
def test_images_are_no_masks(name):
    found = likeness(IMAGES[name])
    assert (found.kind, found.nuclei, found.is_mask) == ("image", None, False)


def test_of_a_large_image_a_part_with_something_in_it_is_looked_at():
    large = np.zeros((4 * LOOKED_AT, 3 * LOOKED_AT), np.uint16)
    large[-130:-10, -170:-10] = LABELS
    found = likeness(large)
    assert (found.kind, found.nuclei) == ("labels", None), "a part is not counted for the whole"
