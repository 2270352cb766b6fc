"""``export`` in shards from the command line."""

import csv
import json

import pytest
from typer.testing import CliRunner

from napari_synth.cli.main import app
from napari_synth.core.errors import SynthError
from tests.exporting.test_shards import contents, pairs_in, recipe
from tests.helpers import small_generator


@pytest.fixture
def given(tmp_path):
    class Model:
        path = small_generator(tmp_path / "small.safetensors")

    path = tmp_path / "recipe.yaml"
    recipe(Model, 10).save(path)
    return path


def cli(*arguments):
    result = CliRunner().invoke(app, ["export", *map(str, arguments)])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


SHARDS = ("--format", "webdataset", "--shard-size", 4, "--device", "cpu", "--split", "1/1")


def test_parts_and_finish_make_what_one_command_makes(given, tmp_path):
    result = cli(given, *SHARDS, "--out", tmp_path / "one")
    assert result.exit_code == 0, result.output
    assert "10 pairs (" in result.output
    assert sorted(pairs_in(tmp_path / "one")) == list(range(10))
    for part in (1, 0):
        result = cli("--shard", f"{part}/2", given, *SHARDS, "--out", tmp_path / "parts")  # options may come first
        assert f"of part {part} of 2" in result.output
    assert cli("finish", tmp_path / "parts").exit_code == 0
    one, parts = contents(tmp_path / "one"), contents(tmp_path / "parts")
    assert {name for name in one if one[name] != parts.get(name)} <= {"TRAIN.md"}  # which names the folder
    assert one.keys() == parts.keys()
    assert "10 pairs in 3 shards are whole" in cli("verify", tmp_path / "parts", "--device", "cpu").output
    result = cli(given, *SHARDS, "--out", tmp_path / "one")
    assert "10 of the pairs were there already" in result.output
    with (tmp_path / "one" / "manifest.csv").open(newline="") as file:
        assert len(list(csv.DictReader(file))) == 10
    assert json.loads((tmp_path / "one" / "COMPLETE.json").read_text())["pairs"] == 10


def test_what_shards_would_take_is_said_and_nothing_written(given, tmp_path):
    result = cli(given, *SHARDS, "--out", tmp_path / "set", "--dry-run")
    assert "10 pairs in 3 shards would be written" in result.output
    assert not (tmp_path / "set").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--workers", 2), "The format tiff has files for every pair"),
        (("--format", "webdataset", "--shard", "2/2"), "The part '2/2' of the shards is not understood"),
        (("--format", "webdataset", "--overwrite"), "replaces no other"),
        (("--format", "webdataset", "--workers", 2, "--scheduler", "tcp://a:1"), "Give one of --workers"),
        (("--format", "webdataset", "--cluster", "none.yaml"), "none.yaml cannot be read"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_written(given, tmp_path, arguments, words):
    with pytest.raises(SynthError, match=words):
        cli(given, "--out", tmp_path / "set", "--device", "cpu", *arguments)
    assert not (tmp_path / "set").exists()


def test_an_address_goes_with_shards_alone(given):
    with pytest.raises(SynthError, match="Add --format webdataset"):
        cli(given, "--out", "s3://bucket/set")


def test_help_tells_of_the_other_commands():
    help_text = " ".join(cli("--help").output.split())
    assert "export finish OUT" in help_text
    assert "--shard" in help_text
    assert "Merge the tables" in cli("finish", "--help").output
