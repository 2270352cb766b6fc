"""Exports for trainers, as they lie in a folder."""

import csv
import errno
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from napari_synth import api
from napari_synth.core import files
from napari_synth.core.errors import InputError, WorkError
from napari_synth.core.progress import CancelToken
from napari_synth.core.recipe import FileSource, Recipe, RecombinedSource, RecombineSettings
from napari_synth.exporting.asked import export_request
from napari_synth.exporting.estimate import estimate_export
from napari_synth.exporting.formats import FORMATS
from napari_synth.synthesis.recipes import load_generator
from tests.exporting.fields import discs
from tests.helpers import pair_folder, small_generator

SPLIT = "0.6/0.2/0.2"


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return small_generator(tmp_path_factory.mktemp("model") / "small.safetensors")


@pytest.fixture(scope="module")
def recipe(model, tmp_path_factory):
    """Six masks in files, two of them alike, in two looks and twice."""
    folder = tmp_path_factory.mktemp("masks")
    for number in range(6):
        tifffile.imwrite(folder / f"{number}.tif", discs(max(number, 1), (32, 48), 5).astype(np.uint16))
    masks = [FileSource(path=str(folder / f"{number}.tif")) for number in range(6)]
    return Recipe(model=str(model), masks=masks, options=["he", "grey"], variants=2)


def rows(folder):
    with (folder / "manifest.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def contents(folder):
    """All files but those that name the folder, and their hashes."""
    found = [p for p in sorted(folder.rglob("*")) if p.is_file() and p.name not in ("TRAIN.md", "data.yaml")]
    kept = {p.relative_to(folder).as_posix(): p.read_bytes() for p in found}
    kept["manifest.sha256"] = b"".join(
        line for line in kept["manifest.sha256"].splitlines(True) if b"data.yaml" not in line
    )
    return kept


@pytest.mark.parametrize("name", [name for name in FORMATS if name != "nnunet"])
def test_an_export_that_was_stopped_goes_on_and_ends_the_same(name, recipe, tmp_path):
    made = {"format": name, "split": SPLIT, "device": "cpu"}
    assert api.export(recipe, tmp_path / "whole", **made).complete
    cancel = CancelToken()
    part = api.export(
        recipe, tmp_path / "part", **made, cancel=cancel, on_progress=lambda p: cancel.cancel() if p.done == 5 else None
    )
    assert (part.written, part.complete) == (5, False)
    first = next(path for path in FORMATS[name].files(tmp_path / "part", _item(tmp_path / "part")))
    shutil.rmtree(first) if first.is_dir() else first.unlink()
    rest = api.export(recipe, tmp_path / "part", **made)
    assert (rest.written, rest.kept, rest.complete) == (20, 4, True)
    assert contents(tmp_path / "part") == contents(tmp_path / "whole")
    assert api.export(recipe, tmp_path / "part", **made).kept == 24
    told = (tmp_path / "whole" / "TRAIN.md").read_text()
    assert "These images are synthetic" in told
    assert str(tmp_path / "whole") in told
    assert "says nothing about real images" in told


def _item(folder):
    from napari_synth.exporting.formats.base import Item

    row = next(row for row in rows(folder) if row["stem"].startswith("0002"))
    return Item(row["stem"], row["role"], int(row["index"]))


def test_all_pairs_of_a_mask_share_a_role(recipe, tmp_path):
    api.export(recipe, tmp_path, format="cellpose", split=SPLIT, device="cpu")
    roles: dict[str, set[str]] = {}
    for path in tmp_path.rglob("*_masks.tif"):
        roles.setdefault(tifffile.imread(path).tobytes(), set()).add(path.parent.name)
    assert len(roles) == 5, "of six masks two are alike"
    assert all(len(found) == 1 for found in roles.values())
    assert {role for found in roles.values() for role in found} == {"train", "val", "test"}
    listed = rows(tmp_path)
    assert len(listed) == 24
    for row in listed:
        labels = tifffile.imread(tmp_path / row["role"] / f"{row['stem']}_masks.tif")
        assert int(row["n_nuclei"]) == len(np.unique(labels)) - 1
        assert row["synthetic"] == "1"
    with (tmp_path / "split.csv").open() as file:
        split = {row["group"]: row["role"] for row in csv.DictReader(file)}
    assert all(split[row["group"]] == row["role"] for row in listed)


def test_real_pairs_validate_and_synthetic_ones_train(recipe, tmp_path):
    real = pair_folder(tmp_path / "real", 5, (32, 48))
    result = api.export(recipe, tmp_path / "e", format="stardist", split=SPLIT, with_real=real, device="cpu")
    assert result.total == 24 + 5
    listed = rows(tmp_path / "e")
    assert {row["role"] for row in listed if row["synthetic"] == "1"} == {"train"}
    assert {row["role"] for row in listed if row["synthetic"] == "0"} == {"train", "val", "test"}
    held = list((tmp_path / "e" / "test" / "images").iterdir())
    assert all(path.name.startswith("real-") for path in held)
    originals = [
        tifffile.imread(p) if p.suffix == ".tif" else np.asarray(Image.open(p)) for p in (real / "images").iterdir()
    ]
    assert any(np.array_equal(tifffile.imread(held[0]), image) for image in originals), "real images are not changed"
    assert "real ones" in (tmp_path / "e" / "TRAIN.md").read_text()
    with pytest.raises(InputError, match="without a split"):
        api.export(recipe, tmp_path / "f", format="stardist", with_real=real, device="cpu")


def test_a_strict_split_parts_the_maps_too(model, tmp_path):
    for number in range(6):  # each has another number of nuclei
        squares = np.zeros((64, 64), np.uint16)
        for nucleus in range(number + 1):
            squares[8 + 8 * nucleus : 13 + 8 * nucleus, 20:40] = nucleus + 1
        tifffile.imwrite(tmp_path / f"map{number}.tif", squares)
    maps = [str(tmp_path / f"map{number}.tif") for number in range(6)]
    plain = RecombineSettings(height=64, width=64, merge=0, flip=False, rotate=0, scale_low=1, scale_high=1)
    masks = [RecombinedSource(maps=maps, settings=plain, seed=seed) for seed in range(12)]
    recipe = Recipe(model=str(model), masks=masks, options=["grey"])
    api.export(recipe, tmp_path / "e", split="0.5/0.25/0.25", device="cpu")
    used: dict[str, set[int]] = {}
    from napari_synth.exporting.formats.tiff import embedded_recipe

    for row in rows(tmp_path / "e"):
        labels = tifffile.imread(tmp_path / "e" / row["role"] / "masks" / f"{row['stem']}.tif")
        used.setdefault(row["role"], set()).add(len(np.unique(labels)))
        assert embedded_recipe(tmp_path / "e" / row["role"] / "images" / f"{row['stem']}.tif").count() == 1
    assert json.loads((tmp_path / "e" / "export.json").read_text())["strict"] is True
    assert set(used) == {"train", "val", "test"}
    counts = [count for found in used.values() for count in found]
    assert len(counts) == len(set(counts)), "no map is in two roles"


def test_more_pairs_continue_a_set_and_move_nobody(recipe, tmp_path):
    made = {"format": "cellpose", "split": SPLIT, "device": "cpu"}
    api.export(recipe, tmp_path, **made)
    before = contents(tmp_path)
    result = api.export(recipe.model_copy(update={"n": 30}), tmp_path, **made)
    assert (result.kept, result.written) == (24, 6)
    after = contents(tmp_path)
    assert {name: after[name] for name in before if name.endswith(".tif")} == {
        name: data for name, data in before.items() if name.endswith(".tif")
    }


def test_a_folder_for_another_trainer_is_refused_and_replaced_when_allowed(recipe, tmp_path):
    api.export(recipe, tmp_path, format="dsb2018", split=SPLIT, device="cpu")
    (tmp_path / "stage1_train" / "mine.txt").write_text("mine")
    before = contents(tmp_path)
    for other in ({"format": "stardist", "split": SPLIT}, {"format": "dsb2018"}, {"format": "dsb2018", "split": "1/1"}):
        with pytest.raises(InputError, match="already holds other pairs"):
            api.export(recipe, tmp_path, **other, device="cpu")
    assert contents(tmp_path) == before
    api.export(recipe, tmp_path, format="stardist", split=SPLIT, overwrite=True, device="cpu")
    assert (tmp_path / "stage1_train" / "mine.txt").read_text() == "mine"
    assert not list(tmp_path.glob("stage1_*/*/masks/*.png")), "nothing is left of the old pairs"


def test_a_full_disk_leaves_no_half_folder(recipe, tmp_path, monkeypatch):
    real, count = files.os.replace, [0]

    def full(source, target):
        count[0] += 1
        if count[0] > 20:
            raise OSError(errno.ENOSPC, "No space left on device")
        real(source, target)

    monkeypatch.setattr(files.os, "replace", full)
    with pytest.raises(WorkError, match="disk is full"):
        api.export(recipe, tmp_path, format="dsb2018", device="cpu")
    monkeypatch.undo()
    assert not [path for path in tmp_path.rglob("*partial*")]
    for place in (tmp_path / "stage1_train").iterdir():
        assert list((place / "images").iterdir()), "what is there is whole"
    assert api.export(recipe, tmp_path, format="dsb2018", device="cpu").kept > 0


def test_a_dry_run_counts_what_the_export_writes(recipe, tmp_path):
    for name in ("tiff", "cellpose", "stardist"):
        request = export_request(recipe, tmp_path / name, name)
        told = estimate_export(request, load_generator(recipe.model, "cpu"), api.mask_reader())
        assert not (tmp_path / name).exists()
        api.export(recipe, tmp_path / name, format=name, device="cpu")
        written = [path for path in (tmp_path / name).rglob("*.tif") if "sources" not in path.parts]
        assert told.pairs == 24
        assert abs(told.files - len([p for p in (tmp_path / name).rglob("*") if p.is_file()])) <= 8
        assert told.bytes == pytest.approx(sum(path.stat().st_size for path in written), rel=0.1)
        assert told.seconds > 0


def test_unknown_words_are_said_before_anything_is_loaded(recipe, tmp_path):
    with pytest.raises(InputError, match="no export format called 'cellpoes'"):
        api.export(recipe, tmp_path / "e", format="cellpoes")
    with pytest.raises(InputError, match="not understood"):
        api.export(recipe, tmp_path / "e", split="most")
    one = recipe.model_copy(update={"masks": recipe.masks[:1]})
    with pytest.raises(InputError, match="leaves val and test empty"):
        api.export(one, tmp_path / "e", split=SPLIT, device="cpu")
    with pytest.raises(InputError, match="some of the looks are grey"):
        api.export(recipe, tmp_path / "e", format="nnunet", device="cpu")
    assert not Path(tmp_path / "e" / "images").exists()


def test_the_recipe_in_the_folder_makes_the_same_pairs(recipe, tmp_path):
    api.export(recipe, tmp_path / "a", format="yolo", device="cpu")
    api.replay(tmp_path / "a" / "recipe.yaml", tmp_path / "b", device="cpu")
    for path in sorted((tmp_path / "a" / "images" / "train").iterdir()):
        again = tifffile.imread(tmp_path / "b" / "images" / f"{path.stem}.tif")
        np.testing.assert_array_equal(np.asarray(Image.open(path)), again)
