"""Which files of a run are whole: their hashes, beside them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from enum import Enum, auto
from pathlib import Path, PurePosixPath

from napari_synth.core.errors import WorkError
from napari_synth.core.files import write_error, writing

MANIFEST_NAME = "manifest.sha256"
_LINE = re.compile(r"([0-9a-f]{64})  (.+)")


class State(Enum):
    """How a file of a run is found when the run goes on."""

    MISSING = auto()
    WHOLE = auto()
    CHANGED = auto()
    """It is listed, and is not what was written."""
    UNLISTED = auto()
    """It is there, but the run ended before it was listed, or was of a version without lists."""


class Manifest:
    """The hashes of the files that a run has finished, in the format of ``sha256sum``.

    A line is added with each finished file and the whole is written anew at the end, so a run that was
    killed lacks at most the line of its last files.

    Parameters
    ----------
    folder : Path
        Folder of the run; names in the manifest are relative to it.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        self.path = folder / MANIFEST_NAME
        self._hashes: dict[str, str] = {}
        try:
            text = self.path.read_text(encoding="utf-8", errors="replace") if self.path.is_file() else ""
        except OSError as error:
            raise write_error(self.path, error) from error
        self._begun = not text or text.endswith("\n")
        for line in text.splitlines():
            if found := _LINE.fullmatch(line):
                self._hashes[found[2]] = found[1]

    def state(self, path: Path) -> State:
        """What became of a file, or of a folder with all that was listed in it, since it was written."""
        if path.is_dir():
            states = {self.state(listed) for listed in self.listed(path)}
            order = (State.CHANGED, State.MISSING, State.WHOLE)
            return next((state for state in order if state in states), State.UNLISTED)
        if not path.is_file():
            return State.MISSING
        expected = self._hashes.get(self._name(path))
        if expected is None:
            return State.UNLISTED
        return State.WHOLE if expected == _hash(path) else State.CHANGED

    def listed(self, within: Path | None = None) -> list[Path]:
        """The files that are listed, or those in a folder; a path that leads out of the run is none of them."""
        start = "" if within is None else f"{self._name(within)}/"
        names = [name for name in self._hashes if name.startswith(start) and ".." not in PurePosixPath(name).parts]
        return [self.folder / name for name in names if not PurePosixPath(name).is_absolute()]

    def sha256(self, path: Path) -> str:
        """The hash of a file as it was listed."""
        return self._hashes[self._name(path)]

    def add(self, paths: Iterable[Path]) -> None:
        """List files, and the files in folders, that were finished just now.

        Raises
        ------
        WorkError
            If the disk is full, or somebody removed the folder.
        """
        fresh = {self._name(path): _hash(path) for path in files_in(paths)}
        if not fresh:
            return
        self._hashes |= fresh
        lines = "".join(f"{value}  {name}\n" for name, value in fresh.items())
        try:
            with self.path.open("a", encoding="utf-8", newline="\n") as file:
                file.write(lines if self._begun else f"\n{lines}")
        except OSError as error:
            raise write_error(self.path, error) from error
        self._begun = True

    def finish(self, paths: Iterable[Path]) -> None:
        """List all files of the run in their order; a folder stands for the files that are listed in it.

        Raises
        ------
        WorkError
            If some of them are gone.
        """
        paths = [file for path in paths for file in (self.listed(path) if path.is_dir() else [path])]
        gone = [path for path in paths if not path.is_file()]
        if gone:
            raise WorkError(
                f"{len(gone)} of {len(paths)} files in {self.folder} are gone again, {gone[0].name} first.",
                "Leave the folder as it is while it is written, and start the same command again.",
            )
        names = [self._name(path) for path in paths]
        with writing(self.path) as temporary:
            temporary.write_text(
                "".join(f"{self._hashes[name]}  {name}\n" for name in names), encoding="utf-8", newline="\n"
            )

    def clear(self) -> None:
        """Forget everything: the folder is begun anew."""
        self._hashes = {}
        try:
            self.path.unlink(missing_ok=True)
        except OSError as error:
            raise write_error(self.path, error) from error

    def _name(self, path: Path) -> str:
        return path.relative_to(self.folder).as_posix()


def files_in(paths: Iterable[Path]) -> Iterator[Path]:
    """Files, and those in folders at any depth."""
    for path in paths:
        if path.is_dir():
            yield from (file for file in sorted(path.rglob("*")) if file.is_file())
        else:
            yield path


def _hash(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise write_error(path, error) from error
