"""Following the brush and large canvases, beside rendering everything in one piece."""

from __future__ import annotations

import itertools
import subprocess
import sys
from pathlib import Path

import numpy as np

from benchmarks.timing import interleaved, line
from napari_synth import api
from napari_synth.core.boxes import Box
from napari_synth.core.settings import DEFAULT_CAPSULES, DEFAULT_GENERATOR
from napari_synth.datasets.axons import AxonSettings, axon_mask
from napari_synth.models.registry import bundled_paths
from napari_synth.synthesis.generator import RenderRequest
from napari_synth.synthesis.live import partial_update
from napari_synth.synthesis.tiles import OVERLAP, TILE

ROOM = 8 * 2**30
STROKES = (8, 16, 32, 64)
PEAK = """
import time
import numpy as np, napari_synth as ns
from benchmarks.timing import peak_gigabytes
from napari_synth.datasets.axons import AxonSettings, axon_mask
model = ns.load_model({model!r}, "cpu")
mask = np.tile(axon_mask(AxonSettings(height=512, width=512), 1), ({size} // 512, {size} // 512))
before = peak_gigabytes()
start = time.perf_counter()
model.render(mask, seed=1)
seconds = time.perf_counter() - start
print(seconds, peak_gigabytes() - before)
"""


def strokes(model: str | Path, size: int, rounds: int) -> None:
    """A square stroke at changing places: the partial update, the preview where there is one, the full render."""
    generator = api.load_model(model, "cpu")
    labels = axon_mask(AxonSettings(height=size, width=size), 1)
    request = RenderRequest(labels, seed=1)
    follower = partial_update(generator, ROOM)
    follower.follow(request, None, True, None)
    places = itertools.cycle(np.random.default_rng(0).integers(size // 4, size // 2, (64, 2)).tolist())

    def paint(side: int, settled: bool) -> None:
        top, left = next(places)
        labels[top : top + side, left : left + side] = labels[top, left] == 0
        follower.follow(request, [Box(top, left, top + side, left + side)], settled, None)

    runs = {f"partial-{side}": lambda side=side: paint(side, True) for side in STROKES}
    runs["full"] = lambda: generator.run(request)
    paint(16, False)
    if follower.follow(request, [], False, None)[1] == "preview":
        runs["preview-16"] = lambda: paint(16, False)
    times = interleaved(runs, rounds)
    line(
        f"stroke-{generator.card.id}-{size}",
        full_ms=times["full"],
        **{f"{name}_ms": times[name] for name in runs if name != "full"},
        speedup_16=times["full"] / times["partial-16"],
        kept_mb=follower.nbytes / 2**20,
    )


def tiles(model: str | Path, size: int) -> None:
    """Seconds of a large canvas in a fresh process, and the memory it takes above the model."""
    code = PEAK.format(model=str(model), size=size)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    seconds, gigabytes = (float(value) for value in done.stdout.split())
    line(f"tiles-{Path(model).stem}-{size}", seconds=seconds, peak_gb=gigabytes, tile=TILE, overlap=OVERLAP)


def main(sizes: tuple[int, ...] = (256, 1024), large: tuple[int, ...] = (2048, 4096), rounds: int = 7) -> None:
    """Run all: ``python -m benchmarks.live``."""
    for model in (DEFAULT_CAPSULES, DEFAULT_GENERATOR):
        if model not in bundled_paths():
            line(f"stroke-{model}", skipped="the model is not bundled")
            continue
        for size in sizes:
            strokes(model, size, rounds)
        for size in large:
            tiles(model, size)


if __name__ == "__main__":
    main()
