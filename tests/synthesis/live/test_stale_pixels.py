import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from napari_synth.core.boxes import Box, bounds_of, full_box
from napari_synth.synthesis.live.stale_pixels import SMALL, StalePixels

CANVAS = full_box(60, 90)


def boxes():
    return st.builds(
        lambda top, left, height, width: Box(top, left, top + height, left + width).within(CANVAS),
        st.integers(0, 59),
        st.integers(0, 89),
        st.integers(1, 60),
        st.integers(1, 90),
    )


@given(
    st.lists(
        st.tuples(st.lists(boxes(), max_size=4), st.one_of(st.none(), boxes()), st.booleans()), min_size=1, max_size=6
    )
)
def test_what_is_out_of_date_comes_in_boxes_of_their_own(steps):
    outdated, known = StalePixels(CANVAS), np.zeros((60, 90), bool)
    for added, window, done in steps:
        for box in added:
            outdated.add(box)
            known[box.seen_from(CANVAS)] = True
        assert bool(outdated) == known.any()
        found = outdated.boxes(window)
        covered = np.zeros((60, 90), int)
        for box in found:
            covered[box.seen_from(CANVAS)] += 1
            assert box.area <= max(SMALL, 2 * known[box.seen_from(CANVAS)].sum())
        seen = np.zeros((60, 90), bool)
        seen[(window or CANVAS).seen_from(CANVAS)] = True
        assert covered.max() <= 1
        assert not (covered.astype(bool) & ~seen).any()
        assert covered[known & seen].all()
        if done:
            outdated.done(found)
            known &= covered == 0


@given(boxes())
def test_halves_and_bounds(box):
    one, two = box.halves()
    assert one.area + two.area == box.area
    assert abs(one.area - two.area) <= min(box.height, box.width)
    assert one.around(two) == box or not one.area
    inside = np.zeros((60, 90), bool)
    inside[box.seen_from(CANVAS)] = True
    assert bounds_of(inside, CANVAS) == box
