"""Masks on the command line as people have them."""

import json
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from napari_synth.datasets.image_files import read_labels
from napari_synth.exporting.formats.tiff import embedded_recipe, stored_labels
from tests.cli.test_commands import cli, model  # noqa: F401
from tests.helpers import nuclei, pair_folder


def put(path, labels=None, **given):
    path.parent.mkdir(parents=True, exist_ok=True)
    tifffile.imwrite(path, nuclei().astype(np.uint16) if labels is None else labels, **given)
    return path


@pytest.fixture
def synthesize(cli, model):  # noqa: F811
    return lambda *given: cli("synthesize", *given, "--model", model, "--out", "s")


def test_a_folder_stands_for_its_masks(synthesize, tmp_path):
    put(tmp_path / "m" / "a.tif"), put(tmp_path / "m" / "b.TIF")
    (tmp_path / "m" / "._a.tif").write_bytes(b"x")
    assert synthesize("m")[0] == 0
    assert sorted(path.name for path in Path("s").iterdir()) == ["a_he.tif", "b_he.tif"]


def test_empty_masks_are_named_and_the_others_rendered(synthesize, tmp_path):
    paths = [put(tmp_path / f"{stem}.tif", nuclei().astype(np.uint8) * (stem == "b")) for stem in "abc"]
    status, _, err = synthesize(*paths)
    assert status == 0
    assert "2 masks are empty" in err
    assert "a.tif" in err
    assert [path.name for path in Path("s").iterdir()] == ["b_he.tif"]
    status, _, err = synthesize(paths[0], paths[2])
    assert status == 2
    assert "All 2 masks are empty" in err


@pytest.mark.parametrize("names", [("d1/a.tif", "d2/a.tif"), ("a.tif", "a.tiff"), ("d1/a.tif", "d2/A.tif")])
def test_two_masks_of_one_name_are_refused_before_anything_runs(synthesize, tmp_path, names):
    paths = [put(tmp_path / name) for name in names]
    status, _, err = synthesize(*paths)
    assert status == 2
    assert all(str(path) in err for path in paths)
    assert not Path("s").exists()


def test_a_plane_of_a_stack_replays_from_its_own_file(synthesize, cli, tmp_path):  # noqa: F811
    put(tmp_path / "stack.tif", np.stack([nuclei(), nuclei()[::-1]]).astype(np.uint16))
    assert synthesize("stack.tif", "--plane", 1)[0] == 0
    recipe = embedded_recipe(Path("s/stack_1_he.tif"))
    assert (read_labels(Path(recipe.masks[0].path)) == nuclei()[::-1]).all()


def test_repaired_masks_render_and_carry_a_mask_that_reads_alone(synthesize, tmp_path):
    put(tmp_path / "m.tif", np.where(nuclei() == 1, -1, nuclei()).astype(np.int16))
    status, _, err = synthesize("m.tif")
    assert status == 2
    assert "--repair" in err
    status, _, err = synthesize("m.tif", "--repair")
    assert status == 0
    assert "Negative" in err
    recipe = embedded_recipe(Path("s/m_he.tif"))
    assert read_labels(Path(recipe.masks[0].path)).min() == 0


def test_a_remark_is_said_and_the_pixel_size_kept(synthesize, tmp_path):
    put(tmp_path / "m.tif", nuclei().astype(np.uint16), imagej=True, resolution=(4, 4), metadata={"unit": "um"})
    assert synthesize("m.tif")[0] == 0
    with tifffile.TiffFile("s/m_he.tif") as tif:
        assert tif.imagej_metadata["unit"] in ("µm", "\\u00B5m", "um")
        top, bottom = tif.pages[0].tags["XResolution"].value
        assert round(top / bottom, 3) == 4
    mask = np.where(nuclei() > 0, 255, 0).astype(np.uint8)
    Image.fromarray(np.dstack([mask * 0] * 3 + [mask])).save(tmp_path / "alpha.png")
    assert "alpha channel is the mask" in synthesize("alpha.png")[2]


def test_masks_of_another_program_render(synthesize, tmp_path):
    shapes = [{"shape_type": "polygon", "points": [(5, 5), (30, 5), (30, 30), (5, 30)]}]
    (tmp_path / "f.json").write_text(json.dumps({"shapes": shapes, "imageHeight": 64, "imageWidth": 64}))
    assert synthesize("f.json")[0] == 0
    assert Path("s/f_he.tif").exists()


def test_long_names_are_written(synthesize, tmp_path):
    put(tmp_path / ("n" * 240 + ".tif"))
    assert synthesize("n" * 240 + ".tif")[0] == 0
    (path,) = Path("s").iterdir()
    assert path.name.startswith("nnn")


@pytest.mark.parametrize("top", [65535, 65536, 70001, 2**24 + 1, 2**31 - 1])
def test_numbers_over_65535_survive(tmp_path, top):
    from napari_synth.exporting.formats.base import PixelSize
    from napari_synth.exporting.formats.tiff import write_tiff

    labels = np.where(nuclei() > 0, top - nuclei() + 1, 0).astype(np.int32)
    write_tiff(tmp_path / "m.tif", stored_labels(labels), "", PixelSize(), {"index": np.array([top])})
    assert (tifffile.imread(tmp_path / "m.tif") == labels).all()
    assert (read_labels(tmp_path / "m.tif") == labels).all()


def test_check_reports_and_repairs(cli, tmp_path):  # noqa: F811
    pair_folder(tmp_path / "data", 3)
    before = sorted((tmp_path / "data" / "masks").iterdir())[0]
    labels = read_labels(before)
    before.unlink()
    put(before.with_suffix(".tif"), (np.arange(labels.max() + 1) * 5)[labels].astype(np.uint16))
    status, out, _ = cli("check", "data", "--repair", "copy")
    assert status == 0
    assert "numbers out" in out
    assert (read_labels(tmp_path / "copy" / "masks" / f"{before.stem}.tif") == labels).all()
    assert cli("check", "nowhere")[0] == 2
    assert cli("check", "data", "--repair", "copy")[0] == 2


def test_training_says_what_it_leaves_out(cli, tmp_path):  # noqa: F811
    pair_folder(tmp_path / "data", 3)
    mask = sorted((tmp_path / "data" / "masks").iterdir())[0]
    shape = read_labels(mask).shape
    mask.unlink()
    put(mask.with_suffix(".tif"), np.zeros(shape, np.uint8))
    small = ["--set", "crop=32", "--set", "ngf=4", "--set", "ndf=4", "--set", "levels=3", "--steps", 1]
    status, out, err = cli("train", "pix2pix", "data", "--out", "m.safetensors", *small)
    assert status == 0, err
    assert f"{mask.stem} is empty and is left out" in out


def test_what_is_repaired_replaces_no_mask_unasked(cli, model, tmp_path):  # noqa: F811
    mask = put(tmp_path / "masks" / "m.tif", np.where(nuclei() == 1, -1, nuclei()).astype(np.int16))
    before = mask.read_bytes()
    for more in ((), ("--overwrite",)):
        assert cli("synthesize", mask, "--repair", "--model", model, "--out", tmp_path, *more)[0] == 2
    assert mask.read_bytes() == before
    assert not (tmp_path / "m_he.tif").exists()


def test_convert_replaces_no_image_unasked(cli, tmp_path):  # noqa: F811
    put(tmp_path / "in" / "a_cp_masks.tif"), put(tmp_path / "in" / "a.tif")
    other = put(tmp_path / "out" / "images" / "a.tif", np.zeros((8, 8), np.uint8))
    before = other.read_bytes()
    status, _, err = cli("convert", tmp_path / "in" / "a_cp_masks.tif", "--out", tmp_path / "out")
    assert (status, other.read_bytes()) == (2, before)
    assert "a.tif already exists" in err
    assert cli("convert", tmp_path / "in" / "a_cp_masks.tif", "--out", tmp_path / "out", "--overwrite")[0] == 0
    assert other.read_bytes() == (tmp_path / "in" / "a.tif").read_bytes()
