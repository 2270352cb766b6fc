"""Exports in shards: pairs per second by one process and by two, what the generator has of it, and memory."""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

from benchmarks.timing import line
from napari_synth.core.progress import Progress
from napari_synth.core.recipe import FieldSettings, FieldSource, Recipe
from napari_synth.exporting.clusters import Workers, connected
from napari_synth.exporting.finish import finish_export
from napari_synth.exporting.making import load_maker
from napari_synth.exporting.schedulers import Dask, use_one_thread
from napari_synth.exporting.shard_plan import ShardPlan
from napari_synth.exporting.sharded import Here, ShardRequest, export_shards
from napari_synth.models.defaults import DEFAULT_GENERATOR
from napari_synth.synthesis.recipes import altered, masks_recipe

WHEN = ("first", "last")


def recipe(pairs: int, size: int) -> Recipe:
    """Pairs of fields of nuclei; tiny ones cost hardly more than what surrounds them."""
    settings = FieldSettings(height=size, width=size, area_mean=min(700.0, size**2 / 12))
    if size < 64:
        settings = settings.model_copy(update={"count_mean": 3 * 65536 / size**2, "count_sd": 0.0})
    return altered(masks_recipe(DEFAULT_GENERATOR, [FieldSource(settings=settings, seed=1)], options=["he"]), n=pairs)


def memory(process: int | None = None) -> float:
    """Megabytes that a process has resident."""
    text = Path(f"/proc/{process or os.getpid()}/status").read_text(encoding="utf-8")
    return next(float(row.split()[1]) / 1024 for row in text.splitlines() if row.startswith("VmRSS"))


def rate(pairs: int, size: int, shard_size: int) -> None:
    """One process with one thread, and two of them."""
    given = recipe(pairs, size)
    shop = load_maker(ShardPlan(given, "", device="cpu"))
    use_one_thread()
    with tempfile.TemporaryDirectory() as folder:
        request = ShardRequest(given, f"{folder}/one", shard_size=shard_size, device="cpu")
        export_shards(ShardRequest(altered(given, n=2), f"{folder}/warm", device="cpu"), shop.generator, shop.masks)
        start = time.perf_counter()
        one = export_shards(request, shop.generator, shop.masks, Here())
        alone = time.perf_counter() - start
        start = time.perf_counter()
        finished = finish_export(f"{folder}/one")
        line(
            f"shards-{size}-1-process",
            pairs_per_second=pairs / alone,
            generator_share=one.rendering / alone,
            outside_shards=1 - one.seconds / alone,
            finish_seconds=time.perf_counter() - start,
            bytes_per_pair=finished.bytes / pairs,
        )
        with connected(Workers(2)) as client:
            client.wait_for_workers(2)
            engine = Dask(client)
            warm = ShardRequest(altered(given, n=8), f"{folder}/warm-2", shard_size=1, device="cpu")
            export_shards(warm, shop.generator, shop.masks, engine)
            start = time.perf_counter()
            two = export_shards(
                ShardRequest(given, f"{folder}/two", shard_size=shard_size, device="cpu"),
                shop.generator,
                shop.masks,
                engine,
            )
            both = time.perf_counter() - start
        line(
            f"shards-{size}-2-processes",
            pairs_per_second=pairs / both,
            speedup_over_one=alone / both,
            generator_share=two.rendering / two.seconds,
            outside_shards=1 - two.seconds / (2 * both),
        )


def flat(pairs: int, size: int, shard_size: int) -> None:
    """Memory of client and workers at a tenth of the pairs and at the end."""
    given = recipe(pairs, size)
    shop = load_maker(ShardPlan(given, "", device="cpu"))
    seen: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as folder, connected(Workers(2)) as client:
        client.wait_for_workers(2)
        due = [pairs // 10, pairs]

        def look(progress: Progress) -> None:
            if due and progress.done >= due[0]:
                due.pop(0)
                seen.setdefault("client", []).append(memory())
                workers = client.run(os.getpid).values()
                seen.setdefault("worker", []).append(max(memory(process) for process in workers))

        start = time.perf_counter()
        request = ShardRequest(given, folder, shard_size=shard_size, device="cpu")
        export_shards(request, shop.generator, shop.masks, Dask(client), look)
        seconds = time.perf_counter() - start
        before = memory()
        finish_export(folder)
        seen["finish"] = [before, memory()]
    figures = {f"{who}_mb_{when}": mb for who, mbs in seen.items() for when, mb in zip(WHEN, mbs, strict=False)}
    line(f"shards-memory-{size}-{pairs}", pairs_per_second=pairs / seconds, **figures)


def main(pairs: int = 200, size: int = 256, shard_size: int = 50, many: int = 10_000) -> None:
    """All lines of shards."""
    rate(pairs, size, shard_size)
    flat(many, 16, max(many // 100, 1))
