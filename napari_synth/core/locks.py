"""One run at a time in a folder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from napari_synth.core.errors import WorkError
from napari_synth.core.files import write_error

LOCK_NAME = ".napari-synth.lock"


@contextmanager
def holding(path: Path, what: str) -> Iterator[None]:
    """Hold a lock file for a run; it is gone afterwards, and a killed process holds nothing.

    Parameters
    ----------
    path : Path
        The lock file; its folder is made when missing.
    what : str
        What is in use, as a sentence begins.

    Raises
    ------
    WorkError
        If another run holds it, or the folder cannot be written.
    """
    lock = FileLock(path, thread_local=False)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire(blocking=False)
    except Timeout as error:
        raise WorkError(
            f"{what} is in use by another run.", "Wait until that has ended, or choose another name."
        ) from error
    except NotImplementedError:
        pass  # a disk without locks: as good as before
    except OSError as error:
        raise write_error(path, error) from error
    try:
        yield
    finally:
        if lock.is_locked:
            with suppress(OSError):
                path.unlink(missing_ok=True)
            with suppress(OSError):
                lock.release()


def is_held(path: Path) -> bool:
    """Whether a run of this or another process holds a lock file."""
    if not path.exists():
        return False
    lock = FileLock(path, thread_local=False)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        return True
    except (NotImplementedError, OSError):
        return False
    lock.release()
    return False
