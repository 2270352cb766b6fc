"""The preview of a stamp: which pixels, where they hang, what is drawn around them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra.numpy import array_shapes, arrays

from napari_synth.ui.napari_bridge.stamp_preview import StampPreview, edges, node_of
from tests.ui.conftest import painted

ROWS, COLUMNS = np.array([3, 3, 4]), np.array([5, 6, 6])


def sides(tile):
    """The sides between in and out, walked pixel by pixel, as pairs of corners (x, y)."""
    height, width = tile.shape

    def inside(y, x):
        return 0 <= y < height and 0 <= x < width and bool(tile[y, x])

    found = set()
    for y in range(height + 1):
        for x in range(width + 1):
            if inside(y, x) != inside(y - 1, x):
                found.add(((x, y), (x + 1, y)))
            if inside(y, x) != inside(y, x - 1):
                found.add(((x, y), (x, y + 1)))
    return found


@given(arrays(bool, array_shapes(min_dims=2, max_dims=2, max_side=7)))
def test_the_outline_is_every_side_between_in_and_out(tile):
    lines = edges(tile)
    assert lines.dtype == np.float32
    found = [tuple(map(tuple, pair)) for pair in lines.reshape(-1, 2, 2).astype(int).tolist()]
    assert len(found) == len(set(found)), "each once"
    assert set(found) == sides(tile)


def test_pixels_are_known_without_a_window(viewer):
    layer = viewer.add_labels(painted())
    preview = StampPreview(viewer)
    preview.hide()
    preview.show(layer, ROWS, COLUMNS)
    assert preview.pixels == (ROWS, COLUMNS)
    preview.show(layer, ROWS[:0], COLUMNS[:0])
    assert preview.pixels is None, "nothing to show"
    preview.show(layer, ROWS, COLUMNS)
    preview.hide()
    assert preview.pixels is None
    preview.show(layer, ROWS, COLUMNS)
    preview.remove()
    preview.remove()
    assert preview.pixels is None
    assert list(viewer.layers) == [layer]


@pytest.fixture
def window(make_napari_viewer):
    return make_napari_viewer()


def test_it_hangs_on_the_mask_and_goes(window):
    one, two = (window.add_labels(painted(), name=name) for name in ("one", "two"))
    before = {layer.name: list(node_of(window, layer).children) for layer in (one, two)}

    def drawn(layer):
        return [child for child in node_of(window, layer).children if child not in before[layer.name]]

    preview = StampPreview(window)
    preview.show(one, ROWS, COLUMNS)
    (root,) = drawn(one)
    assert root.visible
    preview.show(one, ROWS + 1, COLUMNS)
    assert drawn(one) == [root], "moved, not drawn again"
    preview.hide()
    assert not root.visible
    preview.show(two, ROWS, COLUMNS)
    assert drawn(one) == []
    assert len(drawn(two)) == 1
    preview.remove()
    assert drawn(two) == []
