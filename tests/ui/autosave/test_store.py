from __future__ import annotations

import errno
import json
import os
import struct
import subprocess
import sys
import zlib

import numpy as np
import pytest
import tifffile

from napari_synth.core import files
from napari_synth.core.errors import InputError, WorkError
from napari_synth.ui.autosave.store import (
    Column,
    Description,
    KeptMask,
    Placement,
    Store,
    Taken,
    discard,
    fingerprint,
    lost_sessions,
    read_kept,
    write_kept,
)
from tests.helpers import nuclei

PLACE = {
    "scale": [0.5, 0.25],
    "translate": [7, 8],
    "rotate": [[1, 0], [0, 1]],
    "shear": [0],
    "affine": [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
    "units": ["micrometer", "micrometer"],
    "axis_labels": ["y", "x"],
}


def kept(labels, name="Zellkerne é"):
    features = [
        Column(name="index", dtype="int64", values=[0, 1, 2]),
        Column(name="z0", dtype="float64", values=[float("nan"), 0.1, -1e-300]),
        Column(name="note", dtype="object", values=[None, "ä", "x"]),
    ]
    return KeptMask(labels, Description(napari_synth_mask=1, name=name, placement=PLACE, features=features))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int32, np.int64])
def test_a_mask_comes_back_as_it_was(tmp_path, dtype):
    labels = nuclei((130, 97), 5).astype(dtype)
    labels[0, 0] = np.iinfo(dtype).max
    write_kept(tmp_path / "1.tif", kept(labels))
    again = read_kept(tmp_path / "1.tif")
    np.testing.assert_array_equal(again.labels, labels)
    assert again.labels.dtype == dtype
    assert again.about.name == "Zellkerne é"
    assert again.about.placement == Placement(**PLACE)
    assert repr(again.about.features) == repr(kept(labels).about.features)
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "1.tif"), labels)
    assert (tmp_path / "1.tif").stat().st_size < labels.nbytes, "compressed"


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 0.999])
def test_a_cut_off_file_is_refused(tmp_path, share):
    path = tmp_path / "1.tif"
    rng = np.random.default_rng(0)
    write_kept(path, kept(rng.integers(0, 2**16, (256, 300)).astype(np.uint16)))
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(InputError, match=r"1\.tif cannot be read"):
        read_kept(path)


def test_changed_bytes_are_refused_or_harmless(tmp_path):
    """Whichever byte is damaged: the mask as written, or a sentence."""
    path = tmp_path / "1.tif"
    labels = nuclei((64, 64), 5).astype(np.uint16)
    write_kept(path, kept(labels))
    whole, rng = path.read_bytes(), np.random.default_rng(0)
    refused = 0
    for _ in range(150):
        damaged = bytearray(whole)
        damaged[rng.integers(len(whole))] ^= int(rng.integers(1, 256))
        path.write_bytes(damaged)
        try:
            np.testing.assert_array_equal(read_kept(path).labels, labels)
        except InputError:
            refused += 1
    assert refused > 20


def described(**changes):
    return json.dumps(json.loads(kept(np.zeros((2, 2), np.uint8)).about.model_dump_json()) | changes)


def huge(path):
    """Says that it holds 60000×60000 pixels."""
    tifffile.imwrite(path, np.zeros((64, 64), np.uint8), description=described(), metadata=None, compression="zlib")
    data = path.read_bytes()
    for tag in (256, 257):
        at = data.index(struct.pack("<HHI", tag, 4, 1))
        data = data[: at + 8] + struct.pack("<I", 60000) + data[at + 12 :]
    path.write_bytes(data)


def deep(path):
    path.write_bytes(b"II*\0" + zlib.compress(b"[" * 10**6))


HOSTILE = {
    "empty": lambda path: path.write_bytes(b""),
    "text": lambda path: path.write_text("hello"),
    "huge": huge,
    "no tiff": deep,
    "no description": lambda path: tifffile.imwrite(path, np.zeros((4, 4), np.uint16)),
    "another's": lambda path: tifffile.imwrite(path, np.zeros((4, 4), np.uint16), description='{"name": "x"}'),
    "a stack": lambda path: tifffile.imwrite(
        path, np.zeros((4, 4, 3), np.uint8), description=described(), metadata=None, photometric="rgb"
    ),
    "fractions": lambda path: tifffile.imwrite(
        path, np.zeros((4, 4), np.float32), description=described(), metadata=None
    ),
    "other pixels": lambda path: tifffile.imwrite(
        path, np.ones((4, 4), np.uint16), description=described(checksum=1), metadata=None
    ),
    "a place at infinity": lambda path: tifffile.imwrite(
        path,
        np.zeros((4, 4), np.uint16),
        description=described(placement=PLACE | {"scale": [float("inf"), 1]}),
        metadata=None,
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_are_refused_in_one_sentence(tmp_path, name):
    path = tmp_path / "1.tif"
    HOSTILE[name](path)
    with pytest.raises(InputError) as caught:
        read_kept(path)
    assert str(path) in caught.value.problem
    assert path.exists()


def test_a_window_that_closes_leaves_nothing(tmp_path):
    store = Store(tmp_path)
    store.put(1, kept(nuclei()))
    assert list(tmp_path.glob("*/1.tif"))
    assert lost_sessions(tmp_path) == [], "it lives"
    store.close()
    assert list(tmp_path.iterdir()) == []


def test_only_what_changed_is_written(tmp_path):
    store = Store(tmp_path)
    store.note(1, fingerprint(kept(nuclei())))
    store.put(1, kept(nuclei()))
    assert list(tmp_path.iterdir()) == []
    store.put(1, kept(nuclei(), "another name"))
    (path,) = tmp_path.glob("*/1.tif")
    before = path.stat().st_mtime_ns
    store.put(1, kept(nuclei(), "another name"))
    assert path.stat().st_mtime_ns == before
    store.put(1, kept(nuclei(seed=2), "another name"))
    np.testing.assert_array_equal(read_kept(path).labels, nuclei(seed=2))
    store.drop(1)
    assert not path.exists()
    store.close()


LOSE = """
import os, signal, sys
from pathlib import Path
from napari_synth.ui.autosave.store import Store
from tests.ui.autosave.test_store import kept
from tests.helpers import nuclei
store = Store(Path(sys.argv[1]))
for key in range(1, 3):
    store.put(key, kept(nuclei(seed=key), f"mask {key}"))
print("written", flush=True)
if sys.argv[2] == "kill":
    os.kill(os.getpid(), signal.SIGKILL)
sys.stdin.read()
"""


def lose(root, how="kill"):
    """A process that keeps two masks and is killed, or goes on."""
    process = subprocess.Popen(
        [sys.executable, "-c", LOSE, str(root), how], stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "written\n"
    if how == "kill":
        process.communicate(timeout=20)
    return process


def test_masks_of_a_killed_process_are_found_and_those_of_a_living_one_are_not(tmp_path):
    living = lose(tmp_path, "live")
    try:
        lose(tmp_path)
        own = Store(tmp_path)
        own.put(1, kept(nuclei(seed=7)))
        (lost,) = lost_sessions(tmp_path)
        assert lost.count == 2
        taken = Taken(lost)
        assert lost_sessions(tmp_path) == [], "nobody else takes them meanwhile"
        with pytest.raises(InputError, match="Another window"):
            Taken(lost)
        for number, (path, mask) in enumerate(taken.masks, start=1):
            assert mask.about.name == f"mask {number}"
            np.testing.assert_array_equal(mask.labels, nuclei(seed=number))
            own.adopt(number + 1, path, mask)
        assert taken.release() is None
        assert not lost.folder.exists()
        with pytest.raises(InputError, match="Another window"):
            discard(lost)
        assert len(list(tmp_path.glob("*/*.tif"))) == 3 + 2, "its own, those taken over, those of the living process"
        own.close()
        assert len(list(tmp_path.glob("*/*.tif"))) == 2
    finally:
        living.kill()
        living.communicate(timeout=20)
    (after,) = lost_sessions(tmp_path)
    discard(after)
    assert list(tmp_path.iterdir()) == []


def test_unreadable_files_stay_until_discarded(tmp_path):
    lose(tmp_path)
    (lost,) = lost_sessions(tmp_path)
    (lost.folder / "1.tif").write_bytes(b"broken")
    (lost.folder / ".3.tif.77.partial.tif").write_bytes(b"half-written")
    taken = Taken(lost)
    ((path, mask),) = taken.masks
    assert len(taken.problems) == 1
    store = Store(tmp_path)
    store.adopt(1, path, mask)
    left = taken.release()
    assert left.count == 1
    assert (lost.folder / "1.tif").read_bytes() == b"broken"
    assert lost_sessions(tmp_path) == [left]
    discard(left)
    store.close()
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_said_and_the_mask_before_stays(tmp_path, monkeypatch):
    store = Store(tmp_path)
    store.put(1, kept(nuclei()))

    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(files.os, "replace", full)
        with pytest.raises(WorkError, match="disk is full"):
            store.put(1, kept(nuclei(seed=2)))
    (path,) = tmp_path.glob("*/*.tif")
    np.testing.assert_array_equal(read_kept(path).labels, nuclei())
    store.put(1, kept(nuclei(seed=2)))
    np.testing.assert_array_equal(read_kept(path).labels, nuclei(seed=2))
    store.close()


def test_a_state_folder_that_is_none_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    assert lost_sessions(tmp_path / "nothing") == []
    with pytest.raises(WorkError):
        Store(tmp_path / "file" / "autosave").put(1, kept(nuclei()))
