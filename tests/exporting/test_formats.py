"""Formats give back what was written, through other readers than the code that writes."""

from __future__ import annotations

import numpy as np
import pytest
import tifffile

from napari_synth.core.errors import InputError
from napari_synth.exporting.formats import FORMATS
from napari_synth.exporting.survey import Survey, facts_of
from tests.exporting.fields import FIELDS, ious, pairs, same_nuclei


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
    import dataclasses

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
