"""A stack of images as a movie: TIFF, GIF or MP4."""

from __future__ import annotations

import io
from collections.abc import Generator, Iterable
from pathlib import Path
from typing import Any, Protocol

import imageio.v3 as iio
import numpy as np
import tifffile

from napari_synth.core.errors import Cancelled, unknown_name
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
        colour = frame.ndim == 3 and frame.shape[-1] == 3
        photometric = "rgb" if colour else "minisblack"  # said, lest three channels of anything be taken for colours
        self.file.write(frame, photometric=photometric, contiguous=True, metadata=self.metadata)

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
            shown: dict[str, Any] = {"duration": 1000 // FRAMES_PER_SECOND, "loop": 0}  # in milliseconds; for ever
            memory = io.BytesIO()  # a full disk in the middle of the encoder would end in errors of its own
            iio.imwrite(memory, np.stack(self.frames), extension=".gif", plugin="pillow", is_batch=True, **shown)
            self.path.write_bytes(memory.getbuffer())


class _Mp4:
    """H.264 in 4:2:0, which every player shows; sides are made even by repeating the last pixels."""

    def __init__(self, path: Path):
        self.path = path
        self.encoder: Generator[None, bytes | None, None] | None = None

    def add(self, frame: np.ndarray) -> None:
        frame = frame if frame.ndim == 3 else np.repeat(frame[..., None], 3, axis=-1)
        frame = np.pad(frame, [(0, frame.shape[0] % 2), (0, frame.shape[1] % 2), (0, 0)], mode="edge")
        if self.encoder is None:
            self.encoder = self._encoder(frame.shape[1], frame.shape[0])
            self.encoder.send(None)
        self.encoder.send(np.ascontiguousarray(frame).tobytes())

    def _encoder(self, width: int, height: int) -> Generator[None, bytes | None, None]:
        from imageio_ffmpeg import write_frames

        encoder: Generator[None, bytes | None, None] = write_frames(
            str(self.path),
            (width, height),
            fps=FRAMES_PER_SECOND,
            quality=8,
            codec="libx264",
            macro_block_size=1,
            output_params=["-f", "mp4"],  # whatever the file is called
        )
        return encoder

    def close(self) -> None:
        if self.encoder is not None:
            self.encoder.close()


def check_movie(path: Path) -> None:
    """Raise `InputError` unless the name of a movie ends as one of the formats does."""
    if path.suffix.lower() not in SUFFIXES:
        raise unknown_name("movie format", path.suffix.lower() or path.name, list(SUFFIXES))


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
    check_movie(path)
    suffix = path.suffix.lower()
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
                if cancel.cancelled:
                    raise Cancelled(
                        f"The movie was stopped after {number - 1} of {count} frames; {path} was not written.",
                        "Start the same command again.",
                    )
                sink.add(frame)
                watch.report(number, f"frame {number} of {count}")
        finally:
            sink.close()
        if suffix == ".mp4":
            _check_whole(temporary, count, path)
    return path


def _check_whole(written: Path, count: int, path: Path) -> None:
    """The encoder is another process and keeps its errors to itself: count what it wrote."""
    from imageio_ffmpeg import count_frames_and_secs

    try:
        found = count_frames_and_secs(written)[0]
    except (RuntimeError, OSError):
        found = 0
    if found < count:
        raise OSError(f"{path.name} has {found} of {count} frames")
