"""Mask layers of a viewer: the list of them, edits that can be undone, their place."""

from __future__ import annotations

import numpy as np
import pytest
import tifffile

from napari_synth.core.errors import InputError
from napari_synth.datasets.mask_sources import mask_file
from napari_synth.masks.field import NucleusField
from napari_synth.ui.napari_bridge.mask_files import add_opened, layer_data, save_mask
from napari_synth.ui.napari_bridge.mask_layers import (
    MaskLayers,
    add_mask,
    add_stack,
    canvas_of,
    clear_labels,
    mask_array,
    outline,
    pixel_size,
    place_in_view,
    put_field,
    put_field_into,
    replace_labels,
)
from tests.ui.conftest import painted


def names(book):
    return [layer.name for layer in book.layers]


def test_mask_list_follows_the_layer_list(viewer):
    image = viewer.add_image(np.zeros((8, 8)), name="image")
    book = MaskLayers(viewer)
    changes = []
    book.changed.connect(lambda: changes.append(names(book)))
    assert book.current is None
    first = viewer.add_labels(painted(), name="first")
    second = viewer.add_labels(painted(), name="second")
    assert changes[-1] == ["second", "first"]
    first.name = "renamed"
    assert changes[-1] == ["second", "renamed"]
    viewer.layers.move(1, 3)
    assert changes[-1] == ["renamed", "second"]
    viewer.layers.selection.active = first
    assert book.current is first
    viewer.layers.selection.active = image
    assert book.current is first, "choosing an image keeps the mask"
    viewer.layers.remove(first)
    assert changes[-1] == ["second"]
    assert book.current is second
    viewer.layers.remove(second)
    assert book.current is None
    count = len(changes)
    first.name = "gone"
    assert len(changes) == count, "a removed layer is not listened to"


def test_float_images_are_not_offered(viewer):
    viewer.add_image(np.full((8, 8), np.nan))
    assert MaskLayers(viewer).layers == []


def test_one_undo_takes_a_whole_field_back(viewer):
    layer = viewer.add_labels(painted((256, 256)))
    before = layer.data.copy()
    labels = np.zeros((256, 256), np.int32)
    labels[100:200, 100:200] = np.arange(100)[:, None] + 1
    replace_labels(layer, labels)
    np.testing.assert_array_equal(layer.data, labels)
    layer.undo()
    np.testing.assert_array_equal(layer.data, before)
    layer.redo()
    np.testing.assert_array_equal(layer.data, labels)


@pytest.mark.parametrize(
    ("data", "labels", "words"),
    [
        (np.zeros((8, 8), np.uint8), np.full((8, 8), 300), "at most 255"),
        (np.zeros((8, 9), np.uint8), np.zeros((8, 8), int), "is now"),
    ],
)
def test_what_does_not_fit_is_refused_unchanged(viewer, data, labels, words):
    layer = viewer.add_labels(data)
    with pytest.raises(InputError, match=words):
        replace_labels(layer, labels)
    assert not layer.data.any()


def test_a_read_only_layer_is_refused_with_a_sentence(viewer):
    data = np.zeros((8, 8), np.uint8)
    data.flags.writeable = False
    layer = viewer.add_labels(data)
    with pytest.raises(InputError, match="cannot be edited"):
        replace_labels(layer, np.eye(8, dtype=int))


def test_a_layer_of_several_resolutions_is_refused_with_a_sentence(viewer):
    levels = [np.zeros((64, 64), np.uint8), np.zeros((32, 32), np.uint8)]
    layer = viewer.add_labels(levels, multiscale=True)
    assert mask_array(layer).shape == (64, 64)
    with pytest.raises(InputError, match="resolutions"):
        replace_labels(layer, np.eye(64, dtype=int))


def test_field_brings_its_table(viewer):
    layer = viewer.add_labels(np.zeros((64, 48), np.uint16))
    features = {"index": np.array([1, 2]), "area": np.array([400, 200]), "z0": np.array([0.5, -1.0])}
    put_field(layer, NucleusField(painted().astype(np.int32), features, 2))
    assert list(layer.features["index"]) == [0, 1, 2]
    assert layer.features.loc[2, "area"] == 200
    assert np.isnan(layer.features.loc[0, "z0"])
    assert layer.selected_label == 3, "the next painted nucleus is a new one"


def test_clear_is_undoable(viewer):
    layer = viewer.add_labels(painted())
    clear_labels(layer)
    assert not layer.data.any()
    layer.undo()
    np.testing.assert_array_equal(layer.data, painted())


def test_a_new_mask_is_ready_to_paint(viewer):
    layer = add_mask(viewer, (32, 40), "nuclei", {"scale": (0.5, 0.5)})
    assert viewer.layers.selection.active is layer
    assert layer.mode == "paint"
    layer.paint((16, 16), layer.selected_label)
    assert layer.data.shape == (32, 40)
    assert layer.data.max() == 1
    before = layer.data == 1
    layer.selected_label = 2
    layer.paint((16, 20), 2)
    assert (layer.data[before] == 1).all(), "nuclei do not overwrite each other"


def test_snapshot_is_a_copy(viewer):
    layer = viewer.add_labels(painted())
    copy = mask_array(layer)
    layer.paint((5, 5), 9)
    assert copy.max() == 2
    assert mask_array(viewer.add_labels(np.zeros((3, 8, 8), int))).ndim == 3


def test_pixel_size_reads_scale_and_units(viewer):
    size = pixel_size(viewer.add_labels(painted(), scale=(0.5, 0.25), units=("um", "um")))
    assert (size.y, size.x, size.unit) == (0.5, 0.25, "micron")
    assert pixel_size(viewer.add_labels(painted())).unit == "pixel"
    with pytest.raises(InputError, match="unit"):
        pixel_size(viewer.add_labels(painted(), units=("um", "nm")))


def test_canvas_of_an_image(viewer):
    shape, place = canvas_of(viewer.add_image(np.zeros((20, 30, 3), np.uint8), rgb=True, scale=(2, 2)))
    assert shape == (20, 30)
    assert tuple(place["scale"]) == (2, 2)
    assert canvas_of(viewer.add_image(np.zeros((4, 20, 30)))) is None
    assert canvas_of(viewer.add_labels(painted())) is None


def test_outline_keeps_a_contour_of_the_user(viewer):
    layer = viewer.add_labels(painted())
    outline(layer, True)
    assert layer.contour == 1
    layer.contour = 4
    outline(layer, True)
    assert layer.contour == 4
    outline(layer, False)
    assert layer.contour == 0


def test_a_field_is_added_where_the_mask_is_free_in_one_step(viewer):
    layer = viewer.add_labels(painted())
    labels = np.where(painted() > 0, painted(), 0).astype(np.int32)
    labels[15:40, 25:47] = 3
    put_field_into(layer, NucleusField(labels, {"index": np.array([3]), "area": np.array([550])}, 1))
    expected = painted()
    expected[(labels == 3) & (expected == 0)] = 3
    np.testing.assert_array_equal(layer.data, expected)
    assert list(layer.features["index"]) == [0, 3]
    layer.undo()
    np.testing.assert_array_equal(layer.data, painted())
    with pytest.raises(InputError, match="another size"):
        put_field_into(layer, NucleusField(labels[:9], {"index": np.array([3])}, 1))


def test_the_middle_of_the_canvas_is_a_pixel_of_the_mask(viewer):
    layer = viewer.add_labels(painted(), scale=(0.5, 0.25), translate=(3, 4))
    viewer.scene.camera.center = (0, 8, 9)
    assert place_in_view(viewer, layer) == (10, 20)
    assert place_in_view(viewer, viewer.add_labels(np.zeros((3, 8, 8), int))) is None


def test_a_stack_lies_right_of_all_others_and_is_not_selected(viewer):
    mask = viewer.add_labels(painted())
    layer = add_stack(viewer, np.zeros((4, 8, 8), np.float32), "shapes", ("step", "y", "x"))
    assert layer.axis_labels == ("step", "y", "x")
    assert tuple(layer.translate) == (0, 0, viewer.layers[0].extent.world[1][-1] + 8)
    assert viewer.layers.selection.active is mask


def test_a_saved_mask_comes_back_with_its_table(viewer, tmp_path):
    layer = viewer.add_labels(painted())
    put_field(layer, NucleusField(painted().astype(np.int32), {"index": np.array([1, 2]), "area": np.array([4, 2])}, 2))
    save_mask(layer, tmp_path / "mine.tif")
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "mine.tif"), painted())
    again = add_opened(viewer, layer_data(mask_file(tmp_path / "mine.tif"), tmp_path / "mine.tif"))
    np.testing.assert_array_equal(again.data, painted())
    assert (again.name, again.selected_label) == ("mine", 3)
    assert again.features["area"].tolist()[1:] == [4, 2]


def test_a_saved_mask_keeps_numbers_above_16_bits(viewer, tmp_path):
    labels = painted().astype(np.uint32)
    labels[labels == 2] = 70_000
    layer = viewer.add_labels(labels)
    layer.features = {"index": [0, 1, 70_000], "area": [0, 4, 2]}
    save_mask(layer, tmp_path / "mine.tif")
    again = add_opened(viewer, layer_data(mask_file(tmp_path / "mine.tif"), tmp_path / "mine.tif"))
    np.testing.assert_array_equal(again.data, labels)
    assert again.features["index"].tolist()[1:] == [1, 70_000]
