"""Names in folders of data: text or a sentence; and files that name others."""

import json
import os
import sys

import numpy as np
import pytest
import tifffile
from PIL import Image

from napari_synth import api
from napari_synth.core.errors import InputError
from napari_synth.datasets.foreign_masks import read_foreign
from tests.helpers import nuclei, pair_folder

NO_TEXT = os.fsdecode(b"n\xff")
needs_any_name = pytest.mark.skipif(sys.platform != "linux", reason="names are text on this system")


def train(data, out):
    api.train("pix2pix", data, out / "m.safetensors", device="cpu", settings={"steps": 1})


USES = {
    "train": train,
    "library": lambda data, out: api.shape_library(data, 1),
    "fit": lambda data, out: api.fit_field(data),
    "check": lambda data, out: api.check_pairs(data),
    "convert": lambda data, out: read_foreign(data),
}


@needs_any_name
@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("place", ["file", "folder"])
def test_a_name_that_is_no_text_is_told(tmp_path, use, place):
    if place == "file":
        data = pair_folder(tmp_path / "data")
        for kind in ("images", "masks"):
            (data / kind / "00.png").rename(data / kind / f"{NO_TEXT}.png")
    else:
        data = tmp_path / "data" if use in ("train", "check") else tmp_path / NO_TEXT
        pair_folder(tmp_path / "data" / NO_TEXT if use in ("train", "check") else data)
    with pytest.raises(InputError, match="not text in UTF-8") as caught:
        USES[use](data, tmp_path)
    assert "Rename it" in caught.value.action
    str(caught.value).encode()


@needs_any_name
def test_a_strange_name_beside_the_data_is_left_alone(tmp_path):
    data = pair_folder(tmp_path / "data")
    for folder in (data, data / "images", data / "masks"):
        (folder / f"{NO_TEXT}.txt").write_text("a note")
    assert not api.check_pairs(data).findings
    api.fit_field(data)


def outline_file(path, kind, name):
    square = [[8, 8], [40, 8], [40, 40], [8, 40]]
    if kind == "labelme":
        shapes = [{"label": "n", "shape_type": "polygon", "points": square}]
        content = {"shapes": shapes, "imagePath": name, "imageHeight": 64, "imageWidth": 64}
    else:
        images = [{"id": 1, "file_name": name, "height": 64, "width": 64}]
        annotation = {"id": 1, "image_id": 1, "category_id": 1, "segmentation": [np.ravel(square).tolist()]}
        content = {"images": images, "annotations": [annotation], "categories": []}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))
    return path


@pytest.mark.parametrize("kind", ["coco", "labelme"])
@pytest.mark.parametrize("way", ["up", "absolute", "through", "backslashes"])
def test_a_file_of_outlines_brings_no_image_from_outside_its_folder(tmp_path, kind, way):
    secret = tmp_path / "secret" / "f.png"
    secret.parent.mkdir()
    Image.fromarray(np.zeros((64, 64), np.uint8)).save(secret)
    (tmp_path / "given" / "sub").mkdir(parents=True)
    named = {
        "up": "../secret/f.png",
        "absolute": str(secret),
        "through": "sub/../../secret/f.png",
        "backslashes": "..\\secret\\f.png",
    }[way]
    path = outline_file(tmp_path / "given" / "f.json", kind, named)
    (mask,) = read_foreign(path)
    assert mask.image is None
    assert mask.stem == "f"
    assert mask.labels.any()
    (mask,) = read_foreign(path, images=secret.parent)
    assert mask.image == secret, "asked for, it is taken"


@pytest.mark.parametrize("kind", ["coco", "labelme"])
def test_an_image_below_the_folder_is_found_by_its_name(tmp_path, kind):
    path = outline_file(tmp_path / "f.json", kind, "a/../raw/f.tif")
    (tmp_path / "raw").mkdir()
    tifffile.imwrite(tmp_path / "raw" / "f.tif", nuclei().astype(np.uint8))
    (mask,) = read_foreign(path)
    assert mask.image.samefile(tmp_path / "raw" / "f.tif")


def test_a_folder_of_outlines_is_the_one_given(tmp_path):
    outline_file(tmp_path / "labels" / "f.json", "labelme", "../images/f.tif")
    (tmp_path / "images").mkdir()
    tifffile.imwrite(tmp_path / "images" / "f.tif", nuclei().astype(np.uint8))
    (mask,) = read_foreign(tmp_path / "labels", "labelme")
    assert mask.image is None


@pytest.mark.parametrize("name", ["", "a\0b.png", "\ud800.png", "x" * 300])
def test_an_image_that_no_file_can_be_called_is_refused(tmp_path, name):
    with pytest.raises(InputError, match=r"no file can be called|without a name"):
        read_foreign(outline_file(tmp_path / "f.json", "coco", name))
