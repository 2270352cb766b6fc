"""Which pairs of a recipe lie in which shard, as a pure function of what every process of a run is told."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from napari_synth.core.recipe import MadeSource, Recipe
from napari_synth.datasets.image_files import PixelSize
from napari_synth.exporting.formats.base import Item
from napari_synth.exporting.split import EXACT_BELOW, ROLES, Groups, Split

SHARDS = "webdataset"
"""The format of shards, by the name that the command line takes."""
SHARDS_TITLE = "WebDataset shards (large sets)"
SHARD_SIZE = 1000
"""Pairs of a shard: some 330 MB of images of 256² pixels in colour."""
ALL = "all"
"""Begins the names of shards that are not split."""
ENOUGH = 20_000
"""Groups with which a role stays empty only where its share is a few in ten thousand."""


Placed = tuple[Item, Recipe, str]
"""Where a pair goes, its recipe, and the group of pairs that share its role."""


@dataclass(frozen=True)
class ShardPlan:
    """What to export in shards, and where to; small enough to be sent to every worker.

    Pair ``i`` follows from the recipe and ``i`` alone, never from the size of a shard, the worker or the order.

    Attributes
    ----------
    recipe : Recipe
        With the hashes of its model and masks.
    target : str
        A folder that all workers see, or a URL.
    shard_size : int
    split : Split, optional
    roles : mapping of str to str
        Role of each group where there are few; else the hash of a group gives its role.
    device : str
    compile : bool
        Whether networks are compiled, which changes some pixels by a grey level.
    endpoint : str
        See `exporting.stores.open_store`.
    pixel_size : PixelSize
    """

    recipe: Recipe
    target: str
    shard_size: int = SHARD_SIZE
    split: Split | None = None
    roles: Mapping[str, str] = field(default_factory=dict)
    device: str = "auto"
    compile: bool = False
    endpoint: str = ""
    pixel_size: PixelSize = field(default_factory=PixelSize)

    @property
    def pairs(self) -> int:
        """Number of pairs."""
        return self.recipe.count()

    @property
    def shards(self) -> int:
        """Number of shards."""
        return math.ceil(self.pairs / self.shard_size)

    @cached_property
    def recipe_sha256(self) -> str:
        """Hash of the recipe, whatever versions of programs it names."""
        return recipe_hash(self.recipe)

    @cached_property
    def key(self) -> str:
        """Tells one plan from another: what a process prepares for one is of no use for another."""
        told = (self.described(), sorted(self.roles.items()), self.target, self.device, self.endpoint)
        return hashlib.sha256(repr(told).encode()).hexdigest()

    @cached_property
    def _groups(self) -> Groups:
        return Groups(self.recipe, bool(self.split and self.split.strict))

    def indices(self, shard: int) -> range:
        """Numbers of the pairs of a shard."""
        start = shard * self.shard_size
        return range(start, min(start + self.shard_size, self.pairs))

    def size_of(self, shard: int) -> int:
        """Pairs of a shard."""
        return len(self.indices(shard))

    def placed(self, index: int) -> Placed:
        """Where a pair goes, its recipe and its group."""
        recipe = self.recipe.item(index)
        group = self._groups.of(recipe)
        role = ""
        if self.split is not None:
            role = self.roles.get(group) or self.split.by_hash(group)
        return Item(self.recipe.stem(index), role, index), recipe, group

    def items(self, shard: int) -> dict[str, list[Placed]]:
        """The pairs of a shard by role, roles that have some in the order of `ROLES`."""
        found: dict[str, list[Placed]] = {}
        for index in self.indices(shard):
            placed = self.placed(index)
            found.setdefault(placed[0].role, []).append(placed)
        return {role: found[role] for role in ("", *ROLES) if role in found}

    def described(self) -> dict[str, object]:
        """What tells this export from another, as ``export.json`` has it."""
        return {
            "recipe_sha256": self.recipe_sha256,
            "pairs": self.pairs,
            "shard_size": self.shard_size,
            "shards": self.shards,
            "format": SHARDS,
            "split": list(self.split.shares) if self.split else [],
            "split_strict": bool(self.split and self.split.strict),
            "split_seed": self.split.seed if self.split else 0,
            "compile": self.compile,
            "pixel_size": [self.pixel_size.x, self.pixel_size.y, self.pixel_size.unit],
        }


def recipe_hash(recipe: Recipe) -> str:
    """SHA-256 of a recipe without the versions it names."""
    record = recipe.model_dump(mode="json", exclude={"versions"})
    return hashlib.sha256(json.dumps(record, sort_keys=True).encode()).hexdigest()


def roles_of_few(recipe: Recipe, split: Split | None) -> dict[str, str]:
    """The roles of the groups of a recipe where quotas are exact; empty where the hash of a group gives its role.

    Raises
    ------
    InputError
        If a role stays empty.
    """
    if split is None:
        return {}
    groups, found = Groups(recipe, split.strict), set()
    renewed = any(isinstance(source, MadeSource) for source in recipe.masks)
    numbers = math.ceil(recipe.count() / recipe.per_mask)
    for number in range(numbers if renewed else min(numbers, len(recipe.masks))):
        found.add(groups.of(recipe.item(number * recipe.per_mask)))
        if len(found) >= ENOUGH:
            return {}
    roles = split.assigned(found)
    return roles if len(found) < EXACT_BELOW else {}


def shard_name(role: str, shard: int) -> str:
    """The name that the files of a shard and role begin with."""
    return f"{role or ALL}-{shard:06d}"
