"""The layer that nuclei follow, on a viewer without a window."""

from __future__ import annotations

import numpy as np
import pytest

from napari_synth.ui.napari_bridge.density_layer import DensityLayer, density_values
from tests.ui.conftest import painted


def test_values_are_those_above_the_darkest_pixel(viewer):
    grey = np.array([[3.0, 5.0], [4.0, np.nan]])
    np.testing.assert_array_equal(density_values(viewer.add_image(grey)), [[0, 2], [1, np.nan]])
    colour = np.array([[[0, 3, 6], [9, 9, 9]]], np.uint8)
    np.testing.assert_array_equal(density_values(viewer.add_image(colour, rgb=True)), [[0, 6]])
    labels = np.array([[2, 5], [2, 3]])
    np.testing.assert_array_equal(density_values(viewer.add_labels(labels)), labels, "labels count as they are")


@pytest.mark.parametrize("kind", ["none", "points", "volume"])
def test_other_layers_are_no_density(viewer, kind):
    layer = {
        "none": lambda: None,
        "points": lambda: viewer.add_points([[1, 2]]),
        "volume": lambda: viewer.add_image(np.zeros((3, 8, 8))),
    }[kind]()
    assert density_values(layer) is None


def test_a_layer_is_followed_while_it_is_in_the_viewer(viewer):
    density, heard = DensityLayer(viewer), []
    density.changed.connect(lambda: heard.append(density.layer))
    assert density.layer is None
    assert density.values((64, 48)) is None
    image = viewer.add_image(np.eye(8))
    density.follow(image)
    np.testing.assert_array_equal(density.values((8, 8)), np.eye(8))
    assert density.values((8, 9)) is None, "another size"
    viewer.layers.remove(image)
    assert density.layer is None
    density.follow(None)
    assert heard == [image, None]


def test_what_can_be_followed_has_the_size_of_the_mask_and_is_not_the_mask(viewer):
    mask, other = viewer.add_labels(painted()), viewer.add_labels(painted())
    image = viewer.add_image(np.zeros((64, 48, 3), np.uint8), rgb=True)
    viewer.add_image(np.zeros((48, 64)))
    viewer.add_points([[1, 2]])
    density = DensityLayer(viewer)
    assert density.candidates(mask) == [other, image]
    assert density.candidates(None) == []
