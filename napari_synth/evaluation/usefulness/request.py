"""What is asked of the comparison, and the sets it works on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from napari_synth.core.errors import InputError, unknown_name
from napari_synth.core.seeds import numpy_rng
from napari_synth.datasets.pairs import LoadedPair, find_pairs, load_pair
from napari_synth.evaluation.usefulness.arms import ARMS
from napari_synth.evaluation.usefulness.budgets import BUDGETS, Budget
from napari_synth.evaluation.usefulness.leaks import Known, check_leaks
from napari_synth.evaluation.usefulness.roles import FEW_TEST, RealPair, Role, real_pairs
from napari_synth.evaluation.usefulness.scoring import OF_OBJECTS, OF_PIXELS, has_instances

LEAST_VAL = 2
MULTIPLE = 16
SIZES_APART = 2.0
"""Factor between median areas of real and synthetic objects from which it is said."""


@dataclass(frozen=True)
class HelpRequest:
    """A comparison of segmenters trained on real, synthetic and both kinds of pairs.

    Attributes
    ----------
    real, synthetic : Path
        Folders with ``images/`` and ``masks/``.
    out : Path
        Folder of the report; a run that was stopped there goes on.
    groups : str
        What a group of real images is; see `roles.groups_of`.
    arms : tuple of str
        Keys of `ARMS`, with ``real`` among them; those of the budget where there are none.
    endpoint : str
        The arm whose difference to ``real`` is the question.
    metric : str
        The figure of the question; empty: AP at 0.5 where masks part their objects, else Dice.
    budget : str
        A key of `BUDGETS`.
    repeats, steps : int
        Instead of the budget's; 0: as the budget says.
    crop, width : int
        Side of the crops, a multiple of 16, and channels of the network's first scale; 0: as the budget says.
    images : int
        Real images to train on; 0: all that are left beside those that test and choose settings.
    seed : int
    device : str
    predictions : bool
        Write predicted labels of test images.
    overwrite : bool
        Replace another report.
    """

    real: Path
    synthetic: Path
    out: Path
    groups: str = ""
    arms: tuple[str, ...] = ()
    endpoint: str = "joint"
    metric: str = ""
    budget: str = "quick"
    repeats: int = 0
    steps: int = 0
    crop: int = 0
    width: int = 0
    images: int = 0
    seed: int = 1
    device: str = "auto"
    predictions: bool = False
    overwrite: bool = False

    def plan(self) -> Budget:
        """The budget with what this request changes of it.

        Raises
        ------
        InputError
            If an arm or the budget is unknown, or the arms do not hold ``real`` and the endpoint.
        """
        budget = BUDGETS[self.budget]
        arms = self.arms or budget.arms
        for arm in (*arms, self.endpoint):
            ARMS[arm]
        if "real" not in arms or self.endpoint not in arms or self.endpoint == "real":
            raise InputError(
                f"The arms {', '.join(arms)} do not hold real and another one, {self.endpoint}, to compare with it.",
                "Name both with --arms, or another --endpoint.",
            )
        if self.metric and self.metric not in (*OF_OBJECTS, *OF_PIXELS):
            raise unknown_name("figure", self.metric, [*OF_OBJECTS, *OF_PIXELS])
        repeats = self.repeats or budget.repeats
        if repeats < 2:
            raise InputError("One repeat has no interval.", "Use at least two repeats.")
        hyper = budget.hyper | ({"width": self.width} if self.width else {})
        crop, steps = self.crop or budget.crop, self.steps or budget.steps
        if crop % MULTIPLE:
            raise InputError(f"The crop of {crop} pixels is no multiple of {MULTIPLE}.", "Use 64 or 128.")
        return replace(budget, arms=tuple(arms), repeats=repeats, steps=steps, crop=crop, hyper=hyper)


@dataclass(frozen=True, eq=False)
class Sets:
    """Everything that is read, and what is worth saying about it."""

    roles: Sequence[RealPair]
    train: Sequence[LoadedPair]
    val: Sequence[LoadedPair]
    test: Sequence[LoadedPair]
    groups: Sequence[str]
    """Of the test images."""
    synthetic: Sequence[LoadedPair]
    instances: bool
    remarks: Sequence[str]

    def subset(self, images: int, seed: int) -> list[LoadedPair]:
        """The real pairs that a repeat trains on: the same for each arm."""
        if not images or images >= len(self.train):
            return list(self.train)
        chosen = numpy_rng(seed, "subset").permutation(len(self.train))[:images]
        return [self.train[number] for number in sorted(chosen)]


def read_sets(request: HelpRequest) -> Sets:
    """Read both folders and refuse what cannot be compared.

    Raises
    ------
    InputError
        For too few groups, leaks, colour against grey, no object to test on, fewer images than asked for.
    """
    roles = real_pairs(request.real, request.groups or None, request.seed)
    by_role: dict[Role, list[Known]] = {"train": [], "val": [], "test": []}
    for one in roles:
        by_role[one.role].append(Known(one.pair, load_pair(one.pair)))
    synthetic = [Known(pair, load_pair(pair)) for pair in find_pairs(request.synthetic)]
    check_leaks(by_role["test"], [*by_role["train"], *by_role["val"]], synthetic, request.synthetic)
    train, val, test, made = (
        [known.loaded for known in each] for each in (by_role["train"], by_role["val"], by_role["test"], synthetic)
    )
    _check(request, train, val, test, made)
    if request.images:
        val = val[: max(request.images, LEAST_VAL)]
    remarks = [*_remarks(request, train, test, made)]
    groups = [one.group for one in roles if one.role == "test"]
    if len(set(groups)) < FEW_TEST:
        remarks.append(f"Only {len(set(groups))} groups to test on: the interval is wide.")
    return Sets(roles, train, val, test, groups, made, has_instances(test), remarks)


def _check(
    request: HelpRequest,
    train: Sequence[LoadedPair],
    val: Sequence[LoadedPair],
    test: Sequence[LoadedPair],
    synthetic: Sequence[LoadedPair],
) -> None:
    colour, made_colour = (sum(pair.rgb for pair in pairs) > len(pairs) / 2 for pairs in (test, synthetic))
    if colour != made_colour:
        kinds = ("in colour", "grey") if colour else ("grey", "in colour")
        raise InputError(
            f"The images in {request.real} are {kinds[0]} but those in {request.synthetic} are {kinds[1]}.",
            "Render a look of the same kind.",
        )
    for name, pairs in (("test", test), ("validation", val), ("training", train)):
        if not any(pair.labels.any() for pair in pairs):
            raise InputError(
                f"No {name} image of {request.real} has an object in its mask.", "Paint some, or choose other groups."
            )
    if not any(pair.labels.any() for pair in synthetic):
        raise InputError(f"All masks in {request.synthetic} are empty.", "Export pairs with nuclei.")
    if request.metric in OF_OBJECTS and not has_instances(test):
        raise InputError(
            f"The masks in {request.real} do not part their objects, so {request.metric} is not defined.",
            "Ask for dice, or label the objects one by one.",
        )
    if request.images > len(train):
        raise InputError(
            f"{request.real} has {len(train)} images to train on, not {request.images}.", "Ask for fewer (--images)."
        )


def _remarks(
    request: HelpRequest, train: Sequence[LoadedPair], test: Sequence[LoadedPair], synthetic: Sequence[LoadedPair]
) -> list[str]:
    """What does not forbid the comparison, but colours it."""
    remarks = []
    real, made = _median_area(train), _median_area(synthetic)
    if max(real, made) > SIZES_APART * min(real, made) and has_instances(test) and has_instances(synthetic):
        remarks.append(
            f"Synthetic objects have a median area of {made:.0f} pixels, real ones of {real:.0f}: "
            "make masks at the scale of the real images."
        )
    if not (request.synthetic / "recipe.yaml").is_file():
        remarks.append("The synthetic pairs carry no recipe: what their generator was trained on cannot be checked.")
    else:
        remarks.append(
            "The card of the generator does not list its training files: whether test images are among them "
            "cannot be checked here."
        )
    return remarks


def _median_area(pairs: Sequence[LoadedPair]) -> float:
    areas = [np.unique(pair.labels[pair.labels > 0], return_counts=True)[1] for pair in pairs]
    return float(np.median(np.concatenate(areas))) if any(map(len, areas)) else 1.0
