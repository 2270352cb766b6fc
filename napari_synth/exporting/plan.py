"""Which pairs an export has, in what order, under which names and with which roles."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path

from napari_synth.core.errors import InputError
from napari_synth.core.recipe import FileSource, LayerSource, MaskSource, Recipe
from napari_synth.exporting.formats.base import Item
from napari_synth.exporting.real_pairs import RealPair, plain_name
from napari_synth.exporting.split import Groups, Split


class Plan:
    """The pairs of a recipe, then the real ones.

    Parameters
    ----------
    recipe : Recipe
        With the hashes of its masks.
    split : Split, optional
    real : sequence of RealPair
        Real pairs that validate and test in place of synthetic ones, which then all train.
    known : mapping, optional
        Roles that groups have already, from ``split.csv``.
    plain_names : bool
        Whether names of options are made plain too; see `exporting.real_pairs.plain_name`.
    told_names : bool
        Whether names of files tell mask and seed beside number and option.

    Raises
    ------
    InputError
        If a role stays empty.
    """

    def __init__(
        self,
        recipe: Recipe,
        split: Split | None = None,
        real: Sequence[RealPair] = (),
        known: Mapping[str, str] | None = None,
        plain_names: bool = False,
        told_names: bool = False,
    ):
        if real and split is None:
            raise InputError("Real pairs were given without a split.", "Add --split, such as --split 0.8/0.1/0.1.")
        self.recipe = recipe
        self.split = split
        self.real = tuple(real)
        self.synthetic = recipe.count()
        self._plain = plain_names
        self._told = told_names
        self._groups: Groups | None = None
        self.roles: dict[str, str] = {}
        if split is not None:
            self._groups = Groups(recipe, split.strict, [(pair.mask_sha256, pair.image_sha256) for pair in real])
            self.roles = self._assigned(self._groups, split, dict(known or {}))

    def __len__(self) -> int:
        return self.synthetic + len(self.real)

    def group(self, index: int) -> str:
        """What must stay on one side: the group of a pair; empty where nothing is split."""
        if self._groups is None:
            return ""
        if index < self.synthetic:
            return self._groups.of(self.recipe.item(index))
        return self._groups.of_real(self.real[index - self.synthetic].mask_sha256)

    def item(self, index: int) -> Item:
        """Where a pair goes."""
        role = self.roles.get(self.group(index), "")
        return Item(self.stem(index), role, index)

    def stem(self, index: int) -> str:
        """File stem of a pair."""
        if index >= self.synthetic:
            return self.real[index - self.synthetic].stem
        stem = self.recipe.stem(index)
        if self._told:
            item = self.recipe.item(index)
            number, *option = stem.split("_", 1)
            seed = [] if item.seed is None else [f"s{item.seed}"]
            stem = "_".join([number, plain_name(_mask_name(item.masks[0])).replace("_", "-"), *option, *seed])
        return plain_name(stem) if self._plain else stem

    def first_of_mask(self, position: int) -> Item:
        """The first pair of the mask at a position."""
        return self.item(position * self.recipe.per_mask)

    @cached_property
    def counts(self) -> tuple[Counter[str], Counter[str]]:
        """Synthetic and real pairs of each role."""
        roles = [self.item(index).role for index in range(len(self))]
        return Counter(roles[: self.synthetic]), Counter(roles[self.synthetic :])

    def _assigned(self, groups: Groups, split: Split, known: dict[str, str]) -> dict[str, str]:
        made = {groups.of(self.recipe.item(index)) for index in range(0, self.synthetic, self.recipe.per_mask)}
        if not self.real:
            return split.assigned(made, {group: known[group] for group in made & known.keys()})
        taken = dict.fromkeys(made, "train")
        real = {groups.of_real(pair.mask_sha256) for pair in self.real}
        settled = {group: taken.get(group) or known[group] for group in real & (taken.keys() | known.keys())}
        return taken | split.assigned(real, settled, full=["train"])


def _mask_name(source: MaskSource) -> str:
    """What a person knows a mask by."""
    if isinstance(source, LayerSource):
        return source.name
    if isinstance(source, FileSource):
        return Path(source.path).stem
    return f"{source.kind}-{source.seed}"
