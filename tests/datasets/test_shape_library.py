import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_synth.core.errors import InputError
from napari_synth.datasets.instances import instances
from napari_synth.datasets.shape_library import (
    common_side,
    framed,
    joined,
    library_from_folder,
    library_from_labels,
    longest_sides,
    model_library,
    read_library,
    read_shapes,
    with_side,
)


def painted():
    """One of each kind: kept, large, on the border, small, in two parts."""
    labels = np.zeros((300, 300), np.uint16)
    labels[20:60, 30:60] = 1
    labels[100:200, 100:180] = 2
    labels[0:40, 200:240] = 3
    labels[250:260, 20:30] = 4
    labels[220:280, 100:120] = 5
    labels[220:280, 140:160] = 5
    return labels


def test_nuclei_are_cut_out_and_the_rest_is_counted():
    library = library_from_labels([("a", painted())])
    assert len(library) == 2
    assert library.dropped == {"border": 1, "small": 1, "parts": 1}
    assert library.summary == "2 nuclei; left out: 1 touch the border, 1 are too small, 1 have several parts."
    assert library.area_px.tolist() == [1200, 8000]
    assert library.shapes[0].sum() == 1200, "true size"
    assert longest_sides(library.shapes).tolist() == [40, 64], "made smaller where it is larger"
    assert library.shapes[1].sum() == pytest.approx(64 * 51, rel=0.02)
    assert len(library_from_labels([("a", painted())], min_box=100)) == 3


def test_binary_masks_are_split_into_parts():
    library = library_from_labels([("a", np.isin(painted(), (1, 2)))])
    assert len(library) == 2
    assert len(library_from_labels([("a", (np.isin(painted(), (1, 2)) * 255).astype(np.uint8))])) == 2


@pytest.mark.parametrize(
    ("mask", "says"),
    [
        (np.zeros((50, 50), np.uint8), "There is no nucleus in the mask 'a'"),
        (np.eye(30) * 0.5, "contains fractions"),
        (np.zeros((3, 30, 30), int), "3 dimensions"),
        (np.full((30, 30), 2**31), "labels over 2147483647"),
        (np.full((30, 30), -1), "negative"),
        (np.zeros((0, 4), int), "no pixels"),
        (np.random.default_rng(0).integers(0, 255, (200, 200)), "is an image rather than a mask"),
        (np.pad(np.ones((5, 5), int), 20), "All 1 nuclei in the mask 'a' were left out: 1 are too small"),
    ],
)
def test_masks_that_give_no_library(mask, says):
    with pytest.raises(InputError, match=says):
        library_from_labels([("a", mask)])


def test_folders_of_masks(tmp_path):
    folder = tmp_path / "set" / "masks"
    folder.mkdir(parents=True)
    for name in ("a", "b"):
        tifffile.imwrite(folder / f"{name}.tif", painted())
    assert len(library_from_folder(tmp_path / "set")) == len(read_library(folder)) == 4
    with pytest.raises(InputError, match="does not exist"):
        library_from_folder(tmp_path / "none")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="holds no PNG"):
        library_from_folder(tmp_path / "empty")


def test_one_file_holds_all(tmp_path):
    library = joined([library_from_labels([("a", painted())])] * 2)
    assert library.dropped["border"] == 2
    coded = library.subset(np.arange(3))
    coded = type(coded)(
        coded.shapes, coded.area_px, {"small": 3}, "by me", np.ones((3, 10)), np.zeros((3, 10)), coded_by="ab"
    )
    coded.save(tmp_path / "new" / "library.npz")
    again = read_shapes(tmp_path / "new" / "library.npz")
    assert (again.shapes == coded.shapes).all()
    assert (again.area_px == coded.area_px).all()
    assert (again.codes == 1).all()
    assert (again.dropped, again.attribution, again.coded_by) == ({"small": 3}, "by me", "ab")
    assert len(again.thinned(2)) == 2
    assert again.thinned(2).codes.shape == (2, 10)


def test_npz_files_of_others(tmp_path):
    np.savez(tmp_path / "plain.npz", shapes=np.ones((2, 64, 64), bool), source=np.array(["a", "b"]))
    assert read_shapes(tmp_path / "plain.npz").area_px.tolist() == [4096, 4096]
    np.savez(tmp_path / "empty.npz", shapes=np.ones((0, 64, 64), bool))
    np.savez(tmp_path / "short.npz", shapes=np.ones((2, 64, 64), bool), area_px=np.ones(3))
    np.savez(tmp_path / "other.npz", cells=np.ones(3))
    np.savez(tmp_path / "small.npz", shapes=np.ones((2, 32, 32)))
    (tmp_path / "broken.npz").write_bytes(b"no zip")
    for name, says in (
        ("empty", "is empty"), ("short", "different lengths"), ("other", "not a shape library"),
        ("small", "not \\(N, 64, 64\\)"), ("broken", "not a shape library"), ("gone", "not a shape library"),
    ):  # fmt: skip
        with pytest.raises(InputError, match=says):
            read_shapes(tmp_path / f"{name}.npz")


@given(st.integers(1, 150), st.integers(1, 150), st.one_of(st.none(), st.integers(1, 64)))
@settings(max_examples=60, deadline=None)
def test_a_frame_holds_every_nucleus(height, width, side):
    frame = framed(np.ones((height, width), bool), side)
    assert frame.shape == (64, 64)
    longest = side or min(max(height, width), 64)
    assert longest_sides(frame[None])[0] == pytest.approx(longest, abs=1)


def test_shapes_get_the_side_a_model_wants():
    library = library_from_labels([("a", painted())])
    assert common_side(library.shapes) == 0
    fitted = with_side(library.shapes, 52)
    assert np.abs(longest_sides(fitted) - 52).max() <= 1
    assert common_side(fitted) == 52


def test_instances_of_huge_labels():
    labels = np.zeros((20, 20), np.int64)
    labels[2:6, 2:6], labels[10:14, 10:14] = 2**31 - 1, 5
    assert [nucleus.label for nucleus in instances(labels)] == [5, 2**31 - 1]


def test_a_models_library_leaves_out_shapes_that_were_cut_off(tmp_path):
    y, x = np.mgrid[:64, :64] - 31.5
    disc = y**2 + x**2 < 24**2
    np.savez(tmp_path / "a.npz", shapes=np.stack([disc] * 8 + [disc & (y < 6)] * 3))
    library = model_library(tmp_path)
    assert len(library) == 8
    assert library.dropped == {"cut": 2}, "one of the three is held out"
