"""Exports, mask sets and trainings that are stopped, disturbed or started twice."""

import errno
import os
import shutil

import numpy as np
import pytest
import tifffile
import torch
from safetensors.torch import load_file

from napari_synth.core import files
from napari_synth.core.errors import Cancelled, InputError, WorkError
from napari_synth.core.locks import LOCK_NAME, holding
from napari_synth.core.progress import CancelToken
from napari_synth.core.recipe import FieldSettings, FileSource, Recipe
from napari_synth.exporting.batch import ExportRequest, export_pairs
from napari_synth.exporting.mask_sets import MadeMask, write_mask_set
from napari_synth.masks.field import field_sources
from napari_synth.masks.mask_reader import MaskReader
from napari_synth.synthesis.recipes import load_generator, masks_recipe
from napari_synth.training.loop import train
from napari_synth.training.request import TrainRequest
from tests.helpers import nuclei, pair_folder, small_generator


def contents(folder):
    """All files but ``TRAIN.md``, which names the folder."""
    files = [p for p in sorted(folder.rglob("*")) if p.is_file() and p.name != "TRAIN.md"]
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in files}


@pytest.fixture(scope="module")
def generator(tmp_path_factory):
    return load_generator(small_generator(tmp_path_factory.mktemp("model") / "small.safetensors"), "cpu")


@pytest.fixture
def export(generator, tmp_path):
    """Export three pairs of a mask in a file: (folder, changes) to the result."""
    tifffile.imwrite(tmp_path / "mask.tif", nuclei().astype(np.uint16))

    def run(folder="e", on_progress=lambda _: None, seed=1, **changes):
        masks = [FileSource(path=str(tmp_path / "mask.tif"))]
        recipe = Recipe(model=str(generator.path), masks=masks, options=["he"], variants=3, seed=seed)
        reader = MaskReader(lambda name: pytest.fail(name))
        return export_pairs(ExportRequest(recipe, tmp_path / folder, **changes), generator, reader, on_progress)

    return run


def test_a_damaged_pair_is_made_again_and_named(export, tmp_path):
    export("whole")
    export()
    (tmp_path / "e" / "images" / "0001_he.tif").write_bytes(b"")
    mask = tmp_path / "e" / "masks" / "0002_he.tif"
    mask.write_bytes(mask.read_bytes()[:300])
    zeros = tmp_path / "e" / "masks" / "0003_he.tif"
    zeros.write_bytes(bytes(len(zeros.read_bytes())))
    result = export()
    assert [path.name for path in result.made_again] == ["0001_he.tif", "0002_he.tif", "0003_he.tif"]
    assert (result.kept, result.written) == (0, 3)
    assert contents(tmp_path / "e") == contents(tmp_path / "whole")
    assert export().kept == 3


def test_a_pair_that_somebody_edited_is_not_replaced(export, tmp_path):
    export()
    edited = tmp_path / "e" / "masks" / "0002_he.tif"
    tifffile.imwrite(edited, np.ones((64, 64), np.uint16))
    before = edited.read_bytes()
    with pytest.raises(InputError, match=r"0002_he\.tif was changed"):
        export()
    assert edited.read_bytes() == before
    assert export(overwrite=True).written == 1


def test_two_exports_do_not_share_a_folder(export, tmp_path):
    told = []

    def second(progress):
        with pytest.raises(WorkError, match="in use") as error:
            export(seed=2, overwrite=True)
        told.append(error.value)

    assert export(on_progress=second).complete
    assert len(told) == 3
    assert export().kept == 3
    assert not (tmp_path / "e" / LOCK_NAME).exists()


def test_pairs_removed_in_the_middle_are_missed(export, tmp_path):
    with pytest.raises(WorkError, match=r"of 6 files in .* are gone"):
        export(on_progress=lambda p: shutil.rmtree(tmp_path / "e") if p.done == 2 else None)
    result = export()
    assert result.complete


def test_a_recipe_from_others_removes_nothing_outside_its_folder(export, tmp_path):
    (tmp_path / "mine.tif").write_bytes(b"mine")
    (tmp_path / "e" / "images" / "0001_").mkdir(parents=True)
    (tmp_path / "e" / "recipe.yaml").write_text(
        "model: x\nmasks: [{kind: file, path: x.tif}]\noptions: ['/../../../mine']\nn: 1000000000000\n"
    )
    assert export(overwrite=True).complete
    assert (tmp_path / "mine.tif").read_bytes() == b"mine"


def mask_set(folder, n=4, seed=3, **changes):
    settings = FieldSettings(height=32, width=48)

    def make(source):
        return MadeMask(nuclei((32, 48), 2, seed=source.seed % 1000))

    return write_mask_set(folder, masks_recipe("m", list(field_sources(settings, n, seed)), seed=seed), make, **changes)


def test_a_stopped_set_of_masks_goes_on_and_ends_the_same(tmp_path):
    mask_set(tmp_path / "whole")
    cancel = CancelToken()
    with pytest.raises(Cancelled, match="2 of 4 masks"):
        mask_set(tmp_path / "m", on_progress=lambda p: cancel.cancel() if p.done == 2 else None, cancel=cancel)
    assert mask_set(tmp_path / "m").kept == 2
    assert contents(tmp_path / "m") == contents(tmp_path / "whole")
    (tmp_path / "m" / "mask_0003.tif").write_bytes(b"")
    assert mask_set(tmp_path / "m").kept == 3
    assert contents(tmp_path / "m") == contents(tmp_path / "whole")


def test_another_set_of_masks_is_refused(tmp_path):
    mask_set(tmp_path)
    before = contents(tmp_path)
    for changes in ({"n": 2}, {"seed": 4}):
        with pytest.raises(InputError, match="already holds other masks"):
            mask_set(tmp_path, **changes)
    assert contents(tmp_path) == before
    assert mask_set(tmp_path, seed=4, overwrite=True).kept == 0
    with pytest.raises(InputError, match="already holds other masks"):
        (tmp_path / "theirs").mkdir()
        (tmp_path / "theirs" / "mask_0001.tif").write_bytes(b"theirs")
        mask_set(tmp_path / "theirs")


SMALL = {"steps": 3, "crop": 32, "width": 2, "batch_size": 1}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return pair_folder(tmp_path_factory.mktemp("data") / "pairs", 2)


def unet(data, out, **changes):
    return TrainRequest("unet", data, out, settings=SMALL | changes.pop("settings", {}), device="cpu", **changes)


def test_a_finished_model_is_not_replaced_unasked(data, tmp_path):
    out = tmp_path / "m.safetensors"
    train(unet(data, out))
    before = contents(tmp_path)
    with pytest.raises(InputError, match=r"already exists\. .*--resume .*m\.ckpt.*--overwrite"):
        train(unet(data, out))
    train(unet(data, tmp_path / "other.safetensors"))
    with pytest.raises(InputError, match="already exists"):
        train(unet(data, out, resume=tmp_path / "other.ckpt"))
    assert {name: before[name] for name in before} == {name: contents(tmp_path)[name] for name in before}
    assert train(unet(data, out, overwrite=True, seed=5)).steps == 3
    assert contents(tmp_path)["m.safetensors"] != before["m.safetensors"]
    with (
        holding(tmp_path / ".m.safetensors.lock", "It"),
        pytest.raises(WorkError, match=r"The model .* is in use by another run"),
    ):
        train(unet(data, out, overwrite=True))


def test_a_run_goes_on_with_its_own_data_wherever_they_lie(data, tmp_path):
    part = train(unet(data, tmp_path / "m.safetensors"))
    moved = shutil.copytree(data, tmp_path / "moved")
    longer = {"resume": part.resume_path, "settings": {"steps": 4}}
    (moved / "README.txt").write_text("a note")
    assert train(unet(moved, tmp_path / "n.safetensors", **longer)).steps == 4
    image = next((moved / "masks").glob("00*"))
    image.write_bytes(next((data / "masks").glob("01*")).read_bytes())
    with pytest.raises(InputError, match="on other data"):
        train(unet(moved, tmp_path / "o.safetensors", **longer))


def test_a_checkpoint_that_does_not_fit_keeps_the_one_before(data, tmp_path, monkeypatch):
    out = tmp_path / "m.safetensors"
    first = train(unet(data, out))
    state, weights = first.resume_path.read_bytes(), load_file(out)

    def full(_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(WorkError, match=r"The disk is full: .* the state of step 3 is kept"):
        train(unet(data, out, resume=first.resume_path, settings={"steps": 5}))
    monkeypatch.undo()
    assert first.resume_path.read_bytes() == state
    assert all(torch.equal(weights[name], tensor) for name, tensor in load_file(out).items())
    assert sorted(os.listdir(tmp_path)) == ["m.ckpt", "m.preview.png", "m.safetensors"]
    assert train(unet(data, out, resume=first.resume_path, settings={"steps": 5})).steps == 5
