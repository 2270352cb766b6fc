"""Layers seen from outside, on viewers without a window."""

from __future__ import annotations

import gc

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Image, Labels

from napari_synth.ui.napari_bridge.layer_list import LayerList, LayersOfMasks
from tests.ui.conftest import painted


def image(name="image"):
    return Image(np.zeros((64, 48)), name=name)


def test_a_viewer_is_not_kept_alive_and_without_it_nothing_is_there():
    viewer = ViewerModel()
    layers = LayersOfMasks(viewer)
    assert layers.viewer is viewer
    del viewer
    gc.collect()
    assert layers.viewer is None
    assert not layers.holds(image())
    mask = Labels(painted())
    layers.insert(mask, "he", image())
    assert layers.of(mask) == {}


def test_an_equal_layer_is_another_one(viewer):
    one = viewer.add_image(np.zeros((8, 8)), name="same")
    assert LayerList(viewer).holds(one)
    assert not LayerList(viewer).holds(None)
    assert not LayerList(viewer).holds(Image(one.data, name="same"))


@pytest.mark.parametrize(
    ("above", "names"),
    [
        (None, ["anatomy", "new", "mask", "top"]),
        ("anatomy", ["anatomy", "new", "mask", "top"]),
        ("top", ["anatomy", "mask", "top", "new"]),
    ],
)
def test_a_new_layer_lies_below_its_mask_and_above_another_and_is_not_selected(viewer, above, names):
    viewer.add_image(np.zeros((64, 48)), name="anatomy")
    mask = viewer.add_labels(painted(), name="mask")
    top = viewer.add_image(np.zeros((64, 48)), name="top")
    viewer.layers.selection = {mask, top}
    LayersOfMasks(viewer).insert(mask, "he", image("new"), viewer.layers[above] if above else None)
    assert [layer.name for layer in viewer.layers] == names
    assert set(viewer.layers.selection) == {mask, top}


def test_layers_are_found_by_mask_and_key_while_they_are_there(viewer):
    one, two = viewer.add_labels(painted(), name="one"), viewer.add_labels(painted(), name="two")
    layers, first, second = LayersOfMasks(viewer), image(), image()
    layers.insert(one, "he", first)
    layers.insert(one, "grey", second)
    assert layers.of(one) == {"he": first, "grey": second}
    assert layers.find(two, "he") is None
    assert layers.of(two) == {}
    viewer.layers.remove(first)
    assert layers.find(one, "he") is None
    assert layers.of(one) == {"grey": second}
    again = image()
    layers.insert(one, "he", again)
    assert layers.find(one, "he") is again
