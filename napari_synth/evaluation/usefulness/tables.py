"""The scores of a comparison in files: written after each training, read when a run goes on."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from napari_synth.core.errors import InputError
from napari_synth.core.files import writing


@dataclass(frozen=True)
class Score:
    """A figure of a test image in one training."""

    arm: str
    repeat: int
    image: str
    group: str
    metric: str
    value: float


@dataclass(frozen=True)
class Point:
    """The loss of one training after so many steps."""

    arm: str
    repeat: int
    step: int
    loss: float


Row = TypeVar("Row", Score, Point)


def write_rows(path: Path, rows: Sequence[Any], kind: type) -> None:
    """A CSV of dataclasses."""
    names = [field.name for field in fields(kind)]
    with writing(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(names)
        writer.writerows(astuple(row) for row in rows)


def read_rows(path: Path, kind: type[Row]) -> list[Row]:
    """The rows of `write_rows`.

    Raises
    ------
    InputError
        If the file is another one.
    """
    casts = {"str": str, "int": int, "float": float}
    try:
        with path.open(newline="", encoding="utf-8") as file:
            return [
                kind(**{field.name: casts[str(field.type)](row[field.name]) for field in fields(kind)})
                for row in csv.DictReader(file)
            ]
    except (OSError, ValueError, KeyError, UnicodeDecodeError, csv.Error, TypeError) as error:
        raise InputError(f"The table {path} cannot be read.", "Remove it; its training is then done again.") from error


def table(scores: Iterable[Score], metric: str, arm: str) -> tuple[np.ndarray, list[int], list[str]]:
    """Means of a figure over the images of each group, ``(repeats, groups)``, NaN where it is not defined."""
    chosen = [score for score in scores if score.metric == metric and score.arm == arm]
    repeats, groups = sorted({score.repeat for score in chosen}), sorted({score.group for score in chosen})
    sums, counts = np.zeros((2, len(repeats), len(groups)))
    row, column = ({key: place for place, key in enumerate(keys)} for keys in (repeats, groups))
    for score in chosen:
        if np.isfinite(score.value):
            sums[row[score.repeat], column[score.group]] += score.value
            counts[row[score.repeat], column[score.group]] += 1
    with np.errstate(invalid="ignore"):
        return sums / counts, repeats, groups


def paired(scores: Sequence[Score], metric: str, arm: str, against: str) -> np.ndarray:
    """Differences ``arm - against``, (repeats, groups), of the repeats and groups that both have."""
    ours, repeats, groups = table(scores, metric, arm)
    theirs, other_repeats, other_groups = table(scores, metric, against)
    rows = [key for key in repeats if key in other_repeats]
    columns = [key for key in groups if key in other_groups]
    pick = [np.ix_([r.index(k) for k in rows], [g.index(k) for k in columns])
            for r, g in ((repeats, groups), (other_repeats, other_groups))]  # fmt: skip
    difference: np.ndarray = ours[pick[0]] - theirs[pick[1]]
    return difference[:, np.isfinite(difference).all(0)]
