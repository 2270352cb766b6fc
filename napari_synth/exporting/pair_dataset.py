"""Pairs for training that are made when they are asked for, and never lie on a disk."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset, IterableDataset, get_worker_info

from napari_synth.core import arguments
from napari_synth.core.errors import InputError
from napari_synth.core.recipe import Recipe
from napari_synth.exporting.formats.base import PairToWrite
from napari_synth.exporting.making import PairMaker, load_maker, parts_of
from napari_synth.exporting.parts import made_of_real_data
from napari_synth.exporting.recipes import as_recipe
from napari_synth.exporting.shard_plan import ShardPlan
from napari_synth.exporting.sharded import ShardRequest, plan_export
from napari_synth.exporting.split import ROLES, parse_split
from napari_synth.synthesis.recipes import altered

Sample = dict[str, Any]
Transform = Callable[[Sample], Any]


class PairDataset(Dataset[Any]):
    """The pairs of a recipe as a map-style data set of torch; `stream` gives the iterable one.

    Pair ``i`` is the same whichever process makes it, and equal to pair ``i`` of an export of the recipe. A worker of a
    ``DataLoader`` loads a model of its own at its first pair.

    Parameters
    ----------
    recipe : Recipe or path
        A recipe, a ``.yaml`` file, or an exported image.
    n : int, optional
        Number of pairs of all roles together; as the recipe says when not given.
    role : {'train', 'val', 'test'}
        The pairs of this role, where ``split`` is given.
    split : str
        Shares of train, val and test, such as ``0.8/0.1/0.1``; all pairs of a mask share a role.
    split_strict : bool, optional
        Compose each role from label maps of its own; done where the recipe has such when not given.
    device : str
        Where images are rendered; on a GPU workers must be started with ``multiprocessing_context="spawn"``.
    transform : callable, optional
        Applied to each sample.

    Raises
    ------
    InputError
        If the recipe cannot be made, or the role stays empty.

    Examples
    --------
    >>> pairs = ns.PairDataset("recipe.yaml", n=1000, role="train", split="0.8/0.2")
    >>> loader = torch.utils.data.DataLoader(pairs, batch_size=8, num_workers=2, shuffle=True)
    """

    def __init__(
        self,
        recipe: Recipe | str | Path,
        *,
        n: int | None = None,
        role: str = "train",
        split: str = "",
        split_strict: bool | None = None,
        device: str = "cpu",
        transform: Transform | None = None,
    ):
        if role not in ROLES:
            raise InputError(f"There is no role called {role!r}.", f"Choose one of: {', '.join(ROLES)}.")
        if not split and role != "train":
            raise InputError(f"Without a split no pairs are for {role}.", "Give split, such as 0.8/0.1/0.1.")
        found = altered(as_recipe(recipe), n=n)
        strict = made_of_real_data(found) if split_strict is None else split_strict
        shares = parse_split(arguments.text(split, "split"), strict) if split else None
        draft = ShardPlan(found, "", split=shares, device=device)
        parts_of(draft, None)
        maker = load_maker(replace(draft, split=None))
        request = ShardRequest(found, "", split=shares, device=device)
        self.plan = plan_export(request, maker.generator, maker.masks)
        self.role = role
        self.transform = transform
        self._makers: dict[int, PairMaker] = {os.getpid(): PairMaker(self.plan, maker.generator, maker.masks)}
        self._indices: np.ndarray | None = None

    def __getstate__(self) -> dict[str, Any]:
        """Travel to a worker without the model."""
        return self.__dict__ | {"_makers": {}}

    @property
    def indices(self) -> np.ndarray:
        """Numbers of the pairs in the whole export, ``(len(self),)``."""
        if self._indices is None:
            per_mask = self.plan.recipe.per_mask
            firsts = range(0, self.plan.pairs, per_mask)
            mine = [first for first in firsts if self._is_mine(first)]
            spread = (np.array(mine, np.int64)[:, None] + np.arange(per_mask)).ravel()
            self._indices = spread[spread < self.plan.pairs]
        return self._indices

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, number: int) -> Any:
        """One pair.

        Returns
        -------
        dict
            ``image``, float32 ``(C, Y, X)``, integer grey values as parts of the largest of their type; ``label``,
            int64 ``(1, Y, X)``, instances from 1 and 0 for the background; ``index``, the number of the pair. With
            a ``transform``, what it makes of that.
        """
        if not -len(self) <= number < len(self):
            raise IndexError(number)
        return self.made(int(self.indices[number]))

    def made(self, index: int) -> Any:
        """The pair of a number in the whole export."""
        pair, _ = self._maker().pair(self.plan.placed(index))
        sample = sample_of(pair)
        return sample if self.transform is None else self.transform(sample)

    def stream(self) -> PairStream:
        """The same pairs in their order as an iterable data set, which has nothing to prepare."""
        return PairStream(self)

    def _is_mine(self, index: int) -> bool:
        return self.plan.split is None or self.plan.placed(index)[0].role == self.role

    def _maker(self) -> PairMaker:
        process = os.getpid()  # a model does not survive fork: its threads stay behind
        if process not in self._makers:
            self._makers = {process: load_maker(self.plan)}
        return self._makers[process]


class PairStream(IterableDataset[Any]):
    """The pairs of a `PairDataset` one after the other, shared out among the workers and ranks that ask."""

    def __init__(self, pairs: PairDataset):
        self.pairs = pairs

    def __iter__(self) -> Iterator[Any]:
        worker = get_worker_info()
        number, workers = (worker.id, worker.num_workers) if worker is not None else (0, 1)
        if torch.distributed.is_available() and torch.distributed.is_initialized():
            ranks = torch.distributed.get_world_size()
            number, workers = number + torch.distributed.get_rank() * workers, workers * ranks
        seen = 0
        for index in range(self.pairs.plan.pairs):
            if self.pairs._is_mine(index):
                if seen % workers == number:
                    yield self.pairs.made(index)
                seen += 1


def sample_of(pair: PairToWrite) -> Sample:
    """A pair as tensors; see `PairDataset.__getitem__`."""
    channels = [_in_unit(pair.image)]
    if pair.condition is not None:
        channels.insert(0, _in_unit(pair.condition))
    label = torch.from_numpy(pair.labels.astype(np.int64))[None]
    return {"image": torch.cat(channels), "label": label, "index": pair.item.index}


def _in_unit(image: np.ndarray) -> Tensor:
    """``(Y, X)`` or ``(Y, X, 3)`` as ``(C, Y, X)`` float32."""
    scale = np.iinfo(image.dtype).max if np.issubdtype(image.dtype, np.integer) else 1
    values = torch.from_numpy(image.astype(np.float32) / np.float32(scale))
    return values[None] if values.ndim == 2 else values.permute(2, 0, 1).contiguous()
