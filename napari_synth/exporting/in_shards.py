"""Exports in shards, as Python calls them: see `exporting.sharded` for what happens."""

from __future__ import annotations

import tempfile
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from napari_synth.core import arguments
from napari_synth.core.progress import CancelToken, OnProgress, ignore_progress
from napari_synth.core.recipe import Recipe
from napari_synth.exporting.clusters import Workers, connected
from napari_synth.exporting.finish import finish_export
from napari_synth.exporting.making import PairMaker, load_maker
from napari_synth.exporting.parts import made_of_real_data
from napari_synth.exporting.recipes import as_recipe
from napari_synth.exporting.schedulers import Dask
from napari_synth.exporting.shard_plan import SHARD_SIZE, ShardPlan
from napari_synth.exporting.sharded import Hear, ShardedResult, ShardRequest, plan_export
from napari_synth.exporting.sharded import export_shards as run
from napari_synth.exporting.shards import Look
from napari_synth.exporting.split import parse_split
from napari_synth.exporting.stores import is_url
from napari_synth.exporting.tars import add_pair, tar_writer
from napari_synth.exporting.verify import verify_export

TRIED = 4
"""Pairs that are made for an estimate."""


@dataclass(frozen=True)
class ShardEstimate:
    """What an export in shards would take: ``seconds`` of one process."""

    pairs: int
    shards: int
    bytes: int
    seconds: float


__all__ = ["estimate_shards", "export_shards", "finish_export", "verify_export"]


def export_shards(
    recipe: Recipe | str | Path,
    target: str | Path,
    *,
    split: str = "",
    split_strict: bool | None = None,
    shard_size: int = SHARD_SIZE,
    part: int = 0,
    of: int = 1,
    workers: Workers | int = 0,
    device: str = "auto",
    compile: bool = False,
    endpoint: str = "",
    look: Look | None = None,
    hear: Hear = lambda path, found: None,
    on_progress: OnProgress = ignore_progress,
    cancel: CancelToken | None = None,
) -> ShardedResult:
    """Make the pairs of a recipe as WebDataset shards, with any number of processes on any number of machines.

    What is there is kept, so the same call goes on where one was stopped. `finish_export` follows when all is there.

    Parameters
    ----------
    recipe : Recipe or path
    target : str or path
        A folder, or an address such as ``s3://bucket/set``.
    split : str
        Shares of train, val and test, such as ``0.8/0.1/0.1``; all pairs of a mask share a role.
    split_strict : bool, optional
        Compose each role from label maps and nuclei of its own; done where a recipe has such when not given.
    shard_size : int
        Pairs of a shard.
    part, of : int
        Make the shards whose number leaves ``part`` when divided by ``of``; the others are made elsewhere.
    workers : Workers or int
        Processes on this machine, or see `exporting.clusters.Workers`; 0: this process. A script that asks for
        processes calls this below ``if __name__ == "__main__":``.
    device : str
        Where images are rendered.
    compile : bool
        See `Generator.compile`.
    endpoint : str
        A server that speaks S3 and is not Amazon's.
    look, hear : callable, optional
        See `exporting.sharded.ShardRequest`.
    on_progress : callable
    cancel : CancelToken, optional
        Shards that are whole are kept.

    Raises
    ------
    InputError
        If the target holds other pairs, the recipe cannot be made or a package is missing.
    WorkError
        If the target cannot be written or is in use.

    Examples
    --------
    >>> result = ns.export_shards("recipe.yaml", "my-set", split="0.8/0.1/0.1", workers=4)
    >>> ns.finish_export("my-set")
    """
    found = as_recipe(recipe)
    strict = made_of_real_data(found) if split_strict is None else split_strict
    request = ShardRequest(
        found,
        target if isinstance(target, str) and is_url(target) else str(arguments.place(target, "target")),
        split=parse_split(arguments.text(split, "split"), strict) if split else None,
        shard_size=arguments.whole_number(shard_size, "shard_size", 1),
        part=arguments.whole_number(part, "part", 0, max(of - 1, 0)),
        of=arguments.whole_number(of, "of", 1),
        device=arguments.text(device, "device"),
        compile=compile,
        endpoint=arguments.text(endpoint, "endpoint"),
        look=look,
        hear=hear,
    )
    who = workers if isinstance(workers, Workers) else Workers(arguments.whole_number(workers, "workers"))
    # a machine that only sends jobs away may have no GPU
    here = load_maker(ShardPlan(found, "", device="cpu" if who else request.device))
    if not who:
        return run(request, here.generator, here.masks, None, on_progress, cancel)
    with connected(who) as client:
        return run(request, here.generator, here.masks, Dask(client), on_progress, cancel)


def estimate_shards(
    recipe: Recipe | str | Path,
    *,
    split: str = "",
    split_strict: bool | None = None,
    shard_size: int = SHARD_SIZE,
    device: str = "auto",
) -> ShardEstimate:
    """What `export_shards` would write, from a few pairs at even distances that are made for it.

    Raises
    ------
    InputError
        As `export_shards` would.
    """
    found = as_recipe(recipe)
    strict = made_of_real_data(found) if split_strict is None else split_strict
    shares = parse_split(arguments.text(split, "split"), strict) if split else None
    here = load_maker(ShardPlan(found, "", device=device))
    plan = plan_export(ShardRequest(found, "", shares, shard_size, device=device), here.generator, here.masks)
    maker = PairMaker(replace(plan, split=None), here.generator, here.masks)
    tried = sorted({round(place * (plan.pairs - 1) / TRIED) for place in range(TRIED + 1)})
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "shard.tar"
        with tar_writer(path) as tar:
            maker.pair(maker.plan.placed(0))  # the first one warms up
            start = time.perf_counter()
            for index in tried:
                pair, row = maker.pair(maker.plan.placed(index))
                add_pair(tar, pair, asdict(row))
            seconds = time.perf_counter() - start
        size = path.stat().st_size
    return ShardEstimate(plan.pairs, plan.shards, size * plan.pairs // len(tried), seconds * plan.pairs / len(tried))
