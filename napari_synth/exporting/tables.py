"""The tables beside the pairs: ``manifest.csv`` with a row per pair, ``split.csv`` with a row per group."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import astuple, dataclass, fields
from pathlib import Path

import numpy as np

from napari_synth.core.files import write_error, writing

PAIRS_NAME = "manifest.csv"
SPLIT_NAME = "split.csv"


@dataclass(frozen=True)
class PairRow:
    """One line of ``manifest.csv``.

    Attributes
    ----------
    stem, role, group, option : str
    index : int
        Number of the pair, from 0.
    seed : str
        Empty without noise and for real pairs.
    model_sha256, mask_sha256 : str
        Of the weights file and of the labels as they were rendered (`core.recipe.mask_hash`).
    image_sha256 : str
        Of the image file.
    n_nuclei : int
    area_median : float
        Pixels.
    synthetic : int
        1, or 0 for a real pair.
    """

    stem: str
    index: int
    role: str
    group: str
    option: str
    seed: str
    model_sha256: str
    mask_sha256: str
    image_sha256: str
    n_nuclei: int
    area_median: float
    synthetic: int


COLUMNS = tuple(column.name for column in fields(PairRow))


def count_and_median(labels: np.ndarray) -> tuple[int, float]:
    """Number of nuclei and their median area in pixels."""
    areas = np.unique(labels[labels > 0], return_counts=True)[1]
    return len(areas), float(np.median(areas)) if len(areas) else 0.0


class PairTable:
    """``manifest.csv``: a line is added with each pair and the whole is put in order at the end.

    Parameters
    ----------
    folder : Path
        Folder of the export. Lines of another version or that a killed process left unfinished are dropped.
    """

    def __init__(self, folder: Path):
        self.path = folder / PAIRS_NAME
        self._lines: dict[str, list[str]] = {}
        try:
            text = self.path.read_text(encoding="utf-8", errors="replace") if self.path.is_file() else ""
        except OSError as error:
            raise write_error(self.path, error) from error
        whole = text if text.endswith("\n") else text[: text.rfind("\n") + 1]
        head, *lines = list(csv.reader(io.StringIO(whole))) or [[]]
        if tuple(head) == COLUMNS:
            self._lines = {line[0]: line for line in lines if len(line) == len(COLUMNS)}
        self._begun = tuple(head) == COLUMNS and whole == text

    def __contains__(self, stem: str) -> bool:
        return stem in self._lines

    def add(self, row: PairRow) -> None:
        """Add the line of a pair, in place of an earlier one."""
        self._lines[row.stem] = [str(value) for value in astuple(row)]
        try:
            if not self._begun:
                self._write(self._lines.values())
                self._begun = True
            else:
                with self.path.open("a", encoding="utf-8", newline="") as file:
                    csv.writer(file, lineterminator="\n").writerow(self._lines[row.stem])
        except OSError as error:
            raise write_error(self.path, error) from error

    def finish(self, stems: Iterable[str]) -> None:
        """Write the lines of these pairs in their order, and no others."""
        self._write(self._lines[stem] for stem in stems)

    def clear(self) -> None:
        """Forget everything: the folder is begun anew."""
        self._lines, self._begun = {}, False
        self.path.unlink(missing_ok=True)

    def _write(self, lines: Iterable[list[str]]) -> None:
        with writing(self.path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows([list(COLUMNS), *lines])


def save_split(folder: Path, roles: Mapping[str, str]) -> None:
    """Write which group has which role; what is written there stays so when more pairs are added."""
    with writing(folder / SPLIT_NAME) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([("group", "role"), *sorted(roles.items())])


def read_split(folder: Path) -> dict[str, str]:
    """The roles of groups in a folder; empty where it has none."""
    path = folder / SPLIT_NAME
    if not path.is_file():
        return {}
    try:
        with path.open(encoding="utf-8", errors="replace", newline="") as file:
            return {row["group"]: row["role"] for row in csv.DictReader(file) if row.get("group") and row.get("role")}
    except (OSError, KeyError, csv.Error) as error:
        raise write_error(path, OSError(str(error))) from error
