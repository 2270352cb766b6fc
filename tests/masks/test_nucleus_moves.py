"""Nuclei moved, turned, scaled, copied and removed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.transform import rotate

from napari_synth.core.errors import InputError
from napari_synth.masks.nucleus_moves import Motion, centre_of, copied, moved, removed


def mask() -> np.ndarray:
    labels = np.zeros((80, 100), np.uint16)
    labels[20:30, 20:50] = 1
    labels[40:60, 60:70] = 2
    labels[30:40, 20:30] = 3
    return labels


def changed(labels, change):
    after = labels.copy()
    after[change.rows, change.columns] = change.values
    return after


@settings(max_examples=60, deadline=None)
@given(st.integers(-15, 15), st.integers(-15, 15))
def test_a_moved_nucleus_keeps_its_pixels_and_leaves_the_others_alone(dy, dx):
    before = mask()
    after = changed(before, moved(before, [2], Motion(dy, dx)))
    expected = np.zeros(before.shape, bool)
    expected[40 + dy : 60 + dy, 60 + dx : 70 + dx] = True
    np.testing.assert_array_equal(after == 2, expected & ((before == 0) | (before == 2)))
    for other in (1, 3):
        np.testing.assert_array_equal(after == other, before == other)


def test_what_leaves_the_mask_or_meets_a_neighbour_is_cut():
    before = mask()
    after = changed(before, moved(before, [1], Motion(10, -25)))
    assert (after == 3).sum() == 100
    assert (after == 1).sum() == 10 * 20 - 0
    assert ((after == 1)[30:40, 0:20]).all()


def test_a_turn_is_counter_clockwise_as_an_image_is_turned():
    before = mask()
    before[20:24, 50:60] = 1  # an L
    change = moved(before, [1], Motion(turn=35))
    y, x = centre_of(before, [1])
    plain = rotate((before == 1).astype(float), 35, center=(x, y), order=1) > 0.5
    after = changed(before, change) == 1
    free = before != 3
    assert (after != plain)[free].mean() < 0.002
    (area,) = change.areas
    assert area == after.sum()


@pytest.mark.parametrize("factor", [0.5, 1.5, 2.0])
def test_a_factor_scales_the_sides(factor):
    before = mask()
    after = changed(before, moved(before, [2], Motion(factor=factor)))
    rows, columns = np.nonzero(after == 2)
    assert abs(np.ptp(rows) + 1 - 20 * factor) <= 1
    assert abs(np.ptp(columns) + 1 - 10 * factor) <= 1
    np.testing.assert_allclose(centre_of(after, [2]), centre_of(before, [2]), atol=0.6)


def test_several_keep_their_places_to_each_other():
    before = mask()
    after = changed(before, moved(before, [1, 3], Motion(3, 4)))
    np.testing.assert_array_equal(after[33:43, 24:34], 3)
    np.testing.assert_array_equal(after[23:33, 24:54], 1)


def test_copies_get_new_numbers_and_take_nothing_away():
    before = mask()
    change = copied(before, [1, 3], 5, 5)
    assert change.numbers == (4, 5)
    after = changed(before, change)
    np.testing.assert_array_equal(after[before > 0], before[before > 0])
    assert [(after == n).sum() for n in change.numbers] == list(change.areas)


def test_removed_nuclei_are_background():
    before = mask()
    after = changed(before, removed(before, [1, 2]))
    assert set(np.unique(after)) == {0, 3}


def test_no_room_is_said():
    with pytest.raises(InputError, match="no room"):
        moved(mask(), [2], Motion(200, 0))
    with pytest.raises(InputError, match="no room"):
        copied(np.ones((9, 9), int), [1], 1, 1)
