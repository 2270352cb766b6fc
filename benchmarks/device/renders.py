"""Renders through `Generator.run`: by graphs, kernel by kernel, in 16 bit; strokes and large canvases."""

from __future__ import annotations

import itertools
import time
from dataclasses import replace

import numpy as np
import torch

from benchmarks.device import clock
from benchmarks.models import NETWORKS, sample_request
from benchmarks.timing import line
from napari_synth import api
from napari_synth.core.boxes import Box
from napari_synth.core.devices import without_graphs
from napari_synth.core.progress import CancelToken
from napari_synth.synthesis.cuda.graphs import graphs_of
from napari_synth.synthesis.generator import Generator
from napari_synth.synthesis.network_io import anatomy_features
from napari_synth.synthesis.request import RenderRequest

SIZES = (256, 512, 1024, 2048, 4096)
ROOM = 16 * 2**30


def _recorded(device: str) -> None:
    if device == "cuda":
        graphs_of(torch.device("cuda")).wait()


def render(model: Generator, name: str, size: int, device: str) -> None:
    """One model at one size."""
    exact, fast = (sample_request(name, size, precision) for precision in ("exact", "fast"))

    def run(request: RenderRequest) -> np.ndarray:
        anatomy_features.forget()
        return model.run(request).image

    figures: dict[str, float | str | None] = {}
    clock.forget_peak(device)
    start = time.perf_counter()
    image = run(exact)
    figures["first_ms"] = 1000 * (time.perf_counter() - start)
    figures["peak_gb"] = clock.peak_gb(device)
    with without_graphs():
        figures["eager_ms"] = clock.milliseconds(lambda: run(exact), device, 8)
        figures["eager_fast_ms"] = clock.milliseconds(lambda: run(fast), device, 8)
    _recorded(device)
    run(fast)
    _recorded(device)
    ms = clock.milliseconds(lambda: run(exact), device)
    figures["fast_ms"] = clock.milliseconds(lambda: run(fast), device)
    again = run(exact)
    figures["apart_from_first"] = float(np.abs(image.astype(float) - again).max())
    figures["fast_apart"] = float(np.abs(image.astype(float) - run(fast)).mean())
    line(f"render-{name}-{size}", ms=ms, **figures)


def renders(device: str, short: bool) -> None:
    """All models at all sizes."""
    for name in NETWORKS:
        model = api.load_model(name, device)
        for size in (256, 1024) if short else SIZES:
            render(model, name, size, device)


def strokes(device: str, short: bool) -> None:
    """A square stroke of 16 pixels at changing places, in the follower."""
    for name in NETWORKS:
        for size in (1024,) if short else (512, 1024):
            generator, request = api.load_model(name, device), sample_request(name, size)
            labels = np.array(request.mask)
            request = replace(request, mask=labels)
            follower = generator.follower(ROOM)
            if follower is None or not follower.fits(labels.shape):
                continue
            followed, never = follower.begin(request), CancelToken()
            followed.follow(request, [], True, never)
            places = itertools.cycle(np.random.default_rng(0).integers(size // 4, size // 2, (64, 2)).tolist())

            def paint(
                settled: bool, request=request, labels=labels, followed=followed, places=places, never=never
            ) -> str:
                top, left = next(places)
                labels[top : top + 16, left : left + 16] = labels[top, left] == 0
                return followed.follow(request, [Box(top, left, top + 16, left + 16)], settled, never)[1]

            modes = paint(False), paint(True)
            settled = clock.milliseconds(lambda paint=paint: paint(True), device, 40)
            during = clock.milliseconds(lambda paint=paint: paint(False), device, 40)
            line(f"stroke-{name}-{size}", ms=during, mode=modes[0], settled_ms=settled, settled_mode=modes[1])
