"""A file is whole or is not there."""

import errno
import os
import platform
import subprocess
import sys
import time

import numpy as np
import pytest
import tifffile

from napari_synth.core import files
from napari_synth.core.errors import InputError, SynthError, WorkError, one_line
from napari_synth.core.files import PARTIAL_SUFFIX, check_writable, user_path, writing
from napari_synth.core.locks import LOCK_NAME, holding
from napari_synth.core.manifest import MANIFEST_NAME, Manifest, State
from napari_synth.datasets.listing import image_files
from napari_synth.datasets.pairs import find_pairs
from napari_synth.exporting.movie import save_movie
from tests.helpers import pair_folder


@pytest.fixture
def full(monkeypatch):
    """A disk that takes nothing more when it is asked to keep it."""

    def refuse(_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(files.os, "fsync", refuse)


def names(folder):
    return sorted(os.listdir(folder))


def test_a_file_is_on_the_disk_before_it_has_its_name(tmp_path, monkeypatch):
    calls = []
    fsync, replace = os.fsync, os.replace
    monkeypatch.setattr(files.os, "fsync", lambda number: (calls.append("fsync"), fsync(number)))
    monkeypatch.setattr(files.os, "replace", lambda *paths: (calls.append("replace"), replace(*paths)))
    with writing(tmp_path / "a.txt") as temporary:
        temporary.write_text("x")
    assert calls[:2] == ["fsync", "replace"]


@pytest.mark.parametrize("error", [RuntimeError("PytorchStreamWriter failed"), ValueError("?"), OSError("9 requested")])
def test_a_full_disk_is_the_same_sentence_whatever_a_writer_raises(tmp_path, full, error):
    (tmp_path / "a.bin").write_bytes(b"old")
    with (
        pytest.raises(WorkError, match=r"The disk is full: .*a\.bin could not be written"),
        writing(tmp_path / "a.bin"),
    ):
        raise error
    assert (tmp_path / "a.bin").read_bytes() == b"old"
    assert names(tmp_path) == ["a.bin"]


def test_an_error_that_is_no_full_disk_stays_what_it_is(tmp_path):
    with pytest.raises(RuntimeError, match="a bug"), writing(tmp_path / "a.bin"):
        raise RuntimeError("a bug")
    assert names(tmp_path) == []


def test_what_is_being_written_is_taken_by_no_reader(tmp_path):
    data = pair_folder(tmp_path / "pairs")
    with writing(data / "images" / "x.tif"), writing(data / "masks" / "x.tif"):
        assert [path.suffix for path in (data / "images").iterdir()].count(PARTIAL_SUFFIX) == 1
        assert len(find_pairs(data)) == 3
    tifffile.imwrite(data / "images" / "._00.tif", np.zeros((4, 4), np.uint8))
    assert "._00.tif" not in [path.name for path in image_files(data / "images")]


def test_a_link_in_place_of_the_partial_file_is_not_followed(tmp_path, monkeypatch):
    (tmp_path / "precious").write_text("mine")
    monkeypatch.setattr(files, "_numbers", iter(range(7, 99)))
    machine = files.hashlib.sha256(platform.node().encode()).hexdigest()[:6]
    (tmp_path / f".a.txt.{machine}-{os.getpid()}-7.partial").symlink_to(tmp_path / "precious")
    with writing(tmp_path / "a.txt") as temporary:
        temporary.write_text("new")
    assert (tmp_path / "precious").read_text() == "mine"
    assert (tmp_path / "a.txt").read_text() == "new"


def test_what_killed_processes_left_is_swept_and_what_others_write_is_not(tmp_path):
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    machine = files.hashlib.sha256(platform.node().encode()).hexdigest()[:6]
    left = tmp_path / f".a.tif.{machine}-{dead.pid}-0.partial"
    alive = tmp_path / f".b.tif.{machine}-{os.getppid()}-0.partial"
    elsewhere, old = tmp_path / ".c.tif.abcdef-1-0.partial", tmp_path / ".d.tif.abcdef-1-0.partial"
    mine = tmp_path / ".draft.partial"
    for path in (left, alive, elsewhere, old, mine):
        path.write_bytes(b"")
    os.utime(old, (time.time() - 2 * 86400,) * 2)
    with writing(tmp_path / "a.tif"):
        pass
    assert names(tmp_path) == sorted(path.name for path in (alive, elsewhere, mine, tmp_path / "a.tif"))


def test_a_name_may_be_as_long_as_the_disk_takes(tmp_path):
    longest = tmp_path / ("ä" * 125 + ".tif")
    with writing(longest) as temporary:
        temporary.write_text("x")
    assert names(tmp_path) == [longest.name]
    with pytest.raises(WorkError, match="too long"), writing(tmp_path / ("x" * 256)):
        pass


def test_a_folder_in_place_of_the_file_is_said_before_the_work(tmp_path):
    with pytest.raises(WorkError, match="is a folder"):
        check_writable(tmp_path)


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("", "The path is empty"),
        ("~nosuchuser/x", "no home folder"),
        ("a/" + "x" * 256, "too long"),
        ("a\0b", "the character NUL"),
        ("a\udcff", "not text"),
    ],
)
def test_paths_that_cannot_be(path, words):
    with pytest.raises(InputError, match=words):
        user_path(path)


def test_a_sentence_is_one_line_that_a_terminal_only_shows():
    error = SynthError("It holds " + "x\n" * 10**6, "Look at \x1b[31mred\x07 and [/b].")
    assert "\n" not in str(error)
    assert len(str(error)) < 2100
    assert "\x1b" not in error.action
    assert one_line("é × 你好 …") == "é × 你好 …"


def test_an_encoder_that_wrote_too_little_is_found_out(tmp_path, monkeypatch):
    from napari_synth.exporting import movie

    frames = [np.full((16, 16), 9 * k, np.uint8) for k in range(6)]
    add = movie._Mp4.add
    monkeypatch.setattr(movie._Mp4, "add", lambda sink, frame: add(sink, frame) if frame.max() < 20 else None)
    with pytest.raises(WorkError, match="3 of 6 frames"):
        save_movie(frames, 6, tmp_path / "w.mp4")
    assert names(tmp_path) == []


def test_a_manifest_is_what_sha256sum_reads_and_survives_a_cut(tmp_path):
    manifest = Manifest(tmp_path)
    (tmp_path / "sub").mkdir()
    paths = [tmp_path / "sub" / f"{n}.bin" for n in range(3)]
    for path in paths:
        path.write_bytes(path.name.encode())
        manifest.add([path])
    checked = subprocess.run(["sha256sum", "-c", MANIFEST_NAME], cwd=tmp_path, capture_output=True, text=True)
    assert checked.stdout.count("OK") == 3
    text = (tmp_path / MANIFEST_NAME).read_text()
    (tmp_path / MANIFEST_NAME).write_text(text[:-30])  # killed while it wrote the last line
    paths[0].write_bytes(b"")
    again = Manifest(tmp_path)
    assert [again.state(path) for path in paths] == [State.CHANGED, State.WHOLE, State.UNLISTED]
    again.add([paths[0], paths[2]])
    assert [Manifest(tmp_path).state(path) for path in paths] == [State.WHOLE] * 3
    again.finish(paths)
    paths[1].unlink()
    assert again.state(paths[1]) is State.MISSING
    with pytest.raises(WorkError, match="1 of 3 files"):
        again.finish(paths)


def test_a_lock_tells_the_second_and_goes_with_the_first(tmp_path):
    with holding(tmp_path / LOCK_NAME, "The folder"):
        with pytest.raises(WorkError, match="The folder is in use"), holding(tmp_path / LOCK_NAME, "The folder"):
            pass
        with pytest.raises(WorkError, match="in use"), holding(tmp_path / LOCK_NAME, "The folder"):
            pass
    assert names(tmp_path) == []
    with holding(tmp_path / LOCK_NAME, "The folder"):
        pass
