"""Image layers that objects are put into."""

from __future__ import annotations

import numpy as np

from napari_synth.core.recipe import METADATA_KEY
from napari_synth.ui.napari_bridge.image_layers import UNFINISHED_KEY, ImageLayers, over_anatomy


def test_the_tissue_of_a_signal_is_dark_and_its_objects_are_not():
    signal = np.full((100, 100), 300.0)
    signal[40:55, 40:55] = 900
    low, high = over_anatomy(signal, (0, 2000))["contrast_limits"]
    assert low >= 300
    assert high == 900
    crowded = np.full((100, 100), 900.0)
    crowded[:20] = 300
    low, high = over_anatomy(crowded, (0, 2000))["contrast_limits"]
    assert low <= 450, "many objects do not hide themselves"


def test_the_lowest_image_is_the_current_one_until_another_is_chosen(viewer):
    images, heard = ImageLayers(viewer), []
    images.changed.connect(lambda: heard.append([layer.name for layer in images.layers]))
    assert images.current is None
    low = viewer.add_image(np.zeros((8, 8)), name="low")
    viewer.add_image(np.zeros((8, 8)), name="rendered", metadata={METADATA_KEY: {}})
    viewer.add_image(np.zeros((8, 8)), name="half rendered", metadata={UNFINISHED_KEY: True})
    high = viewer.add_image(np.zeros((8, 8)), name="high")
    assert heard == [["low"], ["low", "high"]], "rendered images are none to put objects into"
    assert images.current is low
    images.current = high
    assert images.current is high
    high.name = "renamed"
    assert heard[-1] == ["low", "renamed"]
    viewer.layers.remove(high)
    assert images.current is low
    count = len(heard)
    high.name = "gone"
    assert len(heard) == count, "a removed layer is not listened to"


def test_pixels_are_one_copy_as_long_as_they_are_the_same(viewer):
    layer = viewer.add_image(np.zeros((8, 8)))
    images = ImageLayers(viewer)
    first = images.pixels(layer)
    layer.name = "renamed"
    assert images.pixels(layer) is first
    layer.data[2, 3] = 1
    assert not first.any()
    second = images.pixels(layer)
    np.testing.assert_array_equal(second, layer.data)
    layer.data = second.astype(np.uint8)
    assert images.pixels(layer).dtype == np.uint8
