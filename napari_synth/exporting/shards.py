"""Make one shard of an export: a task that shares nothing with the others."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from napari_synth.core.errors import Cancelled, InputError, SynthError, brief
from napari_synth.core.progress import CancelToken
from napari_synth.core.recipe import FileSource
from napari_synth.exporting.making import PairMaker, load_maker
from napari_synth.exporting.shard_plan import Placed, ShardPlan, shard_name
from napari_synth.exporting.shard_table import ShardFile, ShardTable, tables_of
from napari_synth.exporting.stores import Store, open_store
from napari_synth.exporting.tables import PairRow
from napari_synth.exporting.tars import add_pair, tar_writer

TRIES = 3
"""How often a shard is begun, where a disk or a network fails."""
FOLDER = "shards"

Look = Callable[[Path, np.ndarray], Sequence[Any]]
"""What is found in a mask of a file, from its path and labels; other processes must be able to import it."""


@dataclass(frozen=True)
class ShardResult:
    """What became of a shard.

    Attributes
    ----------
    shard : int
    pairs : int
        That are in the store now.
    written : bool
        False where the shard was there already, or failed.
    problem : str
        Why it failed; empty where it did not.
    seconds, rendering, composing : float
        That the shard took; of these in the generator, and until its masks were there.
    found : tuple of (Path, sequence)
        What was found in masks that come from files, where somebody looks at them: in the shard with their first pair.
    """

    shard: int
    pairs: int
    written: bool = False
    problem: str = ""
    seconds: float = 0.0
    rendering: float = 0.0
    composing: float = 0.0
    found: tuple[tuple[Path, Sequence[Any]], ...] = ()


_ready: dict[str, PairMaker] = {}
"""The last maker of this process, by the key of its plan."""


def maker_for(plan: ShardPlan, store: Store) -> PairMaker:
    """What this process has ready for a plan; loaded the first time."""
    if plan.key not in _ready:
        _ready.clear()
        _ready[plan.key] = load_maker(plan, store.folder)
    return _ready[plan.key]


OnPair = Callable[[], None]


def make_shard(
    plan: ShardPlan,
    shard: int,
    *,
    look: Look | None = None,
    cancel: CancelToken | None = None,
    on_pair: OnPair = lambda: None,
) -> ShardResult:
    """Make a shard and then its manifests, unless it is there.

    What fails is said in the result: a disk or network that does is tried `TRIES` times.

    Raises
    ------
    Cancelled
        If ``cancel`` is set; nothing of the shard counts then.
    """
    start = time.perf_counter()
    problem = ""
    for _ in range(TRIES):
        try:
            store = open_store(plan.target, plan.endpoint)
            tables = tables_of(store, plan, shard)
            if tables is not None:
                return ShardResult(shard, plan.size_of(shard), seconds=time.perf_counter() - start)
            maker = maker_for(plan, store)
            rendering, composing = maker.rendering, maker.composing
            found = _write(store, maker, shard, look, cancel or CancelToken(), on_pair)
            seconds = time.perf_counter() - start
            return ShardResult(
                shard,
                plan.size_of(shard),
                True,
                seconds=seconds,
                rendering=maker.rendering - rendering,
                composing=maker.composing - composing,
                found=found,
            )
        except Cancelled:
            raise
        except InputError as error:
            return ShardResult(shard, 0, problem=str(error))
        except SynthError as error:
            problem = str(error)
        except Exception as error:  # one shard that fails must not end the others
            problem = f"{type(error).__name__}: {brief(error)}"
    return ShardResult(shard, 0, problem=problem, seconds=time.perf_counter() - start)


def _write(
    store: Store, maker: PairMaker, shard: int, look: Look | None, cancel: CancelToken, on_pair: OnPair
) -> tuple[tuple[Path, Sequence[Any]], ...]:
    """Files of all roles first, then their manifests; what was found in masks."""
    by_role = maker.plan.items(shard)
    tables, found = [], []
    for role, placed in by_role.items():
        rows: list[PairRow] = []
        name = f"{FOLDER}/{shard_name(role, shard)}.tar"
        with store.writing(name) as path:
            with tar_writer(path) as tar:
                for one in placed:
                    cancel.raise_if_cancelled()
                    pair, row = maker.pair(one)
                    if look is not None and (mask := _mask_file(maker.plan, one)) is not None:
                        found.append((mask, look(mask, pair.labels)))
                    facts = {key: value for key, value in asdict(row).items() if key != "image_sha256"}
                    rows.append(replace(row, image_sha256=add_pair(tar, pair, facts)))
                    on_pair()
            with path.open("rb") as made:
                file = ShardFile(name, path.stat().st_size, hashlib.file_digest(made, "sha256").hexdigest())
        tables.append(
            ShardTable(shard, role, tuple(by_role), maker.plan.recipe_sha256, (file,), maker.made_on, tuple(rows))
        )
    for table in tables:
        store.write(table.name, table.to_bytes())
    return tuple(found)


def _mask_file(plan: ShardPlan, placed: Placed) -> Path | None:
    """The file of the mask whose first pair this is; None for any other pair."""
    index, source = placed[0].index, placed[1].masks[0]
    first = index % plan.recipe.per_mask == 0 and plan.recipe.mask_number(index) < len(plan.recipe.masks)
    return Path(source.path) if first and isinstance(source, FileSource) else None
