import errno
import os

import numpy as np
import pytest

from napari_synth.core import files
from napari_synth.core.devices import resolve_device
from napari_synth.core.errors import InputError, WorkError
from napari_synth.core.files import existing_folder, writing
from napari_synth.core.seeds import derived_seed, numpy_rng, series_seed, torch_generator, wide_seed
from napari_synth.core.user_settings import Settings, load_settings, save_settings


def test_a_file_appears_whole_or_not_at_all(tmp_path):
    target = tmp_path / "deep" / "a.txt"
    with writing(target) as temporary:
        temporary.write_text("new")
        assert not target.exists()
    assert target.read_text() == "new"
    assert os.listdir(target.parent) == ["a.txt"]


def test_a_failed_write_keeps_the_old_file_and_leaves_no_rest(tmp_path):
    target = tmp_path / "a.txt"
    target.write_text("old")
    with pytest.raises(ZeroDivisionError), writing(target) as temporary:
        temporary.write_text("half")
        raise ZeroDivisionError
    assert target.read_text() == "old"
    assert os.listdir(tmp_path) == ["a.txt"]


@pytest.mark.parametrize(
    ("number", "words"),
    [(errno.ENOSPC, "disk is full"), (errno.EACCES, "cannot be written to"), (errno.EROFS, "cannot be written to")],
)
def test_disk_full_and_read_only_are_told_apart(tmp_path, monkeypatch, number, words):
    def fail(*_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(files.os, "replace", fail)
    with pytest.raises(WorkError, match=words), writing(tmp_path / "a.txt") as temporary:
        temporary.write_text("x")
    assert os.listdir(tmp_path) == []


def test_a_file_in_place_of_the_folder_is_said(tmp_path):
    (tmp_path / "out").write_text("a file")
    with pytest.raises(WorkError, match="not a folder"), writing(tmp_path / "out" / "a.txt"):
        pass


def test_missing_folder(tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        existing_folder(tmp_path / "no", "data folder")


def test_settings_come_back(tmp_path, monkeypatch):
    monkeypatch.setenv("NAPARI_SYNTH_SETTINGS", str(tmp_path / "settings.json"))
    assert load_settings() == Settings()
    save_settings(Settings(option="purple", seed=5))
    assert load_settings() == Settings(option="purple", seed=5)
    (tmp_path / "settings.json").write_text("{broken")
    assert load_settings() == Settings()


def test_settings_that_cannot_be_saved_stop_nobody(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("NAPARI_SYNTH_SETTINGS", str(tmp_path / "file" / "settings.json"))
    save_settings(Settings())
    assert load_settings() == Settings()


def test_seeds_depend_on_their_keys_only():
    assert derived_seed(1, "a", 2) == derived_seed(1, "a", 2)
    assert len({derived_seed(1, "a", 2), derived_seed(1, "b", 2), derived_seed(2, "a", 2), derived_seed(1, "a")}) == 4
    assert numpy_rng(3, "x").integers(1000, size=4).tolist() == numpy_rng(3, "x").integers(1000, size=4).tolist()
    assert torch_generator(5).initial_seed() == torch_generator(5).initial_seed() != torch_generator(6).initial_seed()


def test_wide_seeds_tell_keys_apart_by_number_type_and_length():
    keys = [
        (5,),
        (5, 0),
        (5, 1),
        (5, 1, 0),
        (2**32 + 5,),
        ("5",),
        (0,),
        (),
        ("",),
        ("a", "b"),
        ("ab",),
        (97, 98),
        ("a\0",),
    ]
    seeds = {wide_seed(*one) for one in keys}
    assert len(seeds) == len(keys)
    assert all(0 <= seed < 2**64 for seed in seeds)
    assert max(seeds) > 2**60  # all 64 bits are used
    assert wide_seed(1, "field", 7) == wide_seed(1, "field", np.int64(7))


def test_the_seeds_that_31_bits_repeat_differ():
    assert derived_seed(1, "field", 26022) == derived_seed(1, "field", 27536)
    assert series_seed(1, "field", 26022) != series_seed(1, "field", 27536)
    assert len({series_seed(1, "field", index) for index in range(5000)}) == 5000


def test_devices():
    assert resolve_device("cpu").type == "cpu"
    assert resolve_device("auto").type in ("cpu", "cuda", "mps")
    with pytest.raises(InputError, match="no device called 'tpu'"):
        resolve_device("tpu")


def test_a_missing_gpu_is_said(monkeypatch):
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(InputError, match="no cuda device"):
        resolve_device("cuda")
