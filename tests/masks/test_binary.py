import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import ndimage

from napari_synth.core.errors import InputError
from napari_synth.masks.binary import binary_instances, why_unusable, without_crumbs, without_holes

EIGHT = np.ones((3, 3), bool)


def discs(size, *places):
    y, x = np.mgrid[: size[0], : size[1]]
    return np.stack([(y - cy) ** 2 + (x - cx) ** 2 < r**2 for cy, cx, r in places])


def test_nuclei_apart_are_the_connected_components():
    foreground = discs((100, 120), (20, 20, 9), (20, 60, 12), (70, 30, 10), (70, 90, 14), (0, 110, 8)).any(0)
    labels = binary_instances(foreground)
    expected, count = ndimage.label(foreground, EIGHT)
    assert labels.dtype == np.int32
    assert labels.max() == count == 5
    assert len(np.unique(labels * 10 + expected)) == count + 1, "the same division"


@pytest.mark.parametrize("radius", [6, 10, 16])
@pytest.mark.parametrize("overlap", [0.05, 0.2, 0.35])
def test_touching_discs_are_parted_where_they_meet(radius, overlap):
    distance = round(2 * radius * (1 - overlap))
    both = discs(
        (4 * radius, 6 * radius), (2 * radius, 2 * radius, radius), (2 * radius, 2 * radius + distance, radius)
    )
    labels = binary_instances(both.any(0))
    assert labels.max() == 2
    for disc in both:
        overlaps = [(labels[disc] == label).sum() / ((labels == label) | disc).sum() for label in (1, 2)]
        assert max(overlaps) > 0.75


def test_a_chain_of_three_and_an_ellipse_in_one_piece():
    chain = discs((40, 100), (20, 20, 12), (20, 42, 12), (20, 64, 12)).any(0)
    assert binary_instances(chain).max() == 3
    y, x = np.mgrid[:60, :90]
    ellipse = ((y - 30) / 14) ** 2 + ((x - 45) / 30) ** 2 < 1
    assert binary_instances(ellipse).max() == 1


def test_crumbs_go():
    """Under 20 pixels, and under a tenth of the median of the others."""
    foreground = discs((120, 120), (30, 30, 14), (30, 80, 14), (80, 30, 14)).any(0)
    with_crumbs = foreground.copy()
    with_crumbs[100:104, 100:104] = True  # 16 pixels
    with_crumbs[80:87, 80:87] = True  # 49 pixels, the discs have 600
    assert np.array_equal(without_crumbs(with_crumbs), foreground)
    alone = np.zeros((30, 30), bool)
    alone[3:8, 3:8] = True
    assert np.array_equal(without_crumbs(alone), alone)
    assert not without_crumbs(with_crumbs & ~foreground & (np.arange(120) > 95)).any()


def test_small_holes_are_filled_and_large_ones_stay():
    disc = discs((80, 80), (40, 40, 30)).any(0)
    pin, large = disc.copy(), disc.copy()
    pin[38:42, 38:42] = False
    large[25:55, 25:55] = False
    assert np.array_equal(without_holes(pin), disc)
    assert np.array_equal(without_holes(large), large)
    labels = binary_instances(pin)
    assert np.array_equal(labels > 0, disc)


def test_an_island_in_a_hole_keeps_its_ring():
    ring = discs((80, 80), (40, 40, 35))[0] & ~discs((80, 80), (40, 40, 25))[0]
    island = discs((80, 80), (40, 40, 10))[0]
    labels = binary_instances(ring | island)
    assert np.array_equal(labels > 0, ring | island)
    assert not set(np.unique(labels[island])) & set(np.unique(labels[ring]))


@given(arrays(bool, st.tuples(st.integers(1, 40), st.integers(1, 40))), st.integers(0, 3))
def test_any_mask(noise, smoothing):
    """Labels are 1…N, each in one part and inside one component; nothing is added but holes."""
    foreground = ndimage.uniform_filter(noise.astype(float), 2 * smoothing + 1) > 0.5
    labels = binary_instances(foreground)
    assert labels.shape == foreground.shape
    assert set(np.unique(labels)) - {0} == set(range(1, labels.max() + 1))
    assert not (labels > 0)[~ndimage.binary_fill_holes(foreground)].any()
    kept, count = ndimage.label(without_holes(without_crumbs(foreground)), EIGHT)
    assert np.array_equal(labels > 0, kept > 0)
    assert labels.max() >= count
    for label in range(1, labels.max() + 1):
        assert ndimage.label(labels == label, EIGHT)[1] == 1
        assert len(np.unique(kept[labels == label])) == 1


def test_a_pixel_that_hangs_on_by_a_corner_stays():
    foreground = np.ones((9, 14), bool)
    foreground[7, 0] = foreground[8, 1] = False
    assert (binary_instances(foreground) == foreground).all()


def test_full_and_empty_masks():
    assert not binary_instances(np.zeros((20, 30), bool)).any()
    assert (binary_instances(np.ones((20, 30), bool)) == 1).all()


@pytest.mark.parametrize("wrong", [np.zeros((4, 4)), np.zeros((4, 4, 3), bool), np.zeros(4, bool)])
def test_other_arrays_are_refused(wrong):
    with pytest.raises(InputError, match="must be bool of shape"):
        binary_instances(wrong)


def test_what_makes_a_mask_unusable():
    foreground = discs((64, 64), (32, 32, 12)).any(0)
    values = np.where(foreground, 0.9, -0.9)
    assert why_unusable(values, binary_instances(foreground)) == ""
    grey = values.copy()
    grey[:4] = 0.4
    assert why_unusable(grey, binary_instances(grey > 0)) == "grey"
    assert why_unusable(np.full((64, 64), -0.9), np.zeros((64, 64), int)) == "empty"
    assert why_unusable(np.full((64, 64), 0.9), np.ones((64, 64), int)) == "full"
