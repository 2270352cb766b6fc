"""Stacks of a network as layers, on a viewer without a window."""

from __future__ import annotations

import numpy as np
import pytest

from napari_synth.core.recipe import METADATA_KEY
from napari_synth.ui.napari_bridge.stack_layers import (
    CAPSULES,
    IMAGE_DIFFERENCE,
    LENGTHS,
    WALK,
    StackKey,
    StackLayers,
    difference_colours,
    fit_contrast,
)
from tests.ui.conftest import painted
from tests.ui.napari_bridge.recipes import RECIPE

KEY = StackKey("caps", CAPSULES)


@pytest.fixture
def mask(viewer):
    return viewer.add_labels(painted(), name="mask", scale=(0.5, 0.25), translate=(3, 4))


@pytest.fixture
def stacks(viewer):
    return StackLayers(viewer)


def ramp(*shape):
    return np.arange(np.prod(shape), dtype=np.float32).reshape(shape)


def test_titles_name_stage_and_content():
    assert KEY.title == "caps capsules"
    assert StackKey("caps", WALK).title == "walk caps"
    assert (StackKey("", WALK).title, IMAGE_DIFFERENCE.title) == ("walk", "difference")


@pytest.mark.parametrize(("value", "colour"), [(0.0, (0.2, 0.55, 1)), (1.0, (1, 0.5, 0))])
def test_darker_is_blue_brighter_orange_and_the_same_unseen(value, colour):
    *found, alpha = difference_colours().map(np.array([value]))[0]
    assert found == pytest.approx(colour, abs=0.01)
    assert alpha == 1
    assert difference_colours().map(np.array([0.5]))[0, 3] == pytest.approx(0, abs=0.02)


def test_a_stack_of_larger_pixels_covers_its_mask_and_names_its_axes(viewer, mask, stacks):
    layer = stacks.put(mask, KEY, ramp(3, 4, 32, 24), RECIPE, factor=2)
    assert layer.name == "mask · caps capsules"
    assert layer.axis_labels == ("capsule", "pose", "y", "x")
    for corner, own in (((-0.5, -0.5), (-0.5, -0.5)), ((31.5, 23.5), (63.5, 47.5))):
        np.testing.assert_allclose(layer.data_to_world((0, 0, *corner))[-2:], mask.data_to_world(own))
    assert layer.metadata[METADATA_KEY] == RECIPE.model_dump()
    assert viewer.layers.index(layer) < viewer.layers.index(mask)
    assert viewer.layers.selection.active is mask


def test_a_stack_made_again_is_the_same_layer_unless_its_axes_are_others(mask, stacks):
    first = stacks.put(mask, KEY, ramp(3, 4, 64, 48), RECIPE)
    first.metadata["mine"] = 1
    again = stacks.put(mask, KEY, ramp(3, 4, 64, 48) + 1, RECIPE, contrast_limits=(5, 9))
    assert again is first
    assert (first.data[0, 0, 0, 0], tuple(first.contrast_limits), first.metadata["mine"]) == (1, (5, 9), 1)
    assert stacks.put(mask, KEY, ramp(4, 64, 48), RECIPE) is not first
    assert stacks.find(mask, KEY).ndim == 3


def test_contrast_follows_what_is_shown(mask, stacks):
    layer = stacks.put(mask, KEY, ramp(3, 4, 64, 48), RECIPE, fitted=True)
    for capsule, pose in ((0, 0), (2, 3)):
        stacks.go_to(capsule=capsule, pose=pose)
        assert (stacks.step("capsule"), stacks.step("pose"), stacks.step("alpha")) == (capsule, pose, 0)
        assert layer.contrast_limits == pytest.approx(np.percentile(layer.data[capsule, pose], (0.5, 99.5)))
    layer.visible = False
    before = tuple(layer.contrast_limits)
    stacks.go_to(capsule=0)
    assert tuple(layer.contrast_limits) == before, "what is not looked at is not read"
    layer.visible = True
    assert layer.contrast_limits == pytest.approx(np.percentile(layer.data[0, 3], (0.5, 99.5)))


def test_a_constant_slice_and_one_beside_the_stack(viewer):
    layer = viewer.add_image(np.full((2, 8, 8), 5.0))
    fit_contrast(layer, (0, 0, 0))
    assert tuple(layer.contrast_limits) == (5, 6)
    layer.data[1] = 7
    fit_contrast(layer, (2, 0, 0))
    assert tuple(layer.contrast_limits) == (5, 6)


def test_the_difference_has_the_same_room_for_darker_and_brighter(mask, stacks):
    difference = np.zeros((64, 48), int)
    difference[0, :2] = -7, 3
    layer = stacks.show_difference(mask, difference, RECIPE)
    assert tuple(layer.contrast_limits) == (-7, 7)
    assert layer.name == "mask · difference"
    assert stacks.show_difference(mask, difference * 0, RECIPE) is layer
    assert tuple(layer.contrast_limits) == (-1, 1), "nothing changed"


def test_eyes_are_switched_and_an_outdated_stack_tells_that_it_is_looked_at(mask, stacks):
    other, heard = StackKey("caps", LENGTHS), []
    stacks.looked_at.connect(lambda: heard.append(stacks.visible(mask)))
    for key in (KEY, other):
        stacks.put(mask, key, ramp(3, 64, 48), RECIPE)
    assert stacks.visible(mask) == [KEY, other]
    stacks.hide(mask, [KEY, IMAGE_DIFFERENCE])
    assert stacks.visible(mask) == [other]
    stacks.reveal(mask, IMAGE_DIFFERENCE)
    stacks.reveal(mask, KEY)
    assert heard == [], "it is what it was"
    stacks.hide(mask, [KEY, other])
    stacks.outdate(mask, [KEY])
    stacks.reveal(mask, other)
    assert heard == []
    stacks.reveal(mask, KEY)
    assert heard == [[KEY, other]]
    stacks.put(mask, KEY, ramp(3, 64, 48), RECIPE)
    stacks.hide(mask, [KEY])
    stacks.reveal(mask, KEY)
    assert len(heard) == 1, "made again, it is no longer outdated"
