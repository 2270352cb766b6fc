"""What masks show, by their shapes."""

import numpy as np
import pytest
from scipy import ndimage

from napari_synth.datasets.image_files import read_labels
from napari_synth.masks.meaning import elongation, structure_of
from napari_synth.ui.samples import sample_folder
from tests.helpers import nuclei


@pytest.mark.parametrize(
    ("name", "structure"),
    [("nuclei_256", "nucleus"), ("nuclei_512", "nucleus"), ("axons_256", "axon"), ("axons_512", "axon")],
)
@pytest.mark.parametrize("binary", [False, True])
def test_the_samples(name, structure, binary):
    labels = read_labels(sample_folder() / f"{name}.tif")
    assert structure_of((labels > 0).astype(np.int32) if binary else labels) == structure


def test_a_rod_is_as_long_as_it_is():
    rods = np.zeros((200, 200), int)
    for number, left in enumerate(range(10, 190, 20), 1):
        rods[20:180, left : left + 8] = number
    assert elongation(rods) == pytest.approx(160 / 8, rel=0.1)
    assert structure_of(rods) == "axon"


def test_neither_is_plain():
    assert structure_of(np.zeros((64, 64), int)) is None
    assert structure_of(ndimage.zoom(nuclei(), (1, 4), order=0)) in (None, "nucleus")
    rod = np.zeros((100, 100), int)
    rod[20:90, 40:50] = 1
    assert structure_of(rod) is None


def test_a_large_mask_is_looked_at_in_part():
    labels = np.zeros((3000, 2000), np.int32)
    labels[2000:2064, 1000:1064] = nuclei()
    assert structure_of(labels) == "nucleus"
