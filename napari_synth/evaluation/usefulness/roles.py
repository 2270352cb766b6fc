"""Which real images train, which choose settings, which test: by group, never by image."""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from napari_synth.core.errors import InputError
from napari_synth.core.files import existing_folder, name_of
from napari_synth.core.seeds import numpy_rng
from napari_synth.datasets.listing import name_key
from napari_synth.datasets.pairs import Pair, describe, find_pairs, is_held_out

Role = Literal["train", "val", "test"]
TEST_SHARE = 0.3
VAL_SHARE = 0.2
LEAST_TEST = 5
"""Groups to test on."""
LEAST = LEAST_TEST + 2
"""Groups in all: one more to choose settings on, and one to train on."""
FEW_TEST = 8
"""Groups to test on from which an interval is worth reading."""


@dataclass(frozen=True)
class RealPair:
    """A real pair, its group (slide, patient, plate, day) and its role."""

    pair: Pair
    group: str
    role: Role


def groups_of(stems: Iterable[str], rule: str | Path | None) -> dict[str, str]:
    """The group of each file.

    Parameters
    ----------
    stems : iterable of str
    rule : str or Path, optional
        A regular expression, whose first group (or whole match) in the stem is the name; or a CSV file of
        stem and group. By default each file is a group of its own.

    Raises
    ------
    InputError
        If the expression is not valid or a file has no group.
    """
    stems = list(stems)
    if rule is None or not str(rule):
        return {stem: stem for stem in stems}
    if Path(rule).suffix.lower() == ".csv":
        return _listed(stems, Path(rule))
    try:
        expression = re.compile(str(rule))
    except re.error as error:
        raise InputError(f"The group rule {rule} is not valid ({error}).", "Write, for example, ^[^_]+") from error
    groups = {}
    for stem in stems:
        found = expression.search(stem)
        if found is None or not (name := found[1] if expression.groups else found[0]):
            raise InputError(f"The group rule {rule} finds no group in the name {stem}.", "Change the rule.")
        groups[stem] = name
    return groups


def _listed(stems: Sequence[str], path: Path) -> dict[str, str]:
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = [row for row in csv.reader(file) if len(row) >= 2]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"The list of groups {path} cannot be read.", "Save it as CSV of file name, group.") from error
    known = {name_key(Path(row[0].strip()).stem): row[1].strip() for row in rows}
    for stem in stems:
        if not known.get(stem):
            raise InputError(f"The list {path} has no group for {stem}.", "Add a line: name, group.")
    return {stem: known[stem] for stem in stems}


def real_pairs(folder: str | Path, groups: str | Path | None = None, seed: int = 1) -> list[RealPair]:
    """The pairs of a folder with their roles.

    What ``dataset.yaml`` holds out is tested on; where nothing is held out, three of ten groups, at least
    `LEAST_TEST`, drawn by the seed. A fifth of the other groups chooses settings.

    Raises
    ------
    InputError
        If there are too few groups.
    """
    root = existing_folder(folder, "folder of real pairs")
    pairs = find_pairs(root)
    group_of = groups_of((pair.stem for pair in pairs), groups)
    rule = hold_out_rule(root)
    held_out = {group_of[p.stem] for index, p in enumerate(pairs) if is_held_out(index, p.stem, rule)}
    roles = assigned(sorted(set(group_of.values())), held_out, seed, root)
    return [RealPair(pair, group_of[pair.stem], roles[group_of[pair.stem]]) for pair in pairs]


def hold_out_rule(root: Path) -> str:
    """What ``dataset.yaml`` in the folder, or in the one above for an option of its name, holds out."""
    own = describe(root).options
    if own:
        return own[0].hold_out
    above = Path(os.path.abspath(root)).parent
    return next((option.hold_out for option in describe(above).options if option.name == name_of(root)), "")


def assigned(groups: Sequence[str], held_out: set[str], seed: int, where: Path) -> Mapping[str, Role]:
    """The role of each group."""
    if len(groups) < LEAST or (held_out and len(held_out) < LEAST_TEST):
        count, of = (len(held_out), " held-out") if len(groups) >= LEAST else (len(groups), "")
        raise InputError(
            f"{where} has {count}{of} group{'s' * (count != 1)} of images, too few to say anything about others.",
            f"Use at least {LEAST} groups, {LEAST_TEST} of them to test on (--groups says what a group is).",
        )
    order = [groups[i] for i in numpy_rng(seed, "roles").permutation(len(groups))]
    test = held_out or set(order[: max(LEAST_TEST, round(TEST_SHARE * len(groups)))])
    others = [group for group in order if group not in test]
    if len(others) < 2:
        raise InputError(f"{where} has no groups left to train on.", "Hold out fewer of them.")
    val = set(others[: max(1, round(VAL_SHARE * len(others)))])
    return {group: "test" if group in test else "val" if group in val else "train" for group in groups}
