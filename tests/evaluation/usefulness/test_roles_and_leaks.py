import os

import numpy as np
import pytest

from napari_synth.core.errors import InputError
from napari_synth.evaluation.pair_check.cures import TURNS
from napari_synth.evaluation.usefulness.request import HelpRequest, read_sets
from napari_synth.evaluation.usefulness.roles import groups_of, real_pairs
from tests.evaluation.usefulness.small_sets import disc_folder, disc_pair, write


def request(tmp_path, **options):
    return HelpRequest(tmp_path / "real", tmp_path / "made", tmp_path / "report", **options)


def test_a_group_has_one_role_and_the_same_each_time(tmp_path):
    disc_folder(tmp_path / "real", 30)
    pairs = real_pairs(tmp_path / "real", r"^\d\d(\d)")
    roles = {}
    for one in pairs:
        assert roles.setdefault(one.group, one.role) == one.role
    assert sorted(roles.values()).count("test") == 5
    assert {one.role for one in pairs} == {"train", "val", "test"}
    assert [one.role for one in real_pairs(tmp_path / "real", r"^\d\d(\d)")] == [one.role for one in pairs]


def test_what_a_data_set_holds_out_is_tested_on(tmp_path):
    disc_folder(tmp_path / "real", 12)
    (tmp_path / "real" / "dataset.yaml").write_text("options: [{name: x, hold_out: '00[0-5]'}]")
    test = {one.pair.stem for one in real_pairs(tmp_path / "real") if one.role == "test"}
    assert test == {f"{number:03d}" for number in range(6)}


@pytest.mark.skipif(os.name != "posix", reason="makes a link")
def test_what_a_data_set_holds_out_of_a_linked_option_is_tested_on(tmp_path):
    disc_folder(tmp_path / "elsewhere", 12)
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "dataset.yaml").write_text("options: [{name: x, hold_out: '00[0-5]'}]")
    (tmp_path / "set" / "x").symlink_to(tmp_path / "elsewhere")
    test = {one.pair.stem for one in real_pairs(tmp_path / "set" / "x") if one.role == "test"}
    assert test == {f"{number:03d}" for number in range(6)}


def test_groups_from_a_list(tmp_path):
    path = tmp_path / "groups.csv"
    path.write_text("a.png,one\nb,two\n")
    assert groups_of(["a", "b"], path) == {"a": "one", "b": "two"}
    with pytest.raises(InputError, match="no group for c"):
        groups_of(["a", "c"], path)
    with pytest.raises(InputError, match="not valid"):
        groups_of(["a"], "[")
    with pytest.raises(InputError, match="finds no group"):
        groups_of(["a"], "x")


def test_too_few_groups(tmp_path):
    disc_folder(tmp_path / "real", 12)
    with pytest.raises(InputError, match="2 groups of images, too few"):
        real_pairs(tmp_path / "real", r"^0(\d)")


def planted(tmp_path, number):
    """A test image that is also, in one of many ways, among what is trained on."""
    rng = np.random.default_rng(number)
    disc_folder(tmp_path / "real", 12, 1000 * number)
    disc_folder(tmp_path / "made", 3, 1000 * number + 500)
    roles = real_pairs(tmp_path / "real")
    test = int(rng.choice([int(one.pair.stem) for one in roles if one.role == "test"]))
    train = next(one.pair.stem for one in roles if one.role != "test")
    image, labels = disc_pair(1000 * number + test)
    where = (tmp_path / "real", train) if rng.random() < 0.5 else (tmp_path / "made", "001")
    turn = [lambda a: a, *TURNS.values()][rng.integers(8)]
    kind = ("same file", "resaved", "turned", "mask")[number % 4]
    for old in where[0].glob(f"images/{where[1]}.*"):
        old.unlink()
    if kind == "same file":
        write(*where, image, labels)
    elif kind == "resaved":
        write(*where, image, labels, ".jpg")
    elif kind == "turned":
        write(*where, np.ascontiguousarray(turn(image)), np.ascontiguousarray(turn(labels)), ".tif")
    else:
        for old in where[0].glob(f"images/{where[1]}.*"):
            old.unlink()
        write(*where, *disc_pair(1000 * number + int(train)))
        other = disc_pair(1000 * number + 900)[0]
        write(tmp_path / "made", "001", other, np.ascontiguousarray(turn(labels)))
        if where[0] != tmp_path / "made":
            return kind
    if not (tmp_path / "made" / "images" / "001.png").exists() and not list((tmp_path / "made").glob("images/001.*")):
        write(tmp_path / "made", "001", *disc_pair(1000 * number + 901))
    return kind


@pytest.mark.parametrize("number", range(12))
def test_planted_leaks_are_refused(tmp_path, number):
    planted(tmp_path, number)
    with pytest.raises(InputError, match="must not be trained on"):
        read_sets(request(tmp_path))


@pytest.mark.slow
def test_500_planted_leaks_are_refused(tmp_path):
    for number in range(500):
        folder = tmp_path / str(number)
        kind = planted(folder, number)
        with pytest.raises(InputError, match="must not be trained on"):
            read_sets(request(folder))
        assert kind


def test_clean_folders_pass(tmp_path):
    for number in range(20):
        folder = tmp_path / str(number)
        disc_folder(folder / "real", 12, 1000 * number)
        disc_folder(folder / "made", 3, 1000 * number + 500)
        sets = read_sets(request(folder))
        assert len(sets.test) + len(sets.train) + len(sets.val) == 12


def test_what_cannot_be_compared(tmp_path):
    disc_folder(tmp_path / "real", 12)
    image, labels = disc_pair(77)
    write(tmp_path / "made", "a", np.stack([image, image, 255 - image], -1), labels)
    with pytest.raises(InputError, match="are grey but those in"):
        read_sets(request(tmp_path))
    write(tmp_path / "made", "a", image, labels * 0)
    with pytest.raises(InputError, match="are empty"):
        read_sets(request(tmp_path))
    write(tmp_path / "made", "a", image, labels)
    with pytest.raises(InputError, match="not 99"):
        read_sets(request(tmp_path, images=99))
    for mask in (tmp_path / "real" / "masks").iterdir():
        write(tmp_path / "real", mask.stem, disc_pair(int(mask.stem))[0], labels * 0)
    with pytest.raises(InputError, match="has an object in its mask"):
        read_sets(request(tmp_path))


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"arms": ("real",)}, "do not hold real and another"),
        ({"arms": ("synthetic", "joint")}, "do not hold real"),
        ({"arms": ("real", "nothing")}, "no arm called"),
        ({"budget": "huge"}, "no budget called"),
        ({"repeats": 1}, "no interval"),
        ({"metric": "beauty"}, "no figure called"),
        ({"crop": 50}, "no multiple of 16"),
    ],
)
def test_requests_that_make_no_sense(tmp_path, options, match):
    with pytest.raises(InputError, match=match):
        request(tmp_path, **options).plan()
