import csv
import io
import json
import os
import subprocess
import sys
import tarfile

import numpy as np
import pytest
import tifffile

from napari_synth import api
from napari_synth.core.errors import InputError, WorkError
from napari_synth.core.progress import CancelToken
from napari_synth.core.recipe import FieldSettings, FieldSource, FileSource, LayerSource, Recipe
from napari_synth.exporting.finish import finish_export
from napari_synth.exporting.sharded import ShardRequest, export_shards
from napari_synth.exporting.split import parse_split
from napari_synth.exporting.verify import verify_export
from napari_synth.synthesis.recipes import load_generator
from tests.helpers import small_generator


@pytest.fixture(scope="module")
def generator(tmp_path_factory):
    return load_generator(small_generator(tmp_path_factory.mktemp("model") / "small.safetensors"), "cpu")


def recipe(generator, n=23, **changes):
    settings = FieldSettings(height=32, width=32, count_mean=200, area_mean=60, area_sd=10)
    field = FieldSource(settings=settings, seed=1)
    return Recipe(**({"model": str(generator.path), "masks": [field], "options": ["he", "grey"], "n": n} | changes))


def run(generator, folder, on_progress=lambda _: None, cancel=None, **changes):
    arguments = {"recipe": recipe(generator), "shard_size": 5, "device": "cpu", "split": parse_split("0.6/0.2/0.2")}
    request = ShardRequest(target=str(folder), **(arguments | changes))
    return export_shards(request, generator, api.mask_reader(), on_progress=on_progress, cancel=cancel)


def contents(folder):
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def pairs_in(folder):
    """Every pair by number, read with tarfile and tifffile alone: role, image, labels, facts."""
    found = {}
    for path in sorted((folder / "shards").iterdir()):
        with tarfile.open(path) as tar:
            members = {member.name: tar.extractfile(member).read() for member in tar}
        for name in members:
            key, _, kind = name.partition(".")
            if kind == "json":
                image, masks = (
                    tifffile.imread(io.BytesIO(members[f"{key}.{kind}.tif"])) for kind in ("image", "masks")
                )
                assert int(key) not in found
                found[int(key)] = (path.name.partition("-")[0], image, masks, json.loads(members[name]))
    return found


def test_every_pair_is_in_one_shard_of_its_role_and_is_what_its_recipe_gives(generator, tmp_path):
    result = run(generator, tmp_path)
    assert (result.pairs, result.made, result.kept, result.failed, result.complete) == (23, 23, 0, (), True)
    pairs, wanted, reader = pairs_in(tmp_path), recipe(generator), api.mask_reader()
    assert sorted(pairs) == list(range(23))
    for index, (role, image, labels, facts) in pairs.items():
        item = wanted.item(index)
        mask = reader.labels(item.masks[0])
        assert np.array_equal(labels, mask)
        assert np.array_equal(image, generator.render(mask, item.options[0], item.seed).image)
        assert (facts["index"], facts["option"], facts["role"]) == (index, item.options[0], role)
        own = Recipe.model_validate(facts["recipe"])
        assert (own.masks[0].seed, own.seed, own.options) == (item.masks[0].seed, item.seed, item.options)
    roles = {index // 2: set() for index in pairs}
    for index, (role, *_) in pairs.items():
        roles[index // 2].add(role)  # two looks of a mask
    assert all(len(found) == 1 for found in roles.values())
    assert {role for role, *_ in pairs.values()} == {"train", "val", "test"}


def test_the_set_is_finished_once_all_is_there_and_finishing_again_changes_nothing(generator, tmp_path):
    run(generator, tmp_path, part=0, of=2)
    with pytest.raises(WorkError, match=r"2 of 5 shards are missing .*: 1, 3\."):
        finish_export(str(tmp_path))
    assert not (tmp_path / "COMPLETE.json").exists()
    run(generator, tmp_path, part=1, of=2)
    finished = finish_export(str(tmp_path))
    assert (finished.pairs, finished.shards) == (23, 5)
    with (tmp_path / "manifest.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert sorted(int(row["index"]) for row in rows) == list(range(23))
    roles = {row["group"]: row["role"] for row in rows}
    with (tmp_path / "split.csv").open(newline="") as file:
        assert {row["group"]: row["role"] for row in csv.DictReader(file)} == roles
    files = json.loads((tmp_path / "dataset.json").read_text())["files"]
    assert sum(file["pairs"] for role in files.values() for file in role) == 23
    assert all((tmp_path / file["name"]).stat().st_size == file["bytes"] for role in files.values() for file in role)
    before = contents(tmp_path)
    finish_export(str(tmp_path))
    assert contents(tmp_path) == before


def test_parts_make_the_same_bytes_as_one_run_and_order_does_not_matter(generator, tmp_path):
    run(generator, tmp_path / "one")
    run(generator, tmp_path / "parts", part=1, of=2)
    run(generator, tmp_path / "parts", part=0, of=2)
    assert contents(tmp_path / "one") == contents(tmp_path / "parts")
    for name in ("train-000003", "train-000000"):
        (tmp_path / "parts" / "shards" / f"{name}.tar").unlink()
        (tmp_path / "parts" / "manifests" / f"{name}.csv").unlink()
    result = run(generator, tmp_path / "parts")
    assert (result.made, result.kept) == (10, 13)
    assert contents(tmp_path / "one") == contents(tmp_path / "parts")


def test_a_pair_does_not_depend_on_the_size_of_shards(generator, tmp_path):
    run(generator, tmp_path / "a", shard_size=5)
    run(generator, tmp_path / "b", shard_size=9)
    one, other = pairs_in(tmp_path / "a"), pairs_in(tmp_path / "b")
    assert one.keys() == other.keys()
    for index in one:
        assert one[index][0] == other[index][0]
        assert one[index][3] == other[index][3]
        assert np.array_equal(one[index][1], other[index][1])


def test_a_stopped_run_goes_on_and_a_whole_one_has_nothing_to_do(generator, tmp_path):
    cancel, seen = CancelToken(), []

    def stop(progress):
        seen.append(progress.done)
        if progress.done == 12:
            cancel.cancel()

    result = run(generator, tmp_path, stop, cancel)
    assert (result.made, result.complete) == (10, False)  # of the shard that was under way nothing counts
    assert [path.name for path in tmp_path.rglob("*partial*")] == []
    result = run(generator, tmp_path)
    assert (result.made, result.kept) == (13, 10)
    result = run(generator, tmp_path)
    assert (result.made, result.kept, result.rendering) == (0, 23, 0)
    assert seen == sorted(seen)


def test_what_is_wrong_is_named_and_made_again(generator, tmp_path):
    run(generator, tmp_path)
    assert any("never finished" in fault for fault in verify_export(str(tmp_path), device="cpu").faults)
    finish_export(str(tmp_path))
    good = contents(tmp_path)
    found = verify_export(str(tmp_path), share=0.5, device="cpu")
    assert (found.faults, found.shards, found.pairs) == ((), 5, 23)
    assert found.again >= 11
    damaged = tmp_path / "shards" / "train-000001.tar"
    data = bytearray(damaged.read_bytes())
    data[2000] ^= 255
    damaged.write_bytes(data)
    next(path for path in sorted((tmp_path / "manifests").iterdir()) if path.stem.endswith("3")).unlink()
    faults = verify_export(str(tmp_path), device="cpu").faults
    assert len(faults) == 2
    assert "shards/train-000001.tar is not what was written" in faults[0]
    assert "Shard 3 is missing" in faults[1]
    assert not (tmp_path / "COMPLETE.json").exists()
    result = run(generator, tmp_path)
    assert (result.made, result.kept) == (10, 13)
    finish_export(str(tmp_path))
    assert contents(tmp_path) == good


def test_an_image_that_another_program_put_there_is_found(generator, tmp_path):
    """With its hash, so that only making it again can tell."""
    run(generator, tmp_path / "a", split=None)
    other = recipe(generator, seed=2)
    run(generator, tmp_path / "b", split=None, recipe=other)
    for folder, name in (("shards", "all-000002.tar"), ("manifests", "all-000002.csv")):
        text = (tmp_path / "b" / folder / name).read_bytes()
        if folder == "manifests":
            hashes = [json.loads((tmp_path / x / "export.json").read_text())["recipe_sha256"] for x in "ba"]
            text = text.replace(*(one.encode() for one in hashes))
        (tmp_path / "a" / folder / name).write_bytes(text)
    (fault, *_) = verify_export(str(tmp_path / "a"), device="cpu").faults
    assert "all-000002.tar has another image than its recipe gives" in fault


def test_a_folder_with_something_else_is_refused_and_left_alone(generator, tmp_path):
    run(generator, tmp_path / "shards")
    before = contents(tmp_path / "shards")
    for changes in ({"recipe": recipe(generator, seed=5)}, {"shard_size": 6}, {"split": None}):
        with pytest.raises(InputError, match="already holds other pairs"):
            run(generator, tmp_path / "shards", **changes)
    assert contents(tmp_path / "shards") == before
    api.export(recipe(generator, 2), tmp_path / "plain", device="cpu")
    before = contents(tmp_path / "plain")
    with pytest.raises(InputError, match="already holds other pairs"):
        run(generator, tmp_path / "plain")
    assert contents(tmp_path / "plain") == before
    with pytest.raises(InputError, match="holds no export in shards"):
        finish_export(str(tmp_path / "plain"))


def test_two_runs_at_once_in_a_folder_and_the_second_is_told(generator, tmp_path):
    said = []

    def second(progress):
        if progress.done == 3:
            with pytest.raises(WorkError, match="in use by another run") as error:
                run(generator, tmp_path)
            said.append(error)

    assert run(generator, tmp_path, second).complete
    assert said


def test_masks_that_no_other_process_has_are_refused(generator, tmp_path):
    painted = recipe(generator, masks=[LayerSource(name="painted", sha256="ab")])
    with pytest.raises(InputError, match="never saved to a file"):
        run(generator, tmp_path, recipe=painted)
    gone = recipe(generator, masks=[FileSource(path=str(tmp_path / "gone.tif"))])
    with pytest.raises(InputError, match=r"gone\.tif"):
        run(generator, tmp_path, recipe=gone)


def test_addresses_that_cannot_be_are_refused(generator, tmp_path):
    for target, words in (
        ("s4://bucket/set", "begin with s4:// are not known"),
        ("s3://", "names no bucket"),
        ("gs://bucket/set", "pip install gcsfs"),
    ):
        with pytest.raises(InputError, match=words):
            run(generator, target)
    with pytest.raises(WorkError, match="cannot be reached"):
        run(generator, "ftp://127.0.0.1:1/set")  # where nobody listens


def test_a_shard_that_fails_is_listed_and_the_others_are_made(generator, tmp_path, monkeypatch):
    from napari_synth.exporting import shards

    add_pair = shards.add_pair

    def no_room(tar, pair, facts):
        if pair.item.index == 7:
            raise OSError(28, "No space left on device")
        return add_pair(tar, pair, facts)

    monkeypatch.setattr(shards, "add_pair", no_room)
    result = run(generator, tmp_path)
    assert (result.made, [failed.shard for failed in result.failed]) == (18, [1])
    assert "disk is full" in result.failed[0].problem
    monkeypatch.undo()
    assert run(generator, tmp_path).made == 5


KILLED = """
import os, signal, sys
from napari_synth import api
from napari_synth.exporting.recipes import as_recipe
from napari_synth.exporting.sharded import ShardRequest, export_shards
from napari_synth.exporting.split import parse_split
from napari_synth.synthesis.recipes import load_generator
out, model, recipe, after = sys.argv[1:]
generator = load_generator(model, "cpu")
request = ShardRequest(as_recipe(recipe), out, split=parse_split("0.6/0.2/0.2"), shard_size=5, device="cpu")
steps = [0]
def trace(frame, event, argument):
    steps[0] += 1
    if steps[0] >= int(after):
        os.kill(os.getpid(), signal.SIGKILL)
sys.setprofile(trace)
export_shards(request, generator, api.mask_reader())
"""


@pytest.mark.slow
def test_killed_at_twenty_points_it_goes_on_to_the_same_bytes(generator, tmp_path):
    """Each run is killed at some call of some function; what it left behind is never taken for a shard."""
    from pathlib import Path

    run(generator, tmp_path / "one")
    recipe(generator).save(tmp_path / "recipe.yaml")
    (tmp_path / "script.py").write_text(KILLED)
    rng, killed = np.random.default_rng(), 0
    for _ in range(20):
        after = str(int(rng.integers(1000, 120_000)))
        arguments = [str(tmp_path / "killed"), str(generator.path), str(tmp_path / "recipe.yaml"), after]
        ended = subprocess.run([sys.executable, str(tmp_path / "script.py"), *arguments], env=os.environ, timeout=200)
        assert ended.returncode in (0, -9)
        killed += ended.returncode == -9
        for manifest in Path(tmp_path / "killed" / "manifests").glob("*.csv"):
            assert manifest.read_bytes() == (tmp_path / "one" / "manifests" / manifest.name).read_bytes()
            tar = f"{manifest.stem}.tar"
            assert (tmp_path / "killed/shards" / tar).read_bytes() == (tmp_path / "one/shards" / tar).read_bytes()
        if ended.returncode == 0:
            break
    assert killed
    run(generator, tmp_path / "killed")
    left = contents(tmp_path / "killed")
    left.pop(".napari-synth.lock", None)
    assert left == contents(tmp_path / "one")
