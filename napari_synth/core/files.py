"""Writing beside, to the disk and renaming, so that nothing half-written ever bears the final name."""

from __future__ import annotations

import errno
import hashlib
import itertools
import os
import platform
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from napari_synth.core.errors import InputError, SynthError, WorkError
from napari_synth.core.names import LONGEST_FILE_NAME, checked_path

PARTIAL_SUFFIX = ".partial"
"""Ends the name of a file that is still being written; no reader takes it."""
PROBE = 4 << 20
DAY = 86400.0
FULL = (errno.ENOSPC, errno.EDQUOT)

_MACHINE = hashlib.sha256(platform.node().encode()).hexdigest()[:6]
_OF_OURS = re.compile(rf"\..*\.([0-9a-f]{{6}})-(\d+)-\d+{re.escape(PARTIAL_SUFFIX)}")
_numbers = itertools.count()
_swept: set[Path] = set()


@contextmanager
def writing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a new, empty file beside ``path``; flush it to the disk and rename it when the block succeeds.

    After a failure, a signal or a power cut the old file, if any, is untouched. What processes that
    were killed left in the folder is removed.

    Raises
    ------
    WorkError
        If the disk is full or the folder cannot be written.
    """
    final, temporary = Path(path), None
    try:
        final.parent.mkdir(parents=True, exist_ok=True)
        sweep(final.parent)
        temporary = _new_beside(final)
        try:
            yield temporary
        except SynthError:
            raise
        except Exception as error:  # encoders and torch hide a full disk behind errors of many kinds
            if _has_no_room(temporary):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)) from error
            raise
        _flush(temporary)
        os.replace(temporary, final)
        _flush_folder(final.parent)
    except OSError as error:
        raise write_error(final, error) from error
    finally:
        if temporary is not None:
            with suppress(OSError):
                temporary.unlink()


def copy_whole(source: Path, target: Path) -> None:
    """Copy a file as `writing` writes one, or a folder, such as an OME-Zarr, into a new or present one."""
    if source.is_dir():
        shutil.copytree(source, target, dirs_exist_ok=True)
        return
    with writing(target) as temporary:
        shutil.copyfile(source, temporary)


@contextmanager
def writing_folder(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a new folder beside ``path``; rename it when the block succeeds, in place of the one that is there.

    Files in it are written as `writing` does it, or at once.

    Raises
    ------
    WorkError
        If the disk is full or the folder cannot be written.
    """
    final = Path(path)
    try:
        final.parent.mkdir(parents=True, exist_ok=True)
        sweep(final.parent)
        temporary = _new_beside(final)
        temporary.unlink()
        temporary.mkdir()
    except OSError as error:
        raise write_error(final, error) from error
    try:
        yield temporary
        if final.is_dir():
            shutil.rmtree(final)
        os.replace(temporary, final)
        _flush_folder(final.parent)
    except OSError as error:
        raise write_error(final, error) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _new_beside(final: Path) -> Path:
    """A new file beside ``final``, under a name that nothing had, not even a link."""
    ending = f".{_MACHINE}-{os.getpid()}-{{}}{PARTIAL_SUFFIX}"
    room = LONGEST_FILE_NAME - len(ending) - 12
    start = final.name if len(os.fsencode(final.name)) <= room else os.fsdecode(os.fsencode(final.name)[:room])
    while True:
        temporary = final.with_name(f".{start}{ending.format(next(_numbers))}")
        with suppress(FileExistsError):
            os.close(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666))
            return temporary


def _has_no_room(temporary: Path) -> bool:
    """Whether the disk takes no more of a file whose writer failed."""
    try:
        with temporary.open("ab") as file:
            file.write(bytes(PROBE))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        return error.errno in FULL
    return False


def _flush(path: Path) -> None:
    """Bring a file to the disk; a disk that cannot be told to is no reason to fail."""
    with path.open("rb+") as file:
        try:
            os.fsync(file.fileno())
        except OSError as error:
            if error.errno in (*FULL, errno.EIO):
                raise


def _flush_folder(folder: Path) -> None:
    """Bring the names in a folder to the disk, where the system can."""
    if os.name == "posix":
        with suppress(OSError):
            number = os.open(folder, os.O_RDONLY)
            try:
                os.fsync(number)
            finally:
                os.close(number)


def sweep(folder: Path) -> None:
    """Remove what killed processes left half-written in a folder; looks once in the life of this process.

    A file of another machine counts as left after a day.
    """
    folder = folder.absolute()
    if folder in _swept:
        return
    _swept.add(folder)
    with suppress(InputError):  # a folder that may be written but not read
        _sweep(entries(folder))


def _sweep(paths: list[Path]) -> None:
    for path in paths:
        found = _OF_OURS.fullmatch(path.name)
        if found is None:
            continue
        with suppress(OSError):
            here = found[1] == _MACHINE and os.name == "posix"
            old = path.lstat().st_mtime < time.time() - DAY
            if not _is_alive(int(found[2])) if here else old:
                if path.is_dir() and not path.is_symlink():
                    shutil.rmtree(path)
                else:
                    path.unlink()


def _is_alive(process: int) -> bool:
    """Whether another process of this number runs; our own has written nothing yet where this is asked."""
    if process == os.getpid():
        return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def check_writable(path: str | os.PathLike[str]) -> None:
    """Raise `WorkError` now, rather than after hours of work, when ``path`` cannot be written."""
    final = Path(path)
    try:
        final.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=final.parent):
            pass
        if final.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    except OSError as error:
        raise write_error(final, error) from error


def write_error(path: Path, error: OSError) -> WorkError:
    """The sentence for an `OSError` met while writing ``path``."""
    if error.errno in FULL:
        return WorkError(f"The disk is full: {path} could not be written.", "Free some space and try again.")
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return WorkError(f"The folder {path.parent} cannot be written to.", "Choose another folder.")
    if error.errno in (errno.ENOTDIR, errno.EEXIST):
        return WorkError(f"{path.parent} is not a folder.", "Choose another folder.")
    if error.errno == errno.EISDIR:
        return WorkError(f"{path} is a folder.", "Choose another name.")
    if error.errno == errno.ENAMETOOLONG:
        return WorkError(f"The name {path.name} is too long for the disk.", "Choose a shorter one.")
    return WorkError(f"{path} could not be written ({error.strerror or error}).", "Choose another folder.")


def already_there(path: Path, choose: str = "Choose another name") -> InputError:
    """The error for a file that must not be replaced unasked: the same words wherever something is written."""
    return InputError(f"{path} already exists.", f"{choose}, or allow overwriting (--overwrite).")


def holds_other(folder: Path, what: str) -> InputError:
    """The error for a folder with ``what`` of another run, which must not be replaced unasked."""
    return InputError(
        f"The folder {folder} already holds other {what}.",
        f"Choose another folder, or allow it to replace other {what} (--overwrite).",
    )


def user_path(path: str | os.PathLike[str], what: str = "path") -> Path:
    """A path as a user gave it, with ``~`` replaced by the home folder; ``what`` it is called in the sentence.

    Raises
    ------
    InputError
        If it is empty, names an unknown home, is longer than a disk takes, or is no text.
    """
    text = os.fsdecode(path)
    if not text:
        raise InputError(f"The {what} is empty.", "Give the name of a file or folder.")
    try:
        return Path(checked_path(text)).expanduser()
    except ValueError as error:
        raise InputError(
            f"The {what} {text!r:.60} cannot be used: {error}.", "Rename it or choose another one."
        ) from error
    except RuntimeError as error:
        raise InputError(f"There is no home folder for {text}.", "Write the path in full.") from error


def existing_folder(path: str | os.PathLike[str], what: str) -> Path:
    """``path`` as a `Path`; `InputError` when it is not a folder that exists."""
    folder = user_path(path)
    if not folder.is_dir():
        raise InputError(f"The {what} {folder} does not exist.", "Check the path.")
    return folder


def name_of(folder: Path) -> str:
    """The last part of a folder's path, also of ``.`` and ``a/..``; that of a link is the link's own."""
    return os.path.basename(os.path.abspath(folder))


def text_named(path: Path) -> Path:
    """A file or folder found in another one; `InputError` when its name is no text, which no recipe could hold."""
    try:
        path.name.encode()
    except UnicodeEncodeError as error:
        problem = f"The folder {path.parent} holds {path.name!a}, a name that is not text in UTF-8."
        raise InputError(problem, "Rename it.") from error
    return path


def entries(folder: Path) -> list[Path]:
    """What is in a folder, sorted by name; `InputError` when it may not be looked at."""
    try:
        return sorted(folder.iterdir())
    except OSError as error:
        raise InputError(f"The folder {folder} cannot be read ({error.strerror}).", "Check its permissions.") from error
