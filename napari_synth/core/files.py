"""Writing beside and renaming, so that nothing half-written ever bears the final name."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from napari_synth.core.errors import InputError, WorkError


@contextmanager
def writing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a temporary path beside ``path``; rename it to ``path`` when the block succeeds.

    Raises
    ------
    WorkError
        If the disk is full or the folder cannot be written; the old file, if any, is untouched.
    """
    final = Path(path)
    temporary = final.with_name(f".{final.name}.{os.getpid()}.partial{final.suffix}")
    try:
        final.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        os.replace(temporary, final)
    except OSError as error:
        raise write_error(final, error) from error
    finally:
        temporary.unlink(missing_ok=True) if temporary.parent.is_dir() else None


def check_writable(path: str | os.PathLike[str]) -> None:
    """Raise `WorkError` now, rather than after hours of work, when ``path`` cannot be written."""
    final = Path(path)
    try:
        final.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=final.parent):
            pass
    except OSError as error:
        raise write_error(final, error) from error


def write_error(path: Path, error: OSError) -> WorkError:
    """The sentence for an `OSError` met while writing ``path``."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return WorkError(f"The disk is full: {path} could not be written.", "Free some space and try again.")
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return WorkError(f"The folder {path.parent} cannot be written to.", "Choose another folder.")
    if error.errno in (errno.ENOTDIR, errno.EEXIST):
        return WorkError(f"{path.parent} is not a folder.", "Choose another folder.")
    return WorkError(f"{path} could not be written ({error.strerror or error}).", "Choose another folder.")


def existing_folder(path: str | os.PathLike[str], what: str) -> Path:
    """``path`` as a `Path`; `InputError` when it is not a folder that exists."""
    folder = Path(path).expanduser()
    if not folder.is_dir():
        raise InputError(f"The {what} {folder} does not exist.", "Check the path.")
    return folder
