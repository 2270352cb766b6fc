"""Files of other programs, opened in napari as a person does."""

from __future__ import annotations

import json
from pathlib import Path

import napari_builtins
import numpy as np
import pytest
import tifffile
from napari.layers import Labels
from npe2 import PluginManifest

import napari_synth
from napari_synth.core.errors import InputError
from napari_synth.ui import readers
from napari_synth.ui.napari_bridge.window import PLUGIN
from tests.datasets.test_foreign_masks import WRITTEN, labels


@pytest.fixture(autouse=True)
def plugins(npe2pm):
    """napari with its own readers and those of this program, and no others."""
    for package, name in ((napari_builtins, "builtins.yaml"), (napari_synth, "napari.yaml")):
        npe2pm.register(PluginManifest.from_file(Path(package.__file__).with_name(name)))
    return npe2pm


@pytest.mark.parametrize("name", WRITTEN)
def test_masks_of_other_programs_become_labels_layers(viewer, tmp_path, name):
    _, write = WRITTEN[name]
    opened = viewer.open(str(write(tmp_path)), plugin=PLUGIN)
    assert opened
    assert all(isinstance(layer, Labels) for layer in opened)
    mask = next(layer for layer in opened if layer.name == "f")
    np.testing.assert_array_equal(mask.data, labels())
    mask.paint((50, 60), 9)
    assert mask.data[50, 60] == 9, "it can be painted on"


@pytest.mark.parametrize("name", ["coco polygon", "labelme polygon", "qupath multi", "imagej polygon"])
def test_formats_that_napari_does_not_know_open_without_a_question(viewer, tmp_path, name):
    _, write = WRITTEN[name]
    (mask,) = viewer.open(str(write(tmp_path)), plugin=None)
    assert isinstance(mask, Labels)


def test_the_size_of_a_pixel_comes_along(viewer, tmp_path):
    path = tmp_path / "f_masks.tif"
    tifffile.imwrite(
        path, labels().astype(np.uint16), imagej=True, resolution=(2, 4), metadata={"unit": "um"}
    )  # 2 and 4 pixels for a micrometre along x and y
    (mask,) = viewer.open(str(path), plugin=PLUGIN)
    np.testing.assert_allclose(mask.scale, (0.25, 0.5))
    assert [f"{unit}" for unit in mask.units] == ["micrometer", "micrometer"]


def test_of_a_folder_of_many_masks_the_first_are_opened(viewer, tmp_path):
    images = [{"id": n, "file_name": f"{n:02d}.png", "height": 8, "width": 9} for n in range(15)]
    square = [[1, 1, 5, 1, 5, 5, 1, 5]]
    annotations = [{"image_id": n, "segmentation": square} for n in range(15)]
    (tmp_path / "a.json").write_text(json.dumps({"images": images, "annotations": annotations}))
    assert len(viewer.open(str(tmp_path / "a.json"), plugin=PLUGIN)) == 12


def test_a_plain_folder_of_masks_is_one_of_ours_where_a_person_says_so(viewer, tmp_path):
    for number in range(3):
        tifffile.imwrite(tmp_path / f"{number}.tif", labels().astype(np.uint16))
    opened = viewer.open(str(tmp_path), plugin=PLUGIN)
    assert [layer.name for layer in opened] == ["0", "1", "2"]
    assert all(isinstance(layer, Labels) for layer in opened)


@pytest.mark.parametrize("content", ["{}", "[1, 2]", "{"])
def test_other_files_are_left_to_others(tmp_path, content):
    (tmp_path / "a.json").write_text(content)
    assert readers.open_path(str(tmp_path / "a.json")) is None
    assert readers.open_path([str(tmp_path / "a.json")]) is None
    assert readers.open_path(str(tmp_path)) is None


def test_what_is_missing_is_said(tmp_path):
    (tmp_path / "f.geojson").write_text(json.dumps({"features": []}))
    read = readers.open_path(str(tmp_path / "f.geojson"))
    with pytest.raises(InputError, match=r"without the size of their image.*Put the image of the same name beside"):
        read(str(tmp_path / "f.geojson"))


def test_a_plain_mask_file_is_still_opened_by_napari(viewer, tmp_path):
    tifffile.imwrite(tmp_path / "cells_mask.tif", labels().astype(np.uint16))
    (layer,) = viewer.open(str(tmp_path / "cells_mask.tif"), plugin=None)
    np.testing.assert_array_equal(layer.data, labels(), err_msg="no question which program shall open it")
