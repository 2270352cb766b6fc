"""Where a sharded export lies: a folder, or a bucket of an object store through fsspec."""

from __future__ import annotations

import os
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Any

from napari_synth.core.errors import InputError, SynthError, WorkError, brief
from napari_synth.core.files import user_path, write_error, writing
from napari_synth.core.names import check_inside

CREATE_TRIES = 3


class Store(ABC):
    """Files by name, such as ``shards/train-000017.tar``; each appears whole or not at all.

    Attributes
    ----------
    place : str
        The folder or URL, as people read it.
    folder : Path or None
        The folder, where it is one.
    """

    place: str
    folder: Path | None = None

    @abstractmethod
    def read(self, name: str) -> bytes | None:
        """What a file holds; None where there is none."""

    @abstractmethod
    def size(self, name: str) -> int | None:
        """Bytes of a file; None where there is none."""

    @abstractmethod
    def names(self, folder: str) -> list[str]:
        """Names of the files in a folder, sorted."""

    @abstractmethod
    def create(self, name: str, data: bytes) -> bool:
        """Write a file unless it is there already; whether it was written."""

    @abstractmethod
    def remove(self, name: str) -> None:
        """Remove a file, there or not."""

    @abstractmethod
    def writing(self, name: str) -> AbstractContextManager[Path]:
        """A file on this machine that becomes the named one when the block succeeds."""

    @abstractmethod
    def open(self, name: str) -> AbstractContextManager[Any]:
        """A file to read from, in bytes."""

    def write(self, name: str, data: bytes) -> None:
        """Write a small file, in place of the one that is there."""
        with self.writing(name) as path:
            path.write_bytes(data)


class FolderStore(Store):
    """A folder on a disk that this process sees."""

    def __init__(self, folder: Path):
        self.folder: Path = folder
        self.place = str(folder)

    def _path(self, name: str) -> Path:
        return check_inside(self.folder, self.folder / name)

    def read(self, name: str) -> bytes | None:
        path = self._path(name)
        try:
            return path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise write_error(path, error) from error

    def size(self, name: str) -> int | None:
        try:
            return self._path(name).stat().st_size
        except OSError:
            return None

    def names(self, folder: str) -> list[str]:
        place = self._path(folder)
        found = place.iterdir() if place.is_dir() else ()
        return sorted(f"{folder}/{path.name}" for path in found if path.is_file() and not path.name.startswith("."))

    def create(self, name: str, data: bytes) -> bool:
        path = self._path(name)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.") as temporary:
                temporary.write(data)
                temporary.flush()
                os.fsync(temporary.fileno())
                try:
                    os.link(temporary.name, path)
                except FileExistsError:
                    return False
                except OSError:  # a disk without links
                    with path.open("xb") as file:
                        file.write(data)
        except FileExistsError:
            return False
        except OSError as error:
            raise write_error(path, error) from error
        return True

    def remove(self, name: str) -> None:
        with suppress(OSError):
            self._path(name).unlink(missing_ok=True)

    def writing(self, name: str) -> AbstractContextManager[Path]:
        return writing(self._path(name))

    def open(self, name: str) -> AbstractContextManager[Any]:
        return self._path(name).open("rb")


class UrlStore(Store):
    """An object store, where a file appears when all of it was sent.

    Parameters
    ----------
    url : str
        Such as ``s3://bucket/set``.
    files : fsspec filesystem
    """

    def __init__(self, url: str, files: Any):
        self.place = url.rstrip("/")
        self._files = files
        self._root = files._strip_protocol(self.place)

    def _path(self, name: str) -> str:
        return f"{self._root}/{name}"

    @contextmanager
    def _said(self, doing: str) -> Iterator[None]:
        """Errors of the store as a sentence."""
        try:
            yield
        except SynthError:
            raise
        except Exception as error:  # each store has errors of its own, not all of which are OSErrors
            raise _store_error(self.place, doing, error) from error

    def read(self, name: str) -> bytes | None:
        with self._said("read"):
            try:
                return bytes(self._files.cat_file(self._path(name)))
            except FileNotFoundError:
                return None

    def size(self, name: str) -> int | None:
        with self._said("read"):
            try:
                return int(self._files.info(self._path(name))["size"])
            except FileNotFoundError:
                return None

    def names(self, folder: str) -> list[str]:
        with self._said("read"):
            self._files.invalidate_cache()
            try:
                found = self._files.ls(self._path(folder), detail=False)
            except FileNotFoundError:
                return []
        return sorted(f"{folder}/{path.rpartition('/')[2]}" for path in found if not path.endswith("/"))

    def create(self, name: str, data: bytes) -> bool:
        if self.size(name) is not None:
            return False
        try:
            self._files.pipe_file(self._path(name), data, mode="create")
        except FileExistsError:
            return False
        except Exception:  # somebody was faster, or the store cannot create without replacing
            if self.size(name) is not None:
                return False
            self.write(name, data)
        return True

    def remove(self, name: str) -> None:
        with self._said("written"), suppress(FileNotFoundError):
            self._files.rm_file(self._path(name))

    @contextmanager
    def writing(self, name: str) -> Iterator[Path]:
        with tempfile.TemporaryDirectory(prefix="napari-synth-") as folder:
            path = Path(folder) / name.rpartition("/")[2]
            yield path
            with self._said("written"):
                self._files.put_file(str(path), self._path(name))

    def open(self, name: str) -> AbstractContextManager[Any]:
        return self._files.open(self._path(name), "rb")  # type: ignore[no-any-return]


def is_url(target: str) -> bool:
    """Whether a target is an address rather than a folder."""
    return "://" in target


def open_store(target: str, endpoint: str = "") -> Store:
    """The store of a folder or URL.

    Credentials are those of the environment, and are written nowhere.

    Parameters
    ----------
    target : str
        A path, or an address such as ``s3://bucket/set``.
    endpoint : str
        Address of a server that speaks S3 and is not Amazon's.

    Raises
    ------
    InputError
        If nothing is known of such addresses, or the package for them is not installed.
    WorkError
        If there is no answer.
    """
    if not is_url(target):
        return FolderStore(user_path(target))
    import fsspec
    from fsspec.registry import known_implementations

    scheme, _, rest = target.partition("://")
    if scheme == "file":
        return FolderStore(user_path(rest))
    if not rest.strip("/"):
        raise InputError(f"The address {target} names no bucket.", f"Write {scheme}://BUCKET/NAME.")
    try:
        fsspec.get_filesystem_class(scheme)
    except ValueError as error:
        raise InputError(
            f"Addresses that begin with {scheme}:// are not known.",
            "Give a folder, or an address with s3://, gs://, az://.",
        ) from error
    except ImportError as error:
        known = known_implementations.get(scheme, {})
        package = "'napari-synth[s3]'" if scheme in ("s3", "s3a") else known.get("class", scheme).partition(".")[0]
        raise InputError(
            f"A package is missing to write to {scheme}://.", f"Install it: pip install {package}."
        ) from error
    options: dict[str, Any] = {"use_listings_cache": False}
    if endpoint:
        options["client_kwargs"] = {"endpoint_url": endpoint}
    try:
        files, _ = fsspec.url_to_fs(target, **options)
    except Exception as error:  # such as a server that does not answer
        raise _store_error(target, "reached", error) from error
    return UrlStore(target, files)


def _store_error(place: str, doing: str, error: Exception) -> WorkError:
    """What a store says, in a sentence."""
    reason = brief(error) or type(error).__name__
    if isinstance(error, PermissionError) or type(error).__name__ == "NoCredentialsError":
        return WorkError(
            f"{place} cannot be {doing} ({reason}).",
            "Check the credentials in the environment and the permissions of the bucket.",
        )
    return WorkError(f"{place} cannot be {doing} ({reason}).", "Check the address, --endpoint and the network.")
