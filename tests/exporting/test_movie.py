import errno

import imageio.v3 as iio
import numpy as np
import pytest
import tifffile

from napari_synth.core.errors import Cancelled, InputError, WorkError
from napari_synth.core.progress import CancelToken
from napari_synth.exporting import movie
from napari_synth.exporting.movie import save_movie

FRAMES = [np.full((21, 30), 40 * k, np.uint8) for k in range(5)]


def test_a_tiff_keeps_every_value_and_the_names_of_the_axes(tmp_path):
    seen = []
    save_movie(iter(FRAMES), 5, tmp_path / "w.tif", "a recipe", seen.append)
    with tifffile.TiffFile(tmp_path / "w.tif") as tif:
        assert (tif.asarray() == np.stack(FRAMES)).all()
        assert tif.series[0].axes == "TYX"
        assert tif.shaped_metadata[0]["Info"] == "a recipe"
    assert [(progress.done, progress.total) for progress in seen] == [(k, 5) for k in range(1, 6)]


def test_a_tiff_of_activations_has_all_axes(tmp_path):
    maps = [np.full((2, 3, 4, 5), k, np.float32) for k in range(3)]
    save_movie(maps, 3, tmp_path / "a.tif", axes="TICYX")
    read = tifffile.imread(tmp_path / "a.tif")
    assert read.shape == (3, 2, 3, 4, 5)
    assert read[2].min() == 2


@pytest.mark.parametrize("suffix", ["gif", "mp4"])
def test_a_movie_plays_back_with_its_frames(tmp_path, suffix):
    path = save_movie(FRAMES, 5, tmp_path / f"w.{suffix}")
    read = iio.imread(path, plugin="pillow" if suffix == "gif" else "FFMPEG")
    assert len(read) == 5
    assert read.shape[1:3] == ((21, 30) if suffix == "gif" else (22, 30))
    means = read.reshape(5, -1).mean(1)
    np.testing.assert_allclose(means, [0, 40, 80, 120, 160], atol=3)


def test_an_unknown_suffix_is_named(tmp_path):
    with pytest.raises(InputError, match=r"no movie format called '\.avi'"):
        save_movie(FRAMES, 5, tmp_path / "w.avi")


def test_cancel_leaves_no_file_and_keeps_an_older_one(tmp_path):
    old = tmp_path / "w.gif"
    old.write_bytes(b"older")
    cancel = CancelToken()

    def stop(progress):
        if progress.done == 2:
            cancel.cancel()

    with pytest.raises(Cancelled):
        save_movie(FRAMES, 5, old, on_progress=stop, cancel=cancel)
    assert old.read_bytes() == b"older"
    assert list(tmp_path.iterdir()) == [old]


def test_a_full_disk_is_a_sentence(tmp_path, monkeypatch):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(movie._Tiff, "add", full)
    with pytest.raises(WorkError, match="disk is full"):
        save_movie(FRAMES, 5, tmp_path / "w.tif")
    assert list(tmp_path.iterdir()) == []
