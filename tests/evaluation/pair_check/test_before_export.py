"""Many masks are looked at before an export and while it runs, each of them once."""

import numpy as np
import pytest
import tifffile
from skimage.draw import disk

from napari_synth.cli.main import run
from napari_synth.core.recipe import FileSource, Recipe
from napari_synth.datasets.image_files import read_labels
from napari_synth.evaluation.pair_check import MaskWatch, faults_before_export
from tests.helpers import small_generator

COUNT, BINARY = 100, (20, 51)
"""Masks, and which of them have one number for all nuclei; one is looked at before the first pair, one is not."""


@pytest.fixture
def files(tmp_path):
    labels = np.zeros((48, 48), np.uint16)
    for number, place in enumerate([(12, 12), (12, 36), (36, 12), (36, 36)], 1):
        labels[disk(place, 6)] = number
    (tmp_path / "masks").mkdir()
    paths = [tmp_path / "masks" / f"{number:03d}.tif" for number in range(COUNT)]
    for number, path in enumerate(paths):
        tifffile.imwrite(path, (labels > 0).astype(np.uint16) if number in BINARY else labels)
    return paths


def test_each_of_many_masks_is_looked_at_once(files):
    watch = MaskWatch([*files, *files])
    assert len(watch.files) == COUNT
    assert len(watch.first) < COUNT
    assert files[BINARY[0]] in watch.first
    assert files[BINARY[1]] not in watch.first
    (before,) = faults_before_export([(path.name, path) for path in watch.first])
    assert "020.tif has one number for all nuclei" in before.sentence
    for path in (*files, *files):  # several pairs of each
        watch.look_at(path, read_labels(path))
    (found,) = watch.found
    assert "051.tif has one number for all nuclei" in found.sentence


@pytest.mark.parametrize("how", [(), ("--format", "webdataset", "--shard-size", "3")])
def test_the_command_says_what_it_finds_before_and_on_the_way(files, tmp_path, capsys, monkeypatch, how):
    monkeypatch.setattr("napari_synth.evaluation.pair_check.before.AT_FIRST", 2)
    chosen = [FileSource(path=str(files[number])) for number in (20, 1, 2, 51)]
    model = small_generator(tmp_path / "small.safetensors")
    recipe = tmp_path / "recipe.yaml"
    Recipe(model=str(model), masks=chosen, options=["he"]).save(recipe)
    told = exported(monkeypatch, capsys, recipe, tmp_path / "out", *how)
    assert told.index("020.tif has one number") < told.index("Looked at 2 of 4 masks") < told.index("051.tif has one")
    assert told.count("has one number for all nuclei") == 2


def test_each_part_of_an_export_in_shards_says_what_it_finds(files, tmp_path, capsys, monkeypatch):
    model = small_generator(tmp_path / "small.safetensors")
    recipe, masks = tmp_path / "recipe.yaml", [FileSource(path=str(files[number])) for number in (20, 1, 51, 2)]
    Recipe(model=str(model), masks=masks, options=["he"], variants=2).save(recipe)
    ways = [("--format", "webdataset", "--shard-size", "3", "--shard", part) for part in ("0/2", "1/2")]
    first, second = (exported(monkeypatch, capsys, recipe, tmp_path / "out", *how) for how in ways)
    for told, name, other in ((first, "020.tif", "051.tif"), (second, "051.tif", "020.tif")):
        assert told.count(f"{name} has one number for all nuclei") == 1
        assert other not in told


def exported(monkeypatch, capsys, recipe, out, *how):
    """What the command says beside its results."""
    monkeypatch.setattr("sys.argv", ["napari-synth", "export", str(recipe), "--out", str(out), *how])
    with pytest.raises(SystemExit) as stop:
        run()
    assert not stop.value.code
    return " ".join(capsys.readouterr().err.split())
