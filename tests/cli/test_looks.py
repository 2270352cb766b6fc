import sys

import imageio.v3 as iio
import numpy as np
import pytest
import yaml

from napari_synth.cli.main import run
from napari_synth.datasets.pairs import find_options
from tests.datasets.test_modalities import picture


@pytest.fixture
def mixed(tmp_path):
    root = tmp_path / "mixed"
    for folder in ("images", "masks"):
        (root / folder).mkdir(parents=True)
    for kind in range(3):
        for number in range(9):
            iio.imwrite(root / "images" / f"{number:02d}-{kind}.png", picture(kind, number))
            mask = np.zeros((40, 48), np.uint8)
            mask[5:15, 5:15] = 1 + number
            iio.imwrite(root / "masks" / f"{number:02d}-{kind}.png", mask)
    (root / "images" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nnothing")
    return root


def looks(monkeypatch, capsys, *arguments):
    monkeypatch.setattr(sys, "argv", ["napari-synth", "looks", *(str(argument) for argument in arguments)])
    status = 0
    try:
        run()
    except SystemExit as stop:
        status = stop.code or 0
    return status, *capsys.readouterr()


def test_the_looks_of_a_folder_become_a_folder_to_train_on(mixed, tmp_path, monkeypatch, capsys):
    out = tmp_path / "data"
    names = ("--name", "dark-grey-smooth=dapi", "--name", "bright-purple-smooth=giemsa")
    status, printed, problems = looks(monkeypatch, capsys, mixed, "--out", out, *names)
    assert status == 0, problems
    assert "broken.png" in problems
    assert "dapi: 9 images" in printed
    options = find_options(out)
    assert [option.source.name for option in options] == ["dapi", "giemsa", "bright-grey-smooth"]
    for option in options:
        assert len({pair.stem[-1] for pair in option.training}) == 1
        assert [pair.stem for pair in option.training] == [pair.mask.stem for pair in option.training]
    assert (out / "dapi/images/03-0.png").read_bytes() == (mixed / "images/03-0.png").read_bytes()
    assert iio.imread(out / "looks.png").shape == (3 * 128, 6 * 128, 3)


def test_looks_are_merged_by_giving_both_one_name(mixed, tmp_path, monkeypatch, capsys):
    name = "bright-purple-smooth=bright-grey-smooth"
    status, _, _ = looks(monkeypatch, capsys, mixed, "--out", tmp_path / "data", "--name", name)
    assert status == 0
    written = yaml.safe_load((tmp_path / "data/dataset.yaml").read_text())
    assert [option["name"] for option in written["options"]] == ["dark-grey-smooth", "bright-grey-smooth"]
    assert len(list((tmp_path / "data/bright-grey-smooth/images").iterdir())) == 18


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("--k", "many"), "number of looks 'many'"),
        (("--k", "0"), "number of looks '0'"),
        (("--k", "28"), "cannot be divided into 28"),
        (("--name", "pink=x"), "pink"),
        (("--name", "pink"), "OLD=NEW"),
        (("--name", "dark-grey-smooth=../away"), "cannot be that of a folder"),
    ],
)
def test_wrong_wishes_are_refused_before_anything_is_written(mixed, tmp_path, monkeypatch, capsys, arguments, problem):
    status, _, problems = looks(monkeypatch, capsys, mixed, "--out", tmp_path / "data", *arguments)
    assert (status, problems.count("\n")) == (2, 2)
    assert problem in problems
    assert not (tmp_path / "data").exists()


def test_a_folder_that_holds_something_is_left_alone(mixed, tmp_path, monkeypatch, capsys):
    (tmp_path / "data").mkdir()
    (tmp_path / "data/mine.txt").write_text("mine")
    status, _, problems = looks(monkeypatch, capsys, mixed, "--out", tmp_path / "data")
    assert status == 2
    assert str(tmp_path / "data") in problems
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["mine.txt"]
