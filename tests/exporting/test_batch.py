import errno
import os

import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_synth import api
from napari_synth.core import files
from napari_synth.core.errors import Cancelled, InputError, WorkError
from napari_synth.core.progress import CancelToken
from napari_synth.core.recipe import LayerSource, Recipe, mask_hash, read_recipe
from napari_synth.exporting.batch import ExportRequest, export_pairs
from napari_synth.exporting.formats import FORMATS
from napari_synth.exporting.formats.base import Item, PixelSize
from napari_synth.exporting.formats.tiff import embedded_recipe, stored_labels
from napari_synth.masks.mask_reader import MaskReader
from napari_synth.synthesis.recipes import load_generator
from tests.helpers import nuclei, small_generator


@pytest.fixture(scope="module")
def generator(tmp_path_factory):
    return load_generator(small_generator(tmp_path_factory.mktemp("model") / "small.safetensors"), "cpu")


MASKS = [nuclei(seed=1), nuclei((50, 70), seed=2)]


def batch(generator, **changes):
    sources = [LayerSource(name=f"m{i}", sha256=mask_hash(mask)) for i, mask in enumerate(MASKS)]
    arguments = {"model": str(generator.path), "masks": sources, "options": ["he", "grey"], "variants": 2} | changes
    return Recipe(**arguments)


def run(generator, recipe, folder, on_progress=lambda _: None, cancel=None, **changes):
    reader = MaskReader(api.load_shapes, {mask_hash(mask): mask for mask in MASKS})
    return export_pairs(ExportRequest(recipe, folder, **changes), generator, reader, on_progress, cancel)


def contents(folder):
    """All files but ``TRAIN.md``, which names the folder."""
    files = [p for p in sorted(folder.rglob("*")) if p.is_file() and p.name != "TRAIN.md"]
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in files}


def test_pairs_share_stems_and_hold_image_labels_and_recipe(generator, tmp_path):
    recipe = batch(generator)
    result = run(generator, recipe, tmp_path, pixel_size=PixelSize(0.5, 0.25, "um"))
    assert (result.total, result.written, result.kept, result.complete) == (8, 8, 0, True)
    stems = sorted(p.stem for p in (tmp_path / "images").iterdir())
    assert stems == sorted(p.stem for p in (tmp_path / "masks").iterdir())
    assert len(stems) == 8
    assert not [p for p in tmp_path.rglob("*partial*")]
    for index in range(8):
        item, stem = recipe.item(index), recipe.stem(index)
        mask = MASKS[index // 4]
        labels = tifffile.imread(tmp_path / "masks" / f"{stem}.tif")
        image = tifffile.imread(tmp_path / "images" / f"{stem}.tif")
        assert labels.dtype == np.uint16
        assert (labels == mask).all()
        assert (image == generator.render(mask, item.options[0], item.seed).image).all()
        with tifffile.TiffFile(tmp_path / "images" / f"{stem}.tif") as tif:
            assert tif.is_imagej
            assert tif.imagej_metadata["unit"] == "um"
            assert tif.pages[0].tags["XResolution"].value == (4, 1)
            assert tif.pages[0].tags["YResolution"].value == (2, 1)


def test_an_exported_folder_and_each_file_can_be_replayed(generator, tmp_path):
    run(generator, batch(generator), tmp_path / "a")
    api.replay(tmp_path / "a" / "recipe.yaml", tmp_path / "b", device="cpu")
    first, second = contents(tmp_path / "a"), contents(tmp_path / "b")
    assert first.keys() == second.keys()
    for name in first:
        if name.endswith(".tif"):
            assert (tifffile.imread(tmp_path / "a" / name) == tifffile.imread(tmp_path / "b" / name)).all(), name
    one = tmp_path / "a" / "images" / "0004_grey.tif"
    api.replay(one, tmp_path / "c", device="cpu")
    assert (tifffile.imread(one) == tifffile.imread(tmp_path / "c" / "images" / "0001_grey.tif")).all()
    assert read_recipe(tmp_path / "a" / "recipe.yaml").count() == 8
    assert embedded_recipe(one).count() == 1


def test_a_killed_export_goes_on_and_ends_the_same(generator, tmp_path):
    recipe = batch(generator)
    run(generator, recipe, tmp_path / "whole")
    cancel = CancelToken()
    part = run(generator, recipe, tmp_path / "part", lambda p: cancel.cancel() if p.done == 3 else None, cancel)
    assert (part.written, part.complete) == (3, False)
    (tmp_path / "part" / "images" / "0002_he.tif").unlink()  # killed between mask and image
    rest = run(generator, recipe, tmp_path / "part")
    assert (rest.written, rest.kept, rest.complete) == (6, 2, True)
    assert contents(tmp_path / "whole") == contents(tmp_path / "part")


def test_cancel_is_answered_before_the_first_pair(generator, tmp_path):
    cancel = CancelToken()
    cancel.cancel()
    with pytest.raises(Cancelled):
        run(generator, batch(generator), tmp_path, cancel=cancel)
    assert not contents(tmp_path)


def test_other_pairs_are_never_overwritten_unasked(generator, tmp_path):
    run(generator, batch(generator), tmp_path)
    before = contents(tmp_path)
    other = batch(generator, seed=9, variants=1)
    with pytest.raises(InputError, match="already holds other pairs"):
        run(generator, other, tmp_path)
    assert contents(tmp_path) == before
    (tmp_path / "images" / "mine.tif").write_bytes(b"the user's own")
    result = run(generator, other, tmp_path, overwrite=True)
    assert result.written == 4
    assert len(list((tmp_path / "masks").iterdir())) == 4  # nothing left of the old pairs
    assert (tmp_path / "images" / "mine.tif").read_bytes() == b"the user's own"


def test_files_of_the_user_with_the_same_name_are_kept(generator, tmp_path):
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "0001_he.tif").write_bytes(b"mine")
    with pytest.raises(InputError, match="already holds other pairs"):
        run(generator, batch(generator), tmp_path)
    assert contents(tmp_path) == {"images/0001_he.tif": b"mine"}


def test_a_damaged_recipe_in_the_folder_is_not_taken_for_ours(generator, tmp_path):
    (tmp_path / "recipe.yaml").write_text("soup: 1")
    with pytest.raises(InputError, match="already holds other pairs"):
        run(generator, batch(generator), tmp_path)


def test_folder_that_cannot_be_written(generator, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(WorkError, match="not a folder"):
        run(generator, batch(generator), tmp_path / "file")


def test_a_full_disk_keeps_what_was_written(generator, tmp_path, monkeypatch):
    real, count = os.replace, [0]

    def full_after_seven(source, target):
        count[0] += 1
        if count[0] > 7:  # recipe, settings, a pair, the table, a pair
            raise OSError(errno.ENOSPC, "No space left on device")
        real(source, target)

    monkeypatch.setattr(files.os, "replace", full_after_seven)
    with pytest.raises(WorkError, match="disk is full"):
        run(generator, batch(generator), tmp_path)
    monkeypatch.undo()
    assert not [p for p in tmp_path.rglob("*partial*")]
    assert len(list((tmp_path / "images").iterdir())) == 2
    assert run(generator, batch(generator), tmp_path).kept == 2


@pytest.mark.parametrize("changes", [{"options": ["hex"]}, {"model_sha256": "0" * 64}])
def test_a_recipe_that_cannot_be_made_writes_nothing(generator, tmp_path, changes):
    with pytest.raises(InputError):
        run(generator, batch(generator, **changes), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_unknown_format_and_files_without_recipe(tmp_path):
    with pytest.raises(InputError, match="no export format called 'bmp'"):
        FORMATS["bmp"]
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((4, 4), np.uint8))
    with pytest.raises(InputError, match="carries no recipe"):
        embedded_recipe(tmp_path / "a.tif")
    (tmp_path / "b.tif").write_bytes(b"II*\x00junk")
    with pytest.raises(InputError):
        embedded_recipe(tmp_path / "b.tif")
    with pytest.raises(InputError, match="cannot be read"):
        embedded_recipe(tmp_path / "none.tif")


@given(st.lists(st.integers(0, 2**31 - 1), min_size=4, max_size=4))
@settings(max_examples=50)
def test_stored_labels_keep_their_numbers(values):
    labels = np.array(values, np.int32).reshape(2, 2)
    stored = stored_labels(labels)
    assert stored.dtype == (np.uint16 if max(values) <= 65535 else np.uint32)
    assert (stored == labels).all()


NOWHERE = "/../../../keep/mine"


def test_a_name_that_leads_out_of_the_folder_is_refused(generator, tmp_path):
    with pytest.raises(ValueError, match="part of a file name"):
        batch(generator, options=[NOWHERE])
    unchecked = batch(generator).model_copy(update={"options": [NOWHERE]})
    with pytest.raises(InputError):
        run(generator, unchecked, tmp_path / "a" / "b")
    with pytest.raises(InputError, match="would not lie in the folder"):
        FORMATS["tiff"].files(tmp_path / "a" / "b", Item(unchecked.stem(0)))
    assert not list(tmp_path.rglob("*.tif"))


def test_the_recipe_of_somebody_else_in_the_folder_removes_nothing_outside(generator, tmp_path):
    (tmp_path / "keep").mkdir()
    (tmp_path / "keep" / "mine.tif").write_bytes(b"mine")
    folder = tmp_path / "out"
    (folder / "images" / "0001_").mkdir(parents=True)
    text = f'format: 1\nmodel: x\nmasks: [{{kind: file, path: x.tif}}]\noptions: ["{NOWHERE}"]\n'
    (folder / "recipe.yaml").write_text(text)
    assert run(generator, batch(generator), folder, overwrite=True).complete
    assert (tmp_path / "keep" / "mine.tif").read_bytes() == b"mine"


def test_more_pairs_than_anybody_can_hold_are_refused_at_once(generator, tmp_path):
    (tmp_path / "other").write_text("x")
    with pytest.raises(ValueError, match="less than or equal"):
        batch(generator, n=10**12)
    with pytest.raises(ValueError, match="more than the"):
        batch(generator, variants=10**6)
