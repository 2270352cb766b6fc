"""Formats give back what was written, through other readers than the code that writes."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path

import numpy as np
import pytest
import tifffile
import yaml
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image, ImageDraw
from scipy import ndimage

from napari_synth.core.errors import InputError
from napari_synth.datasets.foreign_masks import FOREIGN_MASKS
from napari_synth.datasets.image_files import read_labels
from napari_synth.exporting.formats import FORMATS
from napari_synth.exporting.formats.base import Item, PairToWrite
from napari_synth.exporting.formats.outlines import border_chain, edge_outline, pieces
from napari_synth.exporting.survey import Survey, facts_of
from tests.exporting.fields import FIELDS, ious, pairs, same_nuclei

BELOW_16_BITS = [name for name in FIELDS if name != "over 65535 nuclei"]


def write(name: str, folder, **which):
    """Everything that a format writes of the fields; the pairs."""
    out, written = FORMATS[name], list(pairs(**which))
    for pair in written:
        out.write(folder, pair)
        assert all(path.exists() for path in out.files(folder, pair.item))
    out.finish(folder, [pair.item for pair in written])
    return written


def test_cellpose_finds_image_and_masks_side_by_side(tmp_path):
    written = write("cellpose", tmp_path)
    for pair in written:
        place = tmp_path / pair.item.role
        found = tifffile.imread(place / f"{pair.item.stem}_masks.tif")
        assert found.dtype == (np.uint32 if pair.labels.max() > 65535 else np.uint16)
        np.testing.assert_array_equal(found, pair.labels)
        np.testing.assert_array_equal(tifffile.imread(place / f"{pair.item.stem}.tif"), pair.image)
    assert len(list(tmp_path.rglob("*.tif"))) == 2 * len(FIELDS)


def test_cellpose_does_not_train_on_the_flows_of_others(tmp_path):
    (tmp_path / "train").mkdir()
    (tmp_path / "train" / "0001_he_flows.tif").write_bytes(b"x")
    with pytest.raises(InputError, match="flows of an earlier training"):
        write("cellpose", tmp_path)


def test_stardist_finds_numbers_without_gaps(tmp_path):
    for pair in write("stardist", tmp_path):
        found = tifffile.imread(tmp_path / pair.item.role / "masks" / f"{pair.item.stem}.tif")
        assert same_nuclei(found, pair.labels)
        assert set(np.unique(found)) - {0} == set(range(1, found.max() + 1))
        image = tifffile.imread(tmp_path / pair.item.role / "images" / f"{pair.item.stem}.tif")
        np.testing.assert_array_equal(image, pair.image)


def ring(size: int = 40) -> np.ndarray:
    """A nucleus with a hole, and one inside of another."""
    labels = np.zeros((size, 2 * size), np.int32)
    labels[5:30, 5:30], labels[12:20, 12:20] = 4, 0
    labels[5:30, 45:70], labels[12:20, 50:60] = 9, 12
    return labels


def test_stardist_gets_no_holes_and_says_so(tmp_path):
    (pair,) = pairs(["one nucleus"])
    pair = dataclasses.replace(pair, labels=ring())
    FORMATS["stardist"].write(tmp_path, pair)
    found = tifffile.imread(FORMATS["stardist"].files(tmp_path, pair.item)[1])
    assert (found[5:30, 5:30] == 1).all()
    assert (found[12:20, 50:60] == 3).all(), "a nucleus inside of another is no hole"
    facts = facts_of(ring())
    assert (facts.holed, facts.gaps) == (2, True)
    told = FORMATS["stardist"].check(Survey(masks=(facts,)))
    assert any(entry.lost and "holes" in entry.text for entry in told)


def test_stardist_says_what_rays_cannot_draw():
    y, x = np.mgrid[:60, :60]
    circle = ((y - 30) ** 2 + (x - 30) ** 2 < 20**2).astype(np.int32)
    snake = np.zeros((60, 60), np.int32)
    snake[5:55, 5:10], snake[5:10, 5:55], snake[50:55, 5:55] = 1, 1, 1
    assert not FORMATS["stardist"].check(Survey(masks=(facts_of(circle),), labels=(circle,)))
    told = FORMATS["stardist"].check(Survey(masks=(facts_of(snake),), labels=(snake,)))
    assert "1 of 1 nuclei cannot be drawn by 32 rays" in told[0].text


def test_cellpose_says_which_images_it_would_drop():
    few = Survey(masks=tuple(facts_of(labels) for labels in (FIELDS["one nucleus"], FIELDS["field 1"])))
    (told,) = [entry.text for entry in FORMATS["cellpose"].check(few) if "fewer than 5" in entry.text]
    assert "1 of 2 masks" in told


def test_facts_count_what_is_there():
    labels = np.zeros((20, 20), np.int32)
    labels[0:3, 0:3], labels[10:12, 10:12], labels[15:17, 15:17] = 5, 7, 7
    facts = facts_of(labels)
    assert (facts.nuclei, facts.smallest, facts.on_border, facts.parted, facts.holed) == (2, 8, 1, 1, 0)
    assert facts_of(np.zeros((9, 9), np.int32)).nuclei == 0


@pytest.mark.parametrize("name", list(FORMATS))
def test_every_format_says_how_to_train(name, tmp_path):
    survey = Survey(masks=(facts_of(FIELDS["field 1"]),), labels=(FIELDS["field 1"],), roles={"train": 8, "val": 2})
    guide = FORMATS[name].guide(tmp_path, survey)
    assert guide is not None
    assert str(tmp_path) in guide.command, "paths are absolute"
    assert guide.proved


def test_iou_is_that_of_the_definition():
    truth = np.array([[1, 1, 0, 0]])
    assert ious(truth, np.array([[0, 3, 3, 0]])) == pytest.approx([1 / 3])


def read_foreign(folder, form, images=None):
    return {mask.stem: mask.labels for mask in FOREIGN_MASKS[form].read(folder, images)}


@pytest.mark.parametrize("grey", [False, True])
def test_coco_gives_every_pixel_back(tmp_path, grey):
    written = write("coco", tmp_path, names=BELOW_16_BITS, grey=grey)
    for role in ("train", "val", "test"):
        exact = read_foreign(tmp_path / "annotations" / f"instances_{role}_rle.json", "coco")
        drawn = read_foreign(tmp_path / "annotations" / f"instances_{role}.json", "coco")
        for pair in (pair for pair in written if pair.item.role == role):
            assert same_nuclei(exact[pair.item.stem], pair.labels)
            assert same_nuclei(drawn[pair.item.stem], pair.labels), "outlines along the edges of pixels are exact too"
            image = np.asarray(Image.open(tmp_path / "images" / role / f"{pair.item.stem}.png"))
            np.testing.assert_array_equal(image, pair.image)
    found = json.loads((tmp_path / "annotations" / "instances_train.json").read_text())
    assert len(found["images"]) == sum(pair.item.role == "train" for pair in written), "those without nuclei too"
    one = found["annotations"][0]
    labels = written[0].labels
    assert one["area"] == (labels == 1).sum()
    x, y, width, height = one["bbox"]
    assert (labels[int(y) : int(y + height), int(x) : int(x + width)] == 1).sum() == one["area"]


@pytest.mark.slow
def test_coco_numbers_more_than_16_bits_of_nuclei(tmp_path):
    (pair,) = write("coco", tmp_path, names=["over 65535 nuclei"])
    (found,) = read_foreign(tmp_path / "annotations" / f"instances_{pair.item.role}_rle.json", "coco").values()
    assert same_nuclei(found, pair.labels)


def drawn_by_yolo(text: str, shape) -> np.ndarray:
    """Label map of a file of Ultralytics, drawn as it draws: corners cut to whole pixels, outlines included."""
    labels = Image.new("I", shape[::-1])
    pen = ImageDraw.Draw(labels)
    for number, line in enumerate(text.splitlines(), 1):
        numbers = [float(word) for word in line.split()]
        assert numbers[0] == 0
        assert len(numbers) >= 7, "three points"
        assert all(0 <= value <= 1 for value in numbers[1:])
        points = (np.reshape(numbers[1:], (-1, 2)) * shape[::-1]).astype(int)
        pen.polygon([tuple(point) for point in points.tolist()], fill=number, outline=number)
    return np.asarray(labels)


def test_yolo_draws_the_same_nuclei(tmp_path):
    written = write("yolo", tmp_path, names=BELOW_16_BITS)
    for pair in written:
        text = (tmp_path / "labels" / pair.item.role / f"{pair.item.stem}.txt").read_text()
        fits = ious(pair.labels, drawn_by_yolo(text, pair.labels.shape))
        assert (fits >= 0.99).all(), (pair.item.stem, fits.min())
        assert len(text.splitlines()) == len(np.unique(pair.labels[pair.labels > 0]))
    data = yaml.safe_load((tmp_path / "data.yaml").read_text())
    assert data["names"] == {0: "nucleus"}
    for role in ("train", "val", "test"):
        assert len(list((Path(data["path"]) / data[role]).iterdir())) == sum(p.item.role == role for p in written)


def test_yolo_says_that_it_has_no_holes_and_one_piece():
    parted = np.zeros((30, 30), np.int32)
    parted[2:8, 2:8], parted[20:28, 20:28] = 1, 1
    told = [entry.text for entry in FORMATS["yolo"].check(Survey(masks=(facts_of(ring()), facts_of(parted))))]
    assert any("2 of 4 nuclei have holes" in text for text in told)
    assert any("1 of 4 nuclei have several pieces" in text for text in told)


@given(arrays(bool, st.tuples(st.integers(1, 12), st.integers(1, 12)), elements=st.booleans()))
@settings(max_examples=200, deadline=None)
def test_outlines_enclose_exactly_the_piece(pixels):
    if not pixels.any():
        return
    piece = ndimage.binary_fill_holes(pieces(pixels)[0])
    corners = edge_outline(piece)
    steps = np.diff(np.vstack([corners, corners[:1]]), axis=0)
    assert ((steps == 0).sum(1) == 1).all(), "along rows and columns"
    x, y = corners.T
    area = abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2  # the shoelace formula
    assert area == piece.sum()
    chain = border_chain(piece)
    deep = ndimage.binary_erosion(piece)  # all four neighbours are in it
    assert {tuple(point) for point in chain.tolist()} == {(x, y) for y, x in np.argwhere(piece & ~deep)}
    assert (np.abs(np.diff(np.vstack([chain, chain[:1]]), axis=0)).max(1) <= 1).all(), "from pixel to pixel"


def test_dsb_has_a_file_per_nucleus_and_run_lengths(tmp_path):
    written = write(
        "dsb2018", tmp_path, names=["field 1", "no nucleus", "one nucleus", "300 touching", "gaps in the numbers"]
    )
    for pair in written:
        place = tmp_path / f"stage1_{pair.item.role}" / pair.item.stem
        found = np.zeros(pair.labels.shape, int)
        for number, path in enumerate(sorted((place / "masks").iterdir()), 1):
            mask = np.asarray(Image.open(path))
            assert set(np.unique(mask)) == {0, 255}
            assert not found[mask > 0].any(), "no overlap"
            found[mask > 0] = number
        assert same_nuclei(found, pair.labels)
        np.testing.assert_array_equal(np.asarray(Image.open(place / "images" / f"{pair.item.stem}.png")), pair.image)
        table = (tmp_path / f"stage1_{pair.item.role}_labels.csv").read_text().splitlines()[1:]
        runs = [line.split(",")[1].split() for line in table if line.startswith(f"{pair.item.stem},")]
        assert len(runs) == found.max()
        again = np.zeros(pair.labels.size, int)
        for number, run in enumerate(runs, 1):
            for start, length in zip(map(int, run[::2]), map(int, run[1::2]), strict=True):
                again[start - 1 : start - 1 + length] = number
        np.testing.assert_array_equal(again.reshape(pair.labels.shape[::-1]).T, found)


def as_train_md_says(prediction):
    """Instances by the line of Python that TRAIN.md has for predictions."""
    notes = FORMATS["nnunet"].guide(Path(), Survey()).notes
    (code,) = (found[1] for note in notes if (found := re.search("Instances: `(.+?)`", note)))
    names = {"prediction": prediction}
    exec(code, names)
    return names["labels"]


@pytest.mark.parametrize("grey", [False, True])
def test_nnunet_keeps_every_nucleus(tmp_path, grey):
    written = write("nnunet", tmp_path, names=BELOW_16_BITS, grey=grey)
    root = tmp_path / "nnUNet_raw" / "Dataset501_Synthetic"
    about = json.loads((root / "dataset.json").read_text())
    assert about["labels"] == {"background": 0, "nucleus": 1, "border": 2}
    assert len(about["channel_names"]) == (1 if grey else 3)
    assert about["numTraining"] == len(list((root / "labelsTr").iterdir())) == len(list((root / "imagesTr").iterdir()))
    (fold,) = json.loads((tmp_path / "splits_final.json").read_text())
    assert not set(fold["train"]) & set(fold["val"])
    assert len(fold["train"]) + len(fold["val"]) == about["numTraining"]
    for pair in written:
        end = "Ts" if pair.item.role == "test" else "Tr"
        semantic = np.asarray(Image.open(root / f"labels{end}" / f"{pair.item.stem}.png"))
        assert set(np.unique(semantic)) <= {0, 1, 2}
        np.testing.assert_array_equal(semantic > 0, pair.labels > 0)
        found = as_train_md_says(semantic)
        fits = ious(pair.labels, found)
        assert (fits > 0.5).all(), (pair.item.stem, fits.min())
        instances = tifffile.imread(root / f"instances{end}" / f"{pair.item.stem}.tif")
        np.testing.assert_array_equal(instances, pair.labels)


def test_nnunet_keeps_nuclei_whose_inside_a_border_would_part(tmp_path):
    labels = np.zeros((40, 70), np.int32)
    for number, x in enumerate((4, 24, 44)):  # three lobes of one nucleus, joined by bridges of two pixels
        labels[4:20, x : x + 14] = 1
        labels[11:13, x : x + 20 * (number < 2)] = 1
    labels[20:36, 4:58] = 2  # it lies on another one
    pair = PairToWrite(Item("f", "train"), np.zeros((*labels.shape, 3), np.uint8), labels)
    FORMATS["nnunet"].write(tmp_path, pair)
    semantic = np.asarray(Image.open(next(tmp_path.rglob("labelsTr/f.png"))))
    found = as_train_md_says(semantic)
    assert (ious(labels, found) > 0.95).all()


@pytest.mark.parametrize("turns", range(4))
def test_nnunet_keeps_a_line_along_a_nucleus(tmp_path, turns):
    labels = np.zeros((60, 60), np.int32)
    labels[5:50, 8:] = 1
    labels[12:33, -1] = 2  # one pixel wide, all of it beside the other
    labels = np.rot90(labels, turns)
    pair = PairToWrite(Item("f", "train"), np.zeros((*labels.shape, 3), np.uint8), labels)
    FORMATS["nnunet"].write(tmp_path, pair)
    semantic = np.asarray(Image.open(next(tmp_path.rglob("labelsTr/f.png"))))
    assert (ious(labels, as_train_md_says(semantic)) > 0.75).all()


def test_nnunet_says_what_becomes_of_slivers():
    sliver = np.zeros((20, 20), np.int32)
    sliver[5, 2:18], sliver[6, 4:12] = 1, 2  # two lines of one pixel beside each other
    told = FORMATS["nnunet"].check(Survey(masks=(facts_of(sliver),), labels=(sliver,)))
    assert any("knows no instances" in entry.text for entry in told)
    assert any(entry.lost and "Of 2 nuclei there and back 1 are lost" in entry.text for entry in told)
    with pytest.raises(InputError, match="one number of channels"):
        FORMATS["nnunet"].check(Survey(mixed=True))


@pytest.mark.parametrize("grey", [False, True])
def test_ome_zarr_holds_image_and_labels(tmp_path, grey):
    for pair in write("ome-zarr", tmp_path, names=[*list(FIELDS)[:2], *list(FIELDS)[-5:]], grey=grey):
        place = tmp_path / pair.item.role / f"{pair.item.stem}.ome.zarr"
        labels = read_labels(place)
        np.testing.assert_array_equal(labels, pair.labels)
        image = zarr.open_array(place / "0")[:]
        np.testing.assert_array_equal(image, pair.image[None] if grey else np.moveaxis(pair.image, -1, 0))
        about = zarr.open_group(place).attrs["ome"]["multiscales"][0]
        assert about["axes"][1] == {"name": "y", "type": "space", "unit": "micrometer"}
        nuclei = zarr.open_group(place / "labels" / "nuclei").attrs["ome"]
        assert len(nuclei["multiscales"][0]["datasets"]) == len(about["datasets"])
        assert len(nuclei["image-label"]["properties"]) == len(np.unique(pair.labels[pair.labels > 0]))


def test_huggingface_lists_every_pair(tmp_path):
    written = write("huggingface", tmp_path, names=BELOW_16_BITS)
    for role, name in (("train", "train"), ("val", "validation"), ("test", "test")):
        lines = [json.loads(line) for line in (tmp_path / name / "metadata.jsonl").read_text().splitlines()]
        for pair, line in zip([pair for pair in written if pair.item.role == role], lines, strict=True):
            image, mask = (
                np.asarray(Image.open(tmp_path / name / line[f"{key}_file_name"])) for key in ("image", "label")
            )
            np.testing.assert_array_equal(image, pair.image)
            np.testing.assert_array_equal(mask, pair.labels)
            assert mask.dtype == np.uint16
    assert "synthetic" in (tmp_path / "README.md").read_text()
    with pytest.raises(InputError, match="PNG masks hold 65535"):
        write("huggingface", tmp_path / "many", names=["over 65535 nuclei"])


def test_large_numbers_of_few_nuclei_fit_16_bits(tmp_path):
    labels = np.where(FIELDS["field 2"] > 0, FIELDS["field 2"] + 100_000, 0).astype(np.int32)
    (pair,) = pairs(["field 2"])
    FORMATS["huggingface"].write(tmp_path, dataclasses.replace(pair, labels=labels))
    found = np.asarray(Image.open(FORMATS["huggingface"].files(tmp_path, pair.item)[1]))
    assert same_nuclei(found, labels)


@pytest.mark.parametrize("name", ["coco", "yolo", "dsb2018", "nnunet", "huggingface"])
def test_pixels_that_png_cannot_hold_are_refused(name, tmp_path):
    (pair,) = pairs(["field 2"], grey=True)
    with pytest.raises(InputError, match=r"dtype float32, which PNG files cannot hold.*tiff, cellpose"):
        FORMATS[name].write(tmp_path, dataclasses.replace(pair, image=pair.image.astype(np.float32)))


@pytest.mark.parametrize("name", list(FORMATS))
def test_a_pair_that_is_written_twice_is_the_same(name, tmp_path):
    (pair,) = pairs(["field 2"])
    contents = []
    for _ in range(2):
        FORMATS[name].write(tmp_path, pair)
        FORMATS[name].finish(tmp_path, [pair.item])
        contents.append({path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()})
    assert contents[0] == contents[1]
    assert not [path for path in tmp_path.rglob("*partial*")]
