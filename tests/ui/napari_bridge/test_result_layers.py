"""Rendered images beside their masks."""

from __future__ import annotations

import numpy as np
from napari.components import ViewerModel
from napari.layers import Labels

from napari_synth.core.boxes import Box
from napari_synth.core.recipe import METADATA_KEY, Recipe
from napari_synth.ui.napari_bridge.image_layers import UNFINISHED_KEY
from napari_synth.ui.napari_bridge.result_layers import ResultLayers, paste
from tests.ui.conftest import painted
from tests.ui.napari_bridge.recipes import RECIPE


def test_result_lies_below_its_mask_with_its_scale_and_selection_stays(viewer):
    mask = viewer.add_labels(painted(), name="mask", scale=(0.5, 0.25), translate=(3, 4), units=("um", "um"))
    other = viewer.add_labels(painted(), name="other")
    viewer.layers.selection.active = mask
    image = np.zeros((64, 48, 3), np.uint8)
    layer = ResultLayers(viewer).show(mask, "he", image, RECIPE)
    assert [each.name for each in viewer.layers] == ["mask · he", "mask", "other"]
    assert layer.rgb
    np.testing.assert_array_equal(layer.scale, mask.scale)
    np.testing.assert_array_equal(layer.translate, mask.translate)
    assert layer.units == mask.units
    assert layer.metadata[METADATA_KEY] == RECIPE.model_dump()
    assert Recipe.model_validate(layer.metadata[METADATA_KEY]) == RECIPE
    assert viewer.layers.selection.active is mask
    assert other in viewer.layers


def test_a_second_result_refreshes_the_first_even_after_renaming(viewer):
    mask = viewer.add_labels(painted(), name="mask")
    book = ResultLayers(viewer)
    first = book.show(mask, "he", np.zeros((64, 48, 3), np.uint8), RECIPE)
    mask.name = first.name = "renamed"
    again = book.show(mask, "he", np.full((64, 48, 3), 7, np.uint8), RECIPE)
    assert again is first
    assert first.data.max() == 7
    assert book.show(mask, "fluorescence", np.zeros((64, 48), np.uint8), RECIPE) is not first
    viewer.layers.remove(first)
    assert book.show(mask, "he", np.zeros((64, 48, 3), np.uint8), RECIPE) is not first
    assert len(viewer.layers) == 3


def test_grey_result_is_not_stretched(viewer):
    mask = viewer.add_labels(painted())
    layer = ResultLayers(viewer).show(mask, "fluorescence", np.full((64, 48), 7, np.uint8), RECIPE)
    assert not layer.rgb
    assert tuple(layer.contrast_limits) == (0, 255)


def test_parts_make_the_image_and_later_ones_change_no_other_pixel(viewer):
    mask = viewer.add_labels(painted(), name="mask")
    results = ResultLayers(viewer)
    assert results.refresh(mask, "he", (64, 48), [], None) is None, "nothing to show yet"
    parts = [(Box(0, 0, 8, 8), np.full((8, 8), 50, np.uint8)), (Box(60, 40, 64, 48), np.full((4, 8), 90, np.uint8))]
    layer = results.refresh(mask, "he", (64, 48), parts, None)
    expected = np.zeros((64, 48), np.uint8)
    expected[:8, :8], expected[60:, 40:] = 50, 90
    np.testing.assert_array_equal(layer.data, expected)
    assert UNFINISHED_KEY in layer.metadata
    assert METADATA_KEY not in layer.metadata
    layer.contrast_limits = (10, 20)
    again = results.refresh(mask, "he", (64, 48), [(Box(4, 4, 6, 7), np.full((2, 3), 7, np.uint8))], RECIPE)
    expected[4:6, 4:7] = 7
    assert again is layer
    np.testing.assert_array_equal(layer.data, expected)
    assert tuple(layer.contrast_limits) == (10, 20), "the user's contrast stays"
    assert UNFINISHED_KEY not in layer.metadata
    assert Recipe.model_validate(layer.metadata[METADATA_KEY]) == RECIPE


def test_an_image_that_cannot_be_written_to_is_copied_not_changed(viewer):
    mask, image = viewer.add_labels(painted()), np.zeros((64, 48), np.uint8)
    image.flags.writeable = False
    results = ResultLayers(viewer)
    layer = results.show(mask, "he", image, RECIPE)
    results.refresh(mask, "he", (64, 48), [(Box(0, 0, 2, 2), np.full((2, 2), 9, np.uint8))], RECIPE)
    assert layer.data[:2, :2].tolist() == [[9, 9], [9, 9]]
    assert not image.any()


def test_colour_in_place_of_grey_is_another_layer(viewer):
    mask = viewer.add_labels(painted())
    results, heard = ResultLayers(viewer), []
    results.replaced.connect(lambda: heard.append(True))
    grey = results.show(mask, "he", np.zeros((64, 48), np.uint8), RECIPE)
    colour = results.refresh(mask, "he", (64, 48), [(Box(0, 0, 1, 1), np.full((1, 1, 3), 9, np.uint8))], RECIPE)
    assert colour is not grey
    assert (colour.rgb, colour.data.shape, len(heard)) == (True, (64, 48, 3), 2)
    assert results.find(mask, "he") is colour


def test_a_channel_lies_above_its_image_with_its_own_contrast(viewer):
    mask, anatomy = viewer.add_labels(painted()), viewer.add_image(np.zeros((64, 48)))
    signal = np.full((64, 48), 300, np.uint16)
    results = ResultLayers(viewer)
    parts = [(Box(0, 0, 64, 48), signal)]
    layer = results.refresh(mask, "signal", (64, 48), parts, None, above=anatomy, low_high=(100, 1100))
    assert viewer.layers.index(layer) == viewer.layers.index(anatomy) + 1
    assert (layer.blending, layer.colormap.name) == ("additive", "green")
    shown = {"contrast_limits": (150, 400)}
    assert results.show(mask, "signal", signal, RECIPE, anatomy, shown) is layer
    assert tuple(layer.contrast_limits) == (150, 400), "the finished image has the contrast of all of it"
    layer.contrast_limits = (1, 2)
    results.show(mask, "signal", signal + 1, RECIPE, anatomy, shown)
    assert tuple(layer.contrast_limits) == (1, 2), "that of the user stays"


def test_a_mask_is_awaited_until_it_is_not_and_not_kept_alive():
    viewer = ViewerModel()
    one, two = Labels(painted()), Labels(painted())
    results = ResultLayers(viewer)
    assert not results.awaited(one)
    results.expect(one)
    assert (results.awaited(one), results.awaited(two)) == (True, False)
    results.expect(None)
    assert not results.awaited(one)


def test_parts_are_pasted_in_place_the_last_on_top():
    image = np.zeros((3, 4), np.uint8)
    paste(image, [(Box(0, 1, 2, 3), np.full((2, 2), 5)), (Box(1, 2, 3, 4), np.full((2, 2), 6))])
    assert image.tolist() == [[0, 5, 5, 0], [0, 5, 6, 6], [0, 0, 6, 6]]
