"""Which pairs train, validate and test: by group, never by file.

All options, variants and repeats of a mask are one group and share a role, so no pair of one role shows the
nuclei of another.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from napari_synth.core.errors import InputError
from napari_synth.core.recipe import MadeSource, MaskSource, Recipe

ROLES = ("train", "val", "test")
EXACT_BELOW = 100
"""With fewer groups quotas are exact: by chance alone 10 groups leave a tenth empty in every other case."""


@dataclass(frozen=True)
class Split:
    """Shares of the roles.

    Attributes
    ----------
    shares : tuple of float
        Of train, val and test; they add up to 1.
    strict : bool
        Whether what masks are made of (label maps, a library of shapes, images beside masks) is split too.
    seed : int
    """

    shares: tuple[float, float, float]
    strict: bool = False
    seed: int = 0

    @property
    def wanted(self) -> tuple[str, ...]:
        """The roles with a share."""
        return tuple(role for role, share in zip(ROLES, self.shares, strict=True) if share > 0)

    def __str__(self) -> str:
        return "/".join(f"{share:g}" for share in self.shares)

    def by_hash(self, group: str) -> str:
        """The role of a group where there are many: it needs no list, and more groups move nobody."""
        place, reached = self._place(group), 0.0
        for role, share in zip(ROLES, self.shares, strict=True):
            reached += share
            if place < reached:
                return role
        return self.wanted[-1]

    def _place(self, group: str) -> float:
        digest = hashlib.sha256(f"{self.seed}:{group}".encode()).digest()
        return int.from_bytes(digest[:8], "big") / 2**64

    def assigned(
        self, groups: Iterable[str], known: Mapping[str, str] | None = None, full: Iterable[str] = ()
    ) -> dict[str, str]:
        """The role of each group.

        Parameters
        ----------
        groups : iterable of str
        known : mapping, optional
            Groups whose role is settled; they keep it.
        full : iterable of str
            Roles that other pairs fill: they need no group of these.

        Raises
        ------
        InputError
            If a role with a share would stay empty.
        """
        found = dict(known or {})
        fresh = sorted({*groups} - found.keys(), key=lambda group: (self._place(group), group))
        if len(found) + len(fresh) >= EXACT_BELOW:
            found |= {group: self.by_hash(group) for group in fresh}
        else:
            lacking = self._quotas(len(found) + len(fresh), {*full})
            lacking.subtract(Counter(found.values()))
            for group in fresh:
                role = max(self.wanted, key=lambda role: lacking[role])
                lacking[role] -= 1
                found[group] = role
        empty = {*self.wanted} - {*full} - {*found.values()}
        if empty:
            raise left_empty(sorted(empty, key=ROLES.index), len(found), self)
        return found

    def _quotas(self, total: int, full: set[str]) -> Counter[str]:
        """Whole numbers of groups, as near to the shares as they can be, at least 1 where a role needs one."""
        exact = {role: share * total for role, share in zip(ROLES, self.shares, strict=True)}
        quotas = Counter({role: int(value) for role, value in exact.items()})
        by_rest = sorted(self.wanted, key=lambda role: quotas[role] - exact[role])
        for role in by_rest[: total - quotas.total()]:
            quotas[role] += 1
        for role in self.wanted:
            most = max(self.wanted, key=lambda other: quotas[other])
            if not quotas[role] and role not in full and (quotas[most] > 1 or most in full):
                quotas[role] += 1
                quotas[most] -= 1
        return quotas


def parse_split(text: str, strict: bool = False, seed: int = 0) -> Split:
    """Shares from ``0.8/0.1/0.1``, ``80/10/10`` or ``4/1``: train, val and test.

    Raises
    ------
    InputError
        If that is no such text.
    """
    try:
        numbers = [float(part) for part in text.split("/")]
    except ValueError:
        numbers = []
    if not 2 <= len(numbers) <= 3 or not all(0 <= number < float("inf") for number in numbers) or numbers[0] <= 0:
        raise InputError(f"The split {text!r} is not understood.", "Write train/val/test, such as 0.8/0.1/0.1.")
    whole = sum(numbers)
    train, val, test = (*numbers, 0.0)[:3]
    return Split((train / whole, val / whole, test / whole), strict, seed)


def left_empty(roles: Iterable[str], groups: int, split: Split) -> InputError:
    """The error for roles that no group of pairs is left for."""
    masks = "is one mask or image" if groups == 1 else f"are {groups} masks or images of their own"
    return InputError(
        f"The split {split} leaves {' and '.join(roles)} empty: there {masks} to share out.",
        "Sample more masks, or give another split. Looks and variants of a mask stay together.",
    )


class Groups:
    """Which pairs must share a role.

    Parameters
    ----------
    recipe : Recipe
        With the hashes of its masks, as `exporting.batch.portable` gives it.
    strict : bool
        See `Split`.
    others : iterable of (str, str)
        Hashes of the masks and images of real pairs that go with them.
    """

    def __init__(self, recipe: Recipe, strict: bool = False, others: Iterable[tuple[str, str]] = ()):
        self._strict = strict
        self._parents: dict[str, str] = {}
        for position in range(len(recipe.masks)):
            self._join(self._keys(self._at(recipe, position)))
        for mask, image in others:
            self._join([f"mask:{mask}", f"image:{image}"])

    def of(self, item: Recipe) -> str:
        """The group of a pair, given its recipe."""
        keys = self._keys(item)
        return _short(self._root(next((key for key in keys if key in self._parents), keys[0])))

    def of_real(self, mask_sha256: str) -> str:
        """The group of a real pair."""
        return _short(self._root(f"mask:{mask_sha256}"))

    def _at(self, recipe: Recipe, position: int) -> Recipe:
        conditions = [recipe.condition(position)] if recipe.conditions else []
        return recipe.model_copy(update={"masks": recipe.masks[position : position + 1], "conditions": conditions})

    def _keys(self, item: Recipe) -> list[str]:
        keys = _mask_keys(item.masks[0])
        if self._strict and item.conditions:
            keys.append(f"image:{item.conditions[0].sha256}")
        return keys

    def _root(self, key: str) -> str:
        while (parent := self._parents.get(key, key)) != key:
            key = parent
        return key

    def _join(self, keys: list[str]) -> None:
        roots = sorted({self._root(key) for key in keys})
        for key in (*keys, *roots):
            self._parents[key] = roots[0]


def _mask_keys(source: MaskSource) -> list[str]:
    """What tells one mask from another: how it is made, where it is made, and its hash where that is known."""
    known = [f"mask:{source.sha256}"] if source.sha256 else []
    if isinstance(source, MadeSource):
        made = source.model_dump_json(exclude={"sha256"})
        return [*known, f"made:{hashlib.sha256(made.encode()).hexdigest()}"]
    if not known:
        raise ValueError("a mask that is read needs its hash before it is split")
    return known


def _short(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()[:16]
