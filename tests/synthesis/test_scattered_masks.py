"""Arrays that are pictures, given where labels are meant."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

import napari_synth as ns
from napari_synth.core.errors import InputError
from napari_synth.synthesis.request import check_mask
from tests.helpers import nuclei

MASK = nuclei((90, 110), seed=2)


def jpeg(array):
    file = io.BytesIO()
    Image.fromarray(array.astype(np.uint8)).save(file, "JPEG", quality=70)
    return np.asarray(Image.open(file))


SCATTERED = {
    "enlarged twice": ndimage.zoom(MASK * 20.0, 2, order=1).astype(int),
    "enlarged by 1.5": ndimage.zoom(MASK * 20.0, 1.5, order=1).astype(int),
    "turned": ndimage.rotate(MASK * 20.0, 20, order=1).astype(int),
    "JPEG of labels": jpeg(MASK * 12),
    "a photograph": np.random.default_rng(0).poisson(90, (80, 90)),
}
FINE = {
    "labels": MASK,
    "touching": np.kron(np.arange(1, 26).reshape(5, 5), np.ones((12, 12), int)),
    "binary": MASK > 0,
    "one nucleus": (MASK == 1) * 7,
    "large numbers": MASK.astype(np.int64) * 70_001,
    "small": np.arange(9).reshape(3, 3),
}


@pytest.mark.parametrize("name", SCATTERED)
def test_they_are_refused_with_what_to_do(name):
    with pytest.raises(InputError, match=r"scattered as in a picture.*Check… in the window"):
        check_mask(SCATTERED[name])


@pytest.mark.parametrize("name", FINE)
def test_labels_are_not(name):
    assert check_mask(FINE[name]).shape == FINE[name].shape


def test_the_python_function_refuses_them():
    model = ns.load_model("optional-pix2pix-nuclei", device="cpu")
    with pytest.raises(InputError, match="scattered as in a picture"):
        model.render(SCATTERED["enlarged twice"], option="he", seed=1)
