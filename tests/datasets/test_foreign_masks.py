"""Files written here as the programs describe them, read as labels that were drawn here."""

import json
import os
import pickle
from pathlib import Path

import numpy as np
import pytest
import roifile
import tifffile
from PIL import Image
from typer.testing import CliRunner

from napari_synth.cli.main import app
from napari_synth.core.errors import InputError
from napari_synth.datasets.foreign_masks import FOREIGN_MASKS, format_of, read_foreign
from napari_synth.datasets.image_files import read_labels
from tests.datasets.kinds_of_files import _zarr

SHAPE = (60, 80)
BOXES = ((5, 10, 20, 30), (5, 30, 25, 44), (35, 8, 55, 33))
"""Top, left, bottom, right."""


def labels():
    mask = np.zeros(SHAPE, np.int32)
    for number, (top, left, bottom, right) in enumerate(BOXES, 1):
        mask[top:bottom, left:right] = number
    return mask


def corners(box):
    """(x, y) of the corners, where the first pixel goes from 0 to 1."""
    top, left, bottom, right = box
    return [(left, top), (right, top), (right, bottom), (left, bottom)]


def image(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray((labels() * 60).astype(np.uint8)).save(path)


def runs(mask):
    """COCO's counts: down the columns, background first."""
    flat = mask.T.ravel()
    edges = np.flatnonzero(np.diff(flat)) + 1
    lengths = np.diff([0, *edges, flat.size]).tolist()
    return [0, *lengths] if flat[0] else lengths


def packed(counts):
    """The string of pycocotools' rleToString."""
    text = ""
    for place, count in enumerate(counts):
        x = count - counts[place - 2] if place > 2 else count
        more = True
        while more:
            bits = x & 0x1F
            x >>= 5
            more = x != -1 if bits & 0x10 else x != 0
            text += chr((bits | 0x20 if more else bits) + 48)
    return text


def coco(how):
    def write(folder):
        image(folder / "images" / "f.png")
        segmentations = {
            "polygon": lambda n, box: [[float(v) for corner in corners(box) for v in corner]],
            "runs": lambda n, box: {"size": list(SHAPE), "counts": runs(labels() == n)},
            "packed": lambda n, box: {"size": list(SHAPE), "counts": packed(runs(labels() == n))},
        }
        content = {
            "images": [{"id": 7, "file_name": "images/f.png", "height": SHAPE[0], "width": SHAPE[1]}],
            "annotations": [
                {"id": n, "image_id": 7, "category_id": 1, "segmentation": segmentations[how](n, box)}
                for n, box in enumerate(BOXES, 1)
            ],
            "categories": [{"id": 1, "name": "nucleus"}],
        }
        (folder / "annotations.json").write_text(json.dumps(content))
        return folder / "annotations.json"

    return write


def labelme(how):
    def write(folder):
        image(folder / "f.png")
        shapes = [
            {
                "label": "n",
                "shape_type": how,
                "points": corners(b) if how == "polygon" else [corners(b)[0], corners(b)[2]],
            }
            for b in BOXES
        ]
        content = {"shapes": shapes, "imagePath": "f.png", "imageHeight": SHAPE[0], "imageWidth": SHAPE[1]}
        (folder / "f.json").write_text(json.dumps(content))
        return folder / "f.json"

    return write


def labelme_folder(folder):
    labelme("polygon")(folder)
    return folder


def qupath(how):
    def write(folder):
        image(folder / "f.png")
        features = []
        for box in BOXES:
            ring = [*corners(box), corners(box)[0]]
            geometry = {"type": "Polygon", "coordinates": [ring]}
            if how == "multi":
                geometry = {"type": "MultiPolygon", "coordinates": [[ring]]}
            feature = {"type": "Feature", "geometry": geometry, "properties": {"objectType": "detection"}}
            if how == "cell":
                feature["geometry"] = {"type": "Polygon", "coordinates": [[(0, 0), (80, 0), (80, 60), (0, 60), (0, 0)]]}
                feature["nucleusGeometry"] = geometry
            features.append(feature)
        content = features if how == "list" else {"type": "FeatureCollection", "features": features}
        (folder / "f.geojson").write_text(json.dumps(content))
        return folder / "f.geojson"

    return write


def imagej(how):
    def write(folder):
        image(folder / "f.png")
        rois = []
        for number, box in enumerate(BOXES):
            if how == "rectangle":
                roi = roifile.ImagejRoi()
                roi.roitype = roifile.ROI_TYPE.RECT
                roi.top, roi.left, roi.bottom, roi.right = box
            else:
                roi = roifile.ImagejRoi.frompoints(np.array(corners(box), np.float32))
                roi.roitype = roifile.ROI_TYPE.FREEHAND if how == "freehand" else roifile.ROI_TYPE.POLYGON
            roi.name = f"n{number}"
            rois.append(roi)
        name = "f_rois.zip" if how == "polygon" else "RoiSet_f.zip" if how == "freehand" else "f.zip"
        roifile.roiwrite(folder / name, rois)
        return folder / name

    return write


def cellpose_seg(folder):
    image(folder / "f.png")
    content = {
        "masks": labels().astype(np.uint16), "outlines": labels() * 0, "filename": "f.png", "chan_choose": [0, 0],
        "flows": [np.zeros((1, 4, 4), np.uint8), []], "diameter": np.float64(30.5), "ismanual": np.zeros(3, bool),
    }  # fmt: skip
    np.save(folder / "f_seg.npy", content)
    return folder / "f_seg.npy"


def cellpose_masks(ending):
    def write(folder):
        image(folder / "f.png")
        if ending.endswith("tif"):
            tifffile.imwrite(folder / f"f{ending}", labels().astype(np.uint16))
        else:
            Image.fromarray(labels().astype(np.uint16)).save(folder / f"f{ending}")
        return folder / f"f{ending}"

    return write


def stardist(folder):
    for part, stem in (("train", "f"), ("test", "g")):
        image(folder / part / "images" / f"{stem}.tif")
        (folder / part / "masks").mkdir()
        tifffile.imwrite(folder / part / "masks" / f"{stem}.tif", labels().astype(np.uint16))
    return folder


def dsb(folder):
    for stem in ("f", "abc123"):
        image(folder / stem / "images" / f"{stem}.png")
        (folder / stem / "masks").mkdir()
        for number in (1, 2, 3):
            mask = Image.fromarray(np.where(labels() == number, 255, 0).astype(np.uint8))
            mask.save(folder / stem / "masks" / f"{number:02d}x.png")
    return folder


def zarr(version):
    def write(folder):
        path = folder / "f.zarr"
        _zarr((labels() * 60).astype(np.uint8), "yx", version)(path)
        import zarr as library

        group = library.open_group(str(path), mode="r+")
        child = group.create_group("labels")
        child.attrs.update({"labels": ["n"]} if version == "0.4" else {"ome": {"labels": ["n"]}})
        _zarr(labels().astype(np.uint16), "yx", version)(path / "labels" / "n")
        return path

    return write


WRITTEN = {
    "cellpose seg": ("cellpose", cellpose_seg),
    **{f"cellpose {e}": ("cellpose", cellpose_masks(e)) for e in ("_masks.tif", "_cp_masks.tif", "_cp_masks.png")},
    "stardist": ("stardist", stardist),
    "dsb": ("dsb2018", dsb),
    **{f"coco {how}": ("coco", coco(how)) for how in ("polygon", "runs", "packed")},
    **{f"labelme {how}": ("labelme", labelme(how)) for how in ("polygon", "rectangle")},
    "labelme folder": ("labelme", labelme_folder),
    **{f"qupath {how}": ("qupath", qupath(how)) for how in ("polygon", "multi", "list", "cell")},
    **{f"imagej {how}": ("imagej", imagej(how)) for how in ("polygon", "freehand", "rectangle")},
    **{f"ome-zarr {version}": ("ome-zarr", zarr(version)) for version in ("0.4", "0.5")},
}


@pytest.mark.parametrize("name", WRITTEN)
def test_masks_of_other_programs(tmp_path, name):
    form, write = WRITTEN[name]
    path = write(tmp_path)
    assert format_of(path) == form
    found = {mask.stem: mask for mask in read_foreign(path)}
    assert (found["f"].labels == labels()).all()
    assert found["f"].labels.dtype == np.int32
    assert found["f"].image is not None
    assert found["f"].image.exists()
    assert not found["f"].remarks


@pytest.mark.parametrize("name", ["coco packed", "dsb", "stardist", "cellpose seg", "imagej polygon", "labelme folder"])
def test_they_become_pairs(tmp_path, name):
    path = WRITTEN[name][1](tmp_path)
    result = CliRunner().invoke(app, ["convert", str(path), "--out", str(tmp_path / "pairs")])
    assert result.exit_code == 0, result.output
    masks = sorted((tmp_path / "pairs" / "masks").iterdir())
    assert (read_labels(tmp_path / "pairs" / "masks" / "f.tif") == labels()).all()
    assert {m.stem for m in masks} == {i.stem for i in (tmp_path / "pairs" / "images").iterdir()}


def test_every_format_is_tried_here():
    assert set(FOREIGN_MASKS) == {form for form, _ in WRITTEN.values()}


class _Runs:
    def __reduce__(self):
        return os.system, ("touch ran",)


@pytest.mark.parametrize("how", ["array", "dictionary", "nested"])
def test_a_pickle_that_would_run_something_is_refused(tmp_path, monkeypatch, how):
    monkeypatch.chdir(tmp_path)
    content = {"array": _Runs(), "dictionary": {"masks": _Runs()}, "nested": {"masks": labels(), "x": [_Runs()]}}[how]
    path = Path("f_seg.npy")
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, {"descr": "|O", "fortran_order": False, "shape": ()})
        pickle.dump(content, file)
    with pytest.raises(InputError, match="not safe"):
        read_foreign(path)
    assert not Path("ran").exists()


DAMAGED = {
    "coco": ("a.json", b'{"images": [{"id": 1}], "annotations": []}'),
    "coco runs": ("a.json", json.dumps({
        "images": [{"id": 1, "file_name": "a.png", "height": 4, "width": 4}],
        "annotations": [{"image_id": 1, "segmentation": {"size": [4, 4], "counts": [3]}}]}).encode()),
    "coco size": ("a.json", json.dumps({
        "images": [{"id": 1, "file_name": "a.png", "height": 10**9, "width": 10**9}], "annotations": []}).encode()),
    "labelme": ("a.json", b'{"shapes": [{"points": 3}], "imageHeight": 9, "imageWidth": 9}'),
    "qupath": ("a.geojson", b'[{"type": "Feature", "geometry": {"type": "Polygon"}}]'),
    "text": ("a.json", b"not json"),
    "deep": ("a.json", b"[" * 100000),
    "roi": ("a.roi", b"Iout" + b"\xff" * 40),
    "cellpose": ("a_seg.npy", b"\x93NUMPY\x01\x00junk"),
}  # fmt: skip


@pytest.mark.parametrize("name", DAMAGED)
def test_damaged_files_are_named(tmp_path, name):
    file, content = DAMAGED[name]
    (tmp_path / file).write_bytes(content)
    Image.fromarray(np.zeros((9, 9), np.uint8)).save(tmp_path / "a.png")
    with pytest.raises(InputError, match="a"):
        read_foreign(tmp_path / file)


def test_outlines_without_an_image_ask_for_one(tmp_path):
    path = WRITTEN["qupath polygon"][1](tmp_path)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "f.png").rename(tmp_path / "elsewhere" / "f.png")
    with pytest.raises(InputError, match="size of their image") as caught:
        read_foreign(path)
    assert "--images" in caught.value.action
    assert (read_foreign(path, images=tmp_path / "elsewhere")[0].labels == labels()).all()


def test_hidden_nuclei_are_counted(tmp_path):
    image(tmp_path / "f.png")
    ring = [(2, 2), (20, 2), (20, 20), (2, 20)]
    shapes = [{"shape_type": "polygon", "points": ring}] * 2
    (tmp_path / "f.json").write_text(json.dumps({"shapes": shapes, "imageHeight": 60, "imageWidth": 80}))
    (mask,) = read_foreign(tmp_path / "f.json")
    assert "1 of 2 outlines" in mask.remarks[0]


def test_two_of_one_name_are_numbered(tmp_path):
    stardist(tmp_path)
    for kind in ("images", "masks"):
        (tmp_path / "test" / kind / "g.tif").rename(tmp_path / "test" / kind / "F.tif")
    CliRunner().invoke(app, ["convert", str(tmp_path), "--out", str(tmp_path / "out")])
    assert sorted(p.name for p in (tmp_path / "out" / "masks").iterdir()) == ["F_2.tif", "f.tif"]
