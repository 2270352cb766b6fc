"""Masks kept against a crash: one file per mask, one folder per window, and what other windows left behind."""

from __future__ import annotations

import json
import os
import shutil
import uuid
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from filelock import FileLock, Timeout
from pydantic import BaseModel, FiniteFloat, ValidationError

from napari_synth.core.errors import InputError, WorkError
from napari_synth.core.files import write_error, writing
from napari_synth.core.user_settings import state_folder

SUFFIX = ".tif"
BAND_BYTES = 2**22
LARGEST_RATIO = 1100
"""No zlib stream is longer than this many times its compressed form."""

Matrix = list[list[FiniteFloat]]


class Placement(BaseModel):
    """Where a layer lies in the world; for an axis each."""

    scale: list[FiniteFloat]
    translate: list[FiniteFloat]
    rotate: Matrix
    shear: list[FiniteFloat]
    affine: Matrix
    units: list[str]
    axis_labels: list[str]


class Column(BaseModel):
    """A column of the table of nuclei."""

    name: str
    dtype: str
    values: list[bool | int | float | str | None]


class Description(BaseModel):
    """All of a kept mask but its pixels."""

    napari_synth_mask: Literal[1]
    name: str
    placement: Placement
    features: list[Column] = []
    checksum: int = 0
    """Of the pixels."""


@dataclass(frozen=True, eq=False)
class KeptMask:
    """A mask as it is written.

    Attributes
    ----------
    labels : ndarray, shape (Y, X), int
    about : Description
    """

    labels: np.ndarray
    about: Description


def band_rows(labels: np.ndarray) -> int:
    """How many rows of a mask are worked on at a time; 1 or more."""
    return max(1, BAND_BYTES // max(labels[:1].nbytes, 1))


def checksum(labels: np.ndarray, start: int = 0) -> int:
    """CRC-32 of the pixels, row by row."""
    rows = band_rows(labels)
    for top in range(0, len(labels), rows):
        start = zlib.crc32(np.ascontiguousarray(labels[top : top + rows]).data, start)
    return start


def fingerprint(mask: KeptMask) -> int:
    """CRC-32 of all that is kept of a mask."""
    about = mask.about.model_copy(update={"checksum": 0})
    return checksum(mask.labels, zlib.crc32(repr(about).encode()))


def write_kept(path: Path, mask: KeptMask) -> None:
    """Write a mask as compressed TIFF that any program opens, beside and renamed.

    Raises
    ------
    WorkError
        If the disk is full or the folder cannot be written.
    """
    import tifffile

    about = mask.about.model_copy(update={"checksum": checksum(mask.labels)})
    text = json.dumps(about.model_dump())
    with writing(path) as temporary:
        tifffile.imwrite(
            temporary,
            mask.labels,
            photometric="minisblack",
            compression="zlib",
            compressionargs={"level": 1},
            description=text,
            metadata=None,
            maxworkers=1,
        )


def read_kept(path: Path) -> KeptMask:
    """Read a mask of `write_kept`.

    Raises
    ------
    InputError
        If the file is damaged, cut off, or none of these.
    """
    import tifffile

    try:
        with tifffile.TiffFile(path) as tif:
            page = tif.pages.first
            about = Description.model_validate_json(page.description)
            pixels, dtype = int(np.prod(page.shape, dtype=object)), page.dtype
            if len(page.shape) != 2 or not pixels or dtype is None or dtype.kind not in "iu":
                raise ValueError(f"{dtype} pixels of shape {page.shape}")
            if pixels * dtype.itemsize > LARGEST_RATIO * path.stat().st_size:
                raise ValueError(f"it says it has {page.shape[1]}×{page.shape[0]} pixels and is too short for them")
            labels = np.array(page.asarray(maxworkers=1))
        if checksum(labels) != about.checksum:
            raise ValueError("its pixels are not those that were written")
    except Exception as error:  # decoders raise anything at all on a damaged file
        reason = "no description" if isinstance(error, ValidationError) else str(error) or type(error).__name__
        raise InputError(
            f"The autosaved mask {path} cannot be read ({reason}).", "It stays where it is until you discard it."
        ) from error
    return KeptMask(labels, about)


class Store:
    """The autosaved masks of one window. Makes its folder at the first of them; no other window touches it.

    A lock beside the folder tells others that the window lives. The operating system takes it away
    with the process, however that ends.

    Parameters
    ----------
    root : Path, optional
        Where the folders of all windows lie.
    """

    def __init__(self, root: Path | None = None):
        self.root = root or autosave_root()
        self._folder: Path | None = None
        self._lock: FileLock | None = None
        self._known: dict[int, int] = {}

    def note(self, key: int, known: int) -> None:
        """Take a mask with this `fingerprint` as one that needs no keeping."""
        self._known[key] = known

    def put(self, key: int, mask: KeptMask) -> None:
        """Keep a mask under a number of its own; nothing is written where it is known.

        Raises
        ------
        WorkError
            If the disk is full or the folder cannot be written; what was kept before stays.
        """
        now = fingerprint(mask)
        if self._known.get(key) == now:
            return
        write_kept(self._path(key), mask)
        self._known[key] = now

    def adopt(self, key: int, path: Path, mask: KeptMask) -> None:
        """Take over the file of another window as that of a mask with this content."""
        try:
            os.replace(path, self._path(key))
        except OSError as error:
            raise write_error(path, error) from error
        self.note(key, fingerprint(mask))

    def drop(self, key: int) -> None:
        """Forget a mask."""
        self._known.pop(key, None)
        if self._folder is not None:
            self._path(key).unlink(missing_ok=True)

    def close(self) -> None:
        """Forget all masks: the window ends as it should."""
        if self._folder is not None:
            _remove(self._folder, self._lock)
        self._folder = self._lock = None

    def _path(self, key: int) -> Path:
        if self._folder is None:
            folder = self.root / uuid.uuid4().hex
            self._lock = _locked(folder)
            self._folder = folder
        try:
            self._folder.mkdir(exist_ok=True)
        except OSError as error:
            raise write_error(self._folder, error) from error
        return self._folder / f"{key}{SUFFIX}"


@dataclass(frozen=True)
class LostSession:
    """Masks of a window that ended without closing.

    Attributes
    ----------
    folder : Path
    count : int
        Number of masks.
    ended : float
        When the last of them was written, in seconds since 1970.
    """

    folder: Path
    count: int
    ended: float


def lost_sessions(root: Path | None = None) -> list[LostSession]:
    """What windows that no longer live have left behind, the newest first.

    Raises
    ------
    InputError
        If the folder cannot be read.
    """
    root = root or autosave_root()
    try:
        folders = [path for path in root.iterdir() if path.is_dir() and not path.is_symlink()] if root.is_dir() else []
        found = [lost for lost in map(_lost, folders) if lost is not None]
    except OSError as error:
        problem = f"The autosaved masks in {root} cannot be read ({error})."
        raise InputError(problem, "Check its permissions.") from error
    return sorted(found, key=lambda session: -session.ended)


class Taken:
    """The masks of a lost session, while no other window can take them.

    Attributes
    ----------
    masks : list of (Path, KeptMask)
    problems : list of InputError
        One per file that cannot be read.
    """

    def __init__(self, lost: LostSession):
        self._folder = lost.folder
        self._lock = _claimed(lost)
        self.masks: list[tuple[Path, KeptMask]] = []
        self.problems: list[InputError] = []
        for path in _files(self._folder):
            try:
                self.masks.append((path, read_kept(path)))
            except InputError as error:
                self.problems.append(error)

    def release(self) -> LostSession | None:
        """Let go; what is left in the folder, or None and the folder is removed."""
        return _let_go(self._folder, self._lock)


def discard(lost: LostSession) -> None:
    """Delete the masks of a lost session."""
    _remove(lost.folder, _claimed(lost))


def autosave_root() -> Path:
    """Where the folders of all windows lie."""
    return state_folder() / "autosave"


def _files(folder: Path) -> list[Path]:
    """The masks in a folder in the order of their numbers; what was half-written has a name with a dot."""
    found = [path for path in folder.glob(f"*{SUFFIX}") if not path.name.startswith(".") and path.is_file()]
    return sorted(found, key=lambda path: (len(path.stem), path.stem))


def _lock_of(folder: Path) -> FileLock:
    return FileLock(folder.with_name(folder.name + ".lock"), thread_local=False)


def _locked(folder: Path) -> FileLock:
    """The lock of a folder, held; it is there before the folder is."""
    lock = _lock_of(folder)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire(blocking=False)
    except NotImplementedError as error:
        raise WorkError(
            f"The disk of {folder.parent} cannot lock files, so masks are not autosaved.",
            "Set NAPARI_SYNTH_STATE to a folder on another disk.",
        ) from error
    except OSError as error:
        raise write_error(Path(lock.lock_file), error) from error
    return lock


def _lost(folder: Path) -> LostSession | None:
    """What a window has left in its folder; None while it lives, and an empty folder is removed."""
    lock = _lock_of(folder)
    try:
        lock.acquire(blocking=False)
    except (Timeout, NotImplementedError):
        return None
    return _let_go(folder, lock)


def _let_go(folder: Path, lock: FileLock) -> LostSession | None:
    """Release a held folder; what is left in it, or None and it is removed."""
    times = [path.stat().st_mtime for path in _files(folder)] if folder.is_dir() else []
    if not times:
        _remove(folder, lock)
        return None
    lock.release()
    return LostSession(folder, len(times), max(times))


def _claimed(lost: LostSession) -> FileLock:
    taken = InputError("Another window has taken these masks already.", "Look for them there.")
    lock = _lock_of(lost.folder)
    try:
        lock.acquire(blocking=False)
    except Timeout as error:
        raise taken from error
    if not lost.folder.is_dir():
        _remove(lost.folder, lock)
        raise taken
    return lock


def _remove(folder: Path, lock: Any) -> None:
    """Remove a folder with all that is in it, and then its lock."""
    try:
        if folder.is_dir():
            shutil.rmtree(folder)
    except OSError as error:
        raise WorkError(f"{folder} could not be removed ({error.strerror}).", "Delete it by hand.") from error
    finally:
        lock.release()
    Path(lock.lock_file).unlink(missing_ok=True)
