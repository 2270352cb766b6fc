"""Following the brush and large canvases, beside rendering everything in one piece."""

from __future__ import annotations

import itertools
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np

from benchmarks.models import NETWORKS, sample_request
from benchmarks.timing import interleaved, line
from napari_synth import api
from napari_synth.core.boxes import Box
from napari_synth.core.progress import CancelToken
from napari_synth.synthesis.network_io import anatomy_features
from napari_synth.synthesis.request import TILE
from napari_synth.synthesis.tiles import OVERLAP

ROOM = 8 * 2**30
STROKES = (8, 16, 32, 64)
SIZES = (256, 1024)
LARGE = (2048, 4096)
PEAK = """
import time
import napari_synth as ns
from benchmarks.models import sample_request
from benchmarks.timing import peak_gigabytes
model, request = ns.load_model({model!r}, "cpu"), sample_request({model!r}, {size})
before = peak_gigabytes()
start = time.perf_counter()
made = model.run(request)
seconds = time.perf_counter() - start
given = sum(plane.nbytes for plane in (made.image, request.mask, request.condition) if plane is not None)
print(seconds, peak_gigabytes() - before, given / 2**30)
"""


def strokes(model: str, size: int, rounds: int) -> None:
    """A square stroke at changing places: the update, the preview where there is one, the full render."""
    generator, request = api.load_model(model, "cpu"), sample_request(model, size)
    labels = np.array(request.mask)
    request = replace(request, mask=labels)
    followed, never = generator.follower(ROOM).begin(request), CancelToken()
    followed.follow(request, [], True, never)
    places = itertools.cycle(np.random.default_rng(0).integers(size // 4, size // 2, (64, 2)).tolist())

    def paint(side: int, settled: bool) -> str:
        top, left = next(places)
        labels[top : top + side, left : left + side] = labels[top, left] == 0
        return followed.follow(request, [Box(top, left, top + side, left + side)], settled, never)[1]

    def full() -> None:
        anatomy_features.forget()
        generator.run(request)

    runs: dict[str, Callable[[], object]] = {f"stroke_{side}": partial(paint, side, True) for side in STROKES}
    runs["full"] = full
    mode, during = paint(16, True), paint(16, False)
    paint(16, True)
    times = interleaved(runs, rounds)
    if during != mode:  # apart, for each of them leaves something to the next update
        times |= interleaved({f"{during}_16": partial(paint, 16, False)}, rounds)
    line(
        f"stroke-{model}-{size}",
        mode=mode,
        ms=times["stroke_16"],
        plain_ms=times["full"],
        speedup=times["full"] / times["stroke_16"],
        **{f"{name}_ms": times[name] for name in times if name not in ("full", "stroke_16")},
        kept_mb=followed.nbytes / 2**20,
    )


def tiles(model: str, size: int) -> None:
    """Seconds of a large canvas in a fresh process, and the memory it takes above the model, mask and image."""
    code = PEAK.format(model=model, size=size)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    seconds, gigabytes, given = (float(value) for value in done.stdout.split())
    line(
        f"tiles-{model}-{size}",
        seconds=seconds,
        peak_gb=gigabytes,
        mask_and_image_gb=given,
        tile=TILE,
        overlap=None if model.startswith("capspix2pix") else OVERLAP,
    )


def main(sizes: tuple[int, ...] = SIZES, large: tuple[int, ...] = LARGE, rounds: int = 7) -> None:
    """Run all: ``python -m benchmarks.live``."""
    for model in NETWORKS:
        for size in sizes:
            strokes(model, size, rounds)
        for size in large:
            tiles(model, size)


if __name__ == "__main__":
    main()
