"""Images lie on their masks, whatever is done to these after the first render."""

from __future__ import annotations

import numpy as np
import pytest
from napari.layers import Image

from napari_synth.core.boxes import Box
from napari_synth.ui.napari_bridge.density_layer import density_values
from napari_synth.ui.napari_bridge.mask_layers import mask_array
from napari_synth.ui.napari_bridge.placement import is_stack, plane_shown
from napari_synth.ui.napari_bridge.result_layers import ResultLayers
from napari_synth.ui.napari_bridge.stack_layers import CAPSULES, StackKey, StackLayers
from tests.ui.conftest import painted
from tests.ui.napari_bridge.recipes import RECIPE

SHAPE = (64, 48)
MOVES = {
    "scale": {"scale": (0.5, 0.25)},
    "translate": {"translate": (3, -4)},
    "rotate": {"rotate": 45},
    "shear": {"shear": [0.3]},
    "affine": {"affine": np.array([[1, 0.3, 5], [0, 1, 9], [0, 0, 1]])},
    "all": {"scale": (2, 3), "translate": (7, 8), "rotate": 30, "shear": [0.2], "affine": np.diag([2.0, 3.0, 1.0])},
}
CORNERS = ((0, 0), (63, 0), (0, 47), (63, 47))


def where(layer):
    """The places of some pixels in the last two axes of the world."""
    before = (0,) * (layer.ndim - 2)
    return np.array([layer.data_to_world((*before, *corner))[-2:] for corner in CORNERS])


@pytest.mark.parametrize("move", MOVES)
@pytest.mark.parametrize("how", ["render", "follow"])
def test_a_refreshed_image_lies_on_the_moved_mask(viewer, how, move):
    mask = viewer.add_labels(painted(), name="mask")
    results = ResultLayers(viewer)
    layer = results.show(mask, "he", np.zeros((*SHAPE, 3), np.uint8), RECIPE)
    for name, value in MOVES[move].items():
        setattr(mask, name, value)
    if how == "render":
        again = results.show(mask, "he", np.ones((*SHAPE, 3), np.uint8), RECIPE)
    else:
        part = (Box(0, 0, 2, 2), np.ones((2, 2, 3), np.uint8))
        again = results.refresh(mask, "he", SHAPE, [part], RECIPE)
    assert again is layer
    np.testing.assert_allclose(where(layer), where(mask))
    for name in MOVES[move]:
        setattr(mask, name, {"scale": (1, 1), "translate": (0, 0), "rotate": 0, "shear": [0]}.get(name, np.eye(3)))
    results.show(mask, "he", np.ones((*SHAPE, 3), np.uint8), RECIPE)
    np.testing.assert_allclose(where(layer), np.array(CORNERS), err_msg="and back")


def test_units_and_names_of_axes_follow(viewer):
    mask = viewer.add_labels(painted(), name="mask")
    results = ResultLayers(viewer)
    layer = results.show(mask, "he", np.zeros((*SHAPE, 3), np.uint8), RECIPE)
    mask.units, mask.axis_labels = ("um", "um"), ("row", "column")
    results.show(mask, "he", np.zeros((*SHAPE, 3), np.uint8), RECIPE)
    assert layer.units == mask.units
    assert layer.axis_labels == ("row", "column")


@pytest.mark.parametrize("move", MOVES)
def test_a_refreshed_stack_lies_on_the_moved_mask(viewer, move):
    mask = viewer.add_labels(painted(), name="mask")
    stacks, key = StackLayers(viewer), StackKey("first", CAPSULES)
    layer = stacks.put(mask, key, np.zeros((2, 3, *SHAPE), np.float32), RECIPE)
    for name, value in MOVES[move].items():
        setattr(mask, name, value)
    assert stacks.put(mask, key, np.ones((2, 3, *SHAPE), np.float32), RECIPE) is layer
    np.testing.assert_allclose(where(layer), where(mask))
    fresh = StackLayers(viewer).put(mask, key, np.ones((2, 3, *SHAPE), np.float32), RECIPE)
    np.testing.assert_allclose(where(fresh), where(mask))


@pytest.mark.parametrize("data", [painted()[None], painted()[None, None]], ids=["1YX", "11YX"])
def test_a_mask_with_axes_of_length_one_is_a_plane(viewer, data):
    mask = viewer.add_labels(data, scale=(3,) * (data.ndim - 2) + (0.5, 0.25), rotate=20)
    assert not is_stack(mask)
    np.testing.assert_array_equal(mask_array(mask), painted())
    layer = ResultLayers(viewer).show(mask, "he", np.zeros((*SHAPE, 3), np.uint8), RECIPE)
    assert layer.ndim == 2
    np.testing.assert_allclose(where(layer), where(mask))


def test_the_plane_shown_is_the_one_at_the_sliders(viewer):
    stack = np.stack([np.full((6, 5), number) for number in range(8)]).reshape(2, 4, 6, 5)
    layer = viewer.add_labels(stack, scale=(1, 2, 0.5, 0.5), axis_labels=("t", "z", "y", "x"))
    assert is_stack(layer)
    viewer.dims.set_point((0, 1), (1, 4))
    plane, name = plane_shown(viewer, layer)
    np.testing.assert_array_equal(plane, stack[1, 2])
    assert name == "t 1, z 2"
    plane[:] = 99
    assert layer.data.max() == 7, "a copy"


def test_the_plane_shown_of_a_stack_beside_a_larger_one(viewer):
    viewer.add_image(np.zeros((3, 5, 6, 5)))
    layer = viewer.add_labels(np.arange(5 * 6 * 5).reshape(5, 6, 5))
    viewer.dims.set_point((0, 1), (2, 3))
    np.testing.assert_array_equal(plane_shown(viewer, layer)[0], layer.data[3])


def test_the_finest_of_several_resolutions_is_used(viewer):
    levels = [painted(), painted()[::2, ::2]]
    mask = viewer.add_labels(levels, multiscale=True)
    np.testing.assert_array_equal(mask_array(mask), levels[0])
    np.testing.assert_array_equal(density_values(mask), levels[0])
    image = Image([np.ones((64, 48)), np.ones((32, 24))], multiscale=True)
    assert density_values(image).shape == (64, 48)
