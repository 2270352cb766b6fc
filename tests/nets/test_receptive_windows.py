import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from napari_synth.core.boxes import Box, full_box, merged, strips
from napari_synth.nets.receptive_windows import Reach, convolve_window

LAYERS = {
    "5/1/2": nn.Conv2d(1, 1, 5, 1, 2),
    "5/2/2": nn.Conv2d(1, 1, 5, 2, 2),
    "4/2/1": nn.Conv2d(1, 1, 4, 2, 1),
    "1/1/0": nn.Conv2d(1, 1, 1),
    "up 4/2/1": nn.ConvTranspose2d(1, 1, 4, 2, 1),
}
SIZE = 16


def box_in(size):
    def box(pair_of_pairs):
        (a, b), (c, d) = (sorted(pair) for pair in pair_of_pairs)
        return Box(a, c, b + 1, d + 1)

    side = st.tuples(st.integers(0, size - 1), st.integers(0, size - 1))
    return st.tuples(side, side).map(box)


@pytest.mark.parametrize("name", LAYERS)
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_affected_is_exactly_what_a_change_of_the_input_changes(name, data):
    layer, box = LAYERS[name], data.draw(box_in(SIZE))
    with torch.no_grad():
        one = torch.zeros(1, 1, SIZE, SIZE)
        two = one.clone()
        two[(..., *box.seen_from(full_box(SIZE, SIZE)))] = 1 + torch.rand(box.height, box.width)
        rows, columns = np.nonzero((layer(one) != layer(two))[0, 0].numpy())
    expected = Box(rows.min(), columns.min(), rows.max() + 1, columns.max() + 1)
    assert Reach.of(layer).affected(box).within(full_box(*layer(one).shape[-2:])) == expected


@pytest.mark.parametrize("name", LAYERS)
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_a_layer_over_a_window_equals_that_part_of_the_whole(name, data):
    layer = LAYERS[name]
    canvas = full_box(SIZE, SIZE)
    x = torch.rand(1, 1, SIZE, SIZE)
    with torch.no_grad():
        out = layer(x)
        box = data.draw(box_in(out.shape[-1]))
        origin = Reach.of(layer).needed(box).within(canvas)
        got = convolve_window(layer, x[(..., *origin.seen_from(canvas))], origin, box)
    torch.testing.assert_close(got, out[(..., *box.seen_from(full_box(99, 99)))], atol=1e-6, rtol=1e-6)


@given(st.lists(box_in(SIZE), max_size=6))
def test_merging_loses_no_pixel_and_costs_no_more(boxes):
    def covered(of):
        canvas = np.zeros((SIZE, SIZE), bool)
        for box in of:
            canvas[box.seen_from(full_box(SIZE, SIZE))] = True
        return canvas

    after = merged(boxes)
    assert (covered(after) >= covered(boxes)).all()
    assert sum(box.area for box in after) <= sum(box.area for box in boxes)


def test_strips_cover_a_box_once():
    box = Box(3, 5, 20, 12)
    bands = list(strips(box, 30))
    assert [band.height for band in bands] == [4, 4, 4, 4, 1]
    assert (bands[0].top, bands[-1].bottom) == (3, 20)
    assert all((band.left, band.right) == (5, 12) for band in bands)
    assert len(list(strips(box, 1))) == 17
