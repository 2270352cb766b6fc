import unicodedata

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from napari_synth.core.errors import InputError
from napari_synth.datasets.listing import (
    by_stem,
    check_outputs,
    files_of,
    image_files,
    mask_files,
    numbered_names,
    output_name,
    stem_of,
)
from napari_synth.datasets.pairs import find_pairs, load_pairs


def touch(folder, *names):
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        Image.fromarray(np.ones((8, 8), np.uint8)).save(folder / name, "PNG")


HIDDEN = [
    "._a.png",
    ".a.png",
    ".DS_Store",
    "Thumbs.db",
    "a.png.txt",
    "notes.md",
    "a_seg.npy",
    "x.library.npz",
    "desktop.ini",
]


@pytest.mark.parametrize("name", HIDDEN)
def test_what_is_no_image_is_left_out(tmp_path, name):
    touch(tmp_path, "a.png")
    (tmp_path / name).write_bytes(b"x")
    assert [path.name for path in image_files(tmp_path)] == ["a.png"]


@pytest.mark.parametrize("name", ["a.PNG", "a.Tif", "a.TIFF", "a.JPG", "a.jpeg", "a.BMP"])
def test_suffixes_without_case(tmp_path, name):
    touch(tmp_path, name)
    assert [path.name for path in image_files(tmp_path)] == [name]


@pytest.mark.parametrize("stem", ["Zelle_ä", "naïve", "Å1", "한글", "é–ê"])
def test_names_are_compared_composed(tmp_path, stem):
    touch(tmp_path / "images", unicodedata.normalize("NFC", stem) + ".png")
    touch(tmp_path / "masks", unicodedata.normalize("NFD", stem) + ".tif")
    (pair,) = find_pairs(tmp_path)
    assert pair.stem == unicodedata.normalize("NFC", stem)


@pytest.mark.parametrize("names", [("a.png", "a.tif"), ("a.PNG", "a.png"), ("a.ome.tif", "a.tif"), ("é.png", "é.tif"),
                                   ("a.jpg", "a.jpeg")])  # fmt: skip
def test_doubled_stems_name_both(tmp_path, names):
    touch(tmp_path, *names)
    with pytest.raises(InputError) as caught:
        by_stem(tmp_path)
    assert all(name in caught.value.problem for name in names)


@pytest.mark.parametrize("other", ["d2/a.tif", "d2/a.png", "d2/A.TIF", "d1/a.tif", "d2/ä.tif"])
def test_doubled_outputs_name_both(tmp_path, other):
    first = tmp_path / ("d1/ä.tif" if "ä" in other else "d1/a.tif")
    second = tmp_path / other
    pairs = [(path, tmp_path / "out" / f"{path.stem}_he.tif") for path in (first, second)]
    with pytest.raises(InputError, match=r"both become|named twice"):
        check_outputs(pairs)
    check_outputs(pairs[:1])


@given(st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=400))
def test_long_names_are_cut_and_stay_apart(stem):
    name, other = output_name(stem, "_he.tif"), output_name(stem + "x", "_he.tif")
    assert len(name.encode()) <= 200
    assert name.endswith("_he.tif")
    assert name != other
    if len(stem.encode()) < 100:
        assert name == f"{stem}_he.tif"


@given(st.lists(st.sampled_from(["a", "A", "b", "a_2", "é", "é"]), max_size=8))
def test_numbered_names_are_all_different(stems):
    names = numbered_names(stems, ".tif")
    assert len({unicodedata.normalize("NFC", name).casefold() for name in names}) == len(stems)
    assert names[:1] == [f"{stems[0]}.tif"] if stems else names == []


def test_folders_stand_for_the_masks_in_them(tmp_path):
    touch(tmp_path / "data" / "masks", "b.png", "a.png", "._a.png")
    assert [path.name for path in files_of([tmp_path / "data"])] == ["a.png", "b.png"]
    assert files_of([tmp_path / "data" / "masks", tmp_path / "x.tif"])[-1].name == "x.tif"
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="holds no"):
        mask_files(tmp_path / "empty")


@pytest.mark.parametrize(
    ("name", "stem"), [("a.ome.tif", "a"), ("a.OME.TIFF", "a"), ("a.b.png", "a.b"), (".ome.tif", ".ome")]
)
def test_stems(tmp_path, name, stem):
    assert stem_of(tmp_path / name) == stem


def pairs_with(tmp_path, empty, full):
    touch(tmp_path / "images", *(f"{stem}.png" for stem in empty + full))
    touch(tmp_path / "masks", *(f"{stem}.png" for stem in full))
    for stem in empty:
        Image.fromarray(np.zeros((8, 8), np.uint8)).save(tmp_path / "masks" / f"{stem}.png")
    return find_pairs(tmp_path)


@pytest.mark.parametrize("empty", [["a"], ["a", "b"], ["a", "b", "c", "d", "e", "f", "g"]])
def test_empty_masks_are_left_out_by_name(tmp_path, empty):
    loaded, remarks = load_pairs(pairs_with(tmp_path, empty, ["x", "y"]))
    assert [pair.stem for pair in loaded] == ["x", "y"]
    (remark,) = remarks
    assert "a" in remark
    assert len(empty) == 1 or str(len(empty)) in remark


def test_no_nucleus_at_all_stops(tmp_path):
    with pytest.raises(InputError, match="no nucleus in any of the 2 masks"):
        load_pairs(pairs_with(tmp_path, ["a", "b"], []))
