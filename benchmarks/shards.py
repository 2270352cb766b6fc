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
from napari_synth.models.architectures import build
from napari_synth.models.card import Look, ModelCard
from napari_synth.models.checkpoint import save_model
from napari_synth.models.defaults import DEFAULT_GENERATOR
from napari_synth.synthesis.recipes import altered, masks_recipe


def recipe(pairs: int, settings: FieldSettings, model: str = DEFAULT_GENERATOR) -> Recipe:
    """So many fields of nuclei in one look."""
    return altered(masks_recipe(model, [FieldSource(settings=settings, seed=1)], options=["he"]), n=pairs)


TINY = FieldSettings(height=16, width=16, count_mean=3 * 256, count_sd=0.0, area_mean=20, area_sd=0)
SMALL = {"in_channels": 2, "out_channels": 3, "ngf": 4, "levels": 3, "upsampling": "resize"}


def small_model(path: Path) -> str:
    """A network that computes next to nothing, so that the rest of the work shows."""
    card = ModelCard(
        id="small",
        architecture="optional-pix2pix",
        hyper=SMALL,
        role="generator",
        mask_meaning="foreground-gap",
        looks=[Look(name="he")],
        tile_multiple=8,
    )
    save_model(path, card, build("optional-pix2pix", **SMALL).state_dict())
    return str(path)


def memory(process: int | None = None) -> float:
    """Megabytes that a process has resident."""
    text = Path(f"/proc/{process or os.getpid()}/status").read_text(encoding="utf-8")
    return next(float(row.split()[1]) / 1024 for row in text.splitlines() if row.startswith("VmRSS"))


def rate(pairs: int, size: int, shard_size: int) -> None:
    """One process with one thread, and two of them."""
    given = recipe(pairs, FieldSettings(height=size, width=size))
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
            masks_share=one.composing / alone,
            overhead=1 - (one.rendering + one.composing) / alone,
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
            masks_share=two.composing / two.seconds,
            outside_shards=1 - two.seconds / (2 * both),
        )


def flat(pairs: int, shard_size: int, workers: int = 2) -> None:
    """Memory of client and workers at 1000 pairs, 10 000 … and at the end."""
    figures: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder, connected(Workers(workers)) as client:
        given = recipe(pairs, TINY, small_model(Path(folder) / "small.safetensors"))
        shop = load_maker(ShardPlan(given, "", device="cpu"))
        client.wait_for_workers(workers)
        due = [10**power for power in range(3, 9) if 10**power < pairs] + [pairs]

        def look(progress: Progress) -> None:
            if due and progress.done >= due[0]:
                mark = due.pop(0)
                figures[f"client_mb_at_{mark}"] = memory()
                figures[f"worker_mb_at_{mark}"] = max(memory(one) for one in client.run(os.getpid).values())
                print(mark, figures, flush=True)

        start = time.perf_counter()
        request = ShardRequest(given, f"{folder}/set", shard_size=shard_size, device="cpu")
        export_shards(request, shop.generator, shop.masks, Dask(client), look)
        seconds = time.perf_counter() - start
        finish_export(f"{folder}/set")
        figures["client_mb_after_finish"] = memory()
    line(f"shards-memory-{pairs}", pairs_per_second=pairs / seconds, **figures)


def main(pairs: int = 200, size: int = 256, shard_size: int = 50, many: int = 10_000) -> None:
    """All lines of shards."""
    rate(pairs, size, shard_size)
    flat(many, 100)


if __name__ == "__main__":
    main()
