"""A stack of images as a movie: TIFF, GIF or MP4."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Protocol

import imageio.v3 as iio
import numpy as np
import tifffile

from napari_synth.core.errors import WorkError, unknown_name
from napari_synth.core.files import check_writable, writing
from napari_synth.core.progress import CancelToken, OnProgress, Stopwatch, ignore_progress

FRAMES_PER_SECOND = 12
SUFFIXES = (".tif", ".tiff", ".gif", ".mp4")


class _Sink(Protocol):
    def add(self, frame: np.ndarray) -> None: ...

    def close(self) -> None: ...


class _Tiff:
    """Losslessly, with the axis names and the recipe."""

    def __init__(self, path: Path, axes: str, info: str):
        self.file = tifffile.TiffWriter(path, bigtiff=True)
        self.metadata = {"axes": axes, "Info": info}

    def add(self, frame: np.ndarray) -> None:
        self.file.write(frame, contiguous=True, metadata=self.metadata)

    def close(self) -> None:
        self.file.close()


class _Gif:
    """Looped for ever; the colours are those of one palette per frame."""

    def __init__(self, path: Path):
        self.path = path
        self.frames: list[np.ndarray] = []

    def add(self, frame: np.ndarray) -> None:
        self.frames.append(frame)

    def close(self) -> None:
        if self.frames:
            milliseconds, stack = 1000 // FRAMES_PER_SECOND, np.stack(self.frames)
            iio.imwrite(self.path, stack, plugin="pillow", duration=milliseconds, loop=0, is_batch=True)


class _Mp4:
    """H.264 in 4:2:0, which every player shows; sides are made even by repeating the last pixels."""

    def __init__(self, path: Path):
        import imageio.v2 as writers

        options: dict[str, Any] = {"codec": "libx264", "pixelformat": "yuv420p", "quality": 8, "macro_block_size": 1}
        self.file = writers.get_writer(path, format="FFMPEG", fps=FRAMES_PER_SECOND, **options)

    def add(self, frame: np.ndarray) -> None:
        frame = frame if frame.ndim == 3 else np.repeat(frame[..., None], 3, axis=-1)
        self.file.append_data(np.pad(frame, [(0, frame.shape[0] % 2), (0, frame.shape[1] % 2), (0, 0)], mode="edge"))

    def close(self) -> None:
        self.file.close()


def save_movie(
    frames: Iterable[np.ndarray],
    count: int,
    path: Path,
    info: str = "",
    on_progress: OnProgress = ignore_progress,
    cancel: CancelToken | None = None,
    axes: str = "TYX",
) -> Path:
    """Write frames one by one, beside and renamed; cancelling leaves no file.

    Parameters
    ----------
    frames : iterable of ndarray, shape (Y, X) or (Y, X, 3), uint8
        A ``.tif`` file takes any shape and dtype.
    count : int
    path : Path
        Its suffix chooses the format.
    info : str
        The recipe; kept by TIFF alone.
    axes : str
        Axes of the TIFF stack, the first for the frames.

    Raises
    ------
    InputError
        If the suffix is not one of `SUFFIXES`.
    WorkError
        If the disk is full or the folder cannot be written.
    Cancelled
        If the user stops.
    """
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise unknown_name("movie format", suffix, list(SUFFIXES))
    check_writable(path)
    cancel = cancel or CancelToken()
    watch = Stopwatch(count, on_progress)
    with writing(path) as temporary:
        sink: _Sink = (
            _Gif(temporary)
            if suffix == ".gif"
            else _Mp4(temporary)
            if suffix == ".mp4"
            else _Tiff(temporary, axes, info)
        )
        try:
            for number, frame in enumerate(frames, start=1):
                cancel.raise_if_cancelled()
                sink.add(frame)
                watch.report(number, f"frame {number} of {count}")
        finally:
            sink.close()
        _check_whole(temporary)
    return path


def _check_whole(path: Path) -> None:
    """An encoder in another process reports a full disk only by a file without content."""
    if not path.is_file() or path.stat().st_size == 0:
        raise WorkError(f"{path.name} could not be written; the disk may be full.", "Free some space and try again.")
