"""Pairs in every kind of file that microscopists keep."""

import imageio.v3 as iio
import numpy as np
import pytest
import tifffile

from napari_synth.datasets.pairs import find_options, load_pair
from tests.helpers import nuclei

KINDS = [
    *((".tif", dtype, colour) for dtype in (np.uint8, np.uint16, np.float32) for colour in (False, True)),
    *((suffix, np.uint8, colour) for suffix in (".png", ".jpg") for colour in (False, True)),
    (".png", np.uint16, False),
]


@pytest.mark.parametrize(("suffix", "dtype", "colour"), KINDS)
def test_every_kind_of_image_becomes_8_bit_rgb_with_the_nuclei_in_place(tmp_path, suffix, dtype, colour):
    labels = nuclei(seed=3)
    level = {np.uint8: 1, np.uint16: 40, np.float32: 1 / 255}[dtype]
    image = (np.where(labels > 0, 200, 20) * level).astype(dtype)
    image = np.stack([image] * 3, -1) if colour else image
    for folder in ("images", "masks"):
        (tmp_path / folder).mkdir()
    path = tmp_path / "images" / f"a{suffix}"
    if suffix == ".tif":
        tifffile.imwrite(path, image, photometric="rgb" if colour else "minisblack")
    else:
        iio.imwrite(path, image)
    tifffile.imwrite(tmp_path / "masks" / "a.tif", labels.astype(np.uint16))
    (option,) = find_options(tmp_path)
    pair = load_pair(option.training[0])
    assert pair.image.shape == (64, 64, 3)
    assert pair.image.dtype == np.uint8
    assert pair.rgb is colour
    assert pair.image[labels > 0].mean() > pair.image[labels == 0].mean() + 150
    assert (pair.labels == labels).all()


@pytest.mark.parametrize("mask", [nuclei() > 0, (nuclei() > 0) * np.uint8(255), nuclei().astype(np.float32)])
def test_binary_and_instance_masks(tmp_path, mask):
    for folder in ("images", "masks"):
        (tmp_path / folder).mkdir()
    iio.imwrite(tmp_path / "images" / "a.png", np.zeros((64, 64), np.uint8))
    tifffile.imwrite(tmp_path / "masks" / "a.tif", mask)
    (option,) = find_options(tmp_path)
    assert ((load_pair(option.training[0]).labels > 0) == (nuclei() > 0)).all()
