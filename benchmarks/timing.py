"""Interleaved timings, guarded against a host that delivers less than usual."""

from __future__ import annotations

import json
import resource
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import torch

MATRIX = torch.ones(768, 768)
SLOW = 1.5
MAX_ROUNDS = 4
PATIENCE_S = 60.0
FEWEST = 3

_products: list[float] = []
_unguarded: list[str] = []
"""Variants measured since the last line while the host was slow."""


def matmul_seconds() -> float:
    """Seconds of one 768³ product: the machine's rate at this moment."""
    start = time.perf_counter()
    MATRIX @ MATRIX
    _products.append(time.perf_counter() - start)
    return _products[-1]


def usual_seconds() -> float:
    """Seconds of the product when nothing else runs: near the fastest of this process."""
    for _ in range(15):
        matmul_seconds()
    return sorted(_products)[len(_products) // 50]


def interleaved(variants: dict[str, Callable[[], object]], rounds: int = 7) -> dict[str, float]:
    """Median milliseconds of each variant, run in turn.

    A sample counts only when a matrix product beside it reaches its usual rate; after
    ``MAX_ROUNDS`` times the rounds the samples at hand are taken as they are, and the next line says so.
    Where a line takes longer than ``PATIENCE_S``, ``FEWEST`` samples of each variant are enough.
    """
    for run in variants.values():
        run()
    usual, begun = usual_seconds(), time.perf_counter()
    good: dict[str, list[float]] = {name: [] for name in variants}
    every: dict[str, list[float]] = {name: [] for name in variants}
    for _ in range(rounds * MAX_ROUNDS):
        for name, run in variants.items():
            before = matmul_seconds()
            start = time.perf_counter()
            run()
            seconds = time.perf_counter() - start
            every[name].append(seconds)
            if max(before, matmul_seconds()) < SLOW * usual:
                good[name].append(seconds)
        enough = rounds if time.perf_counter() - begun < PATIENCE_S else min(rounds, FEWEST)
        if all(len(samples) >= enough for samples in good.values()):
            break
    _unguarded.extend(name for name in variants if len(good[name]) < min(rounds, FEWEST))
    return {name: 1000 * statistics.median(good[name] or every[name]) for name in variants}


def matrix_product() -> float:
    """Milliseconds of a product of two 1024² matrices, 1024³ multiply-adds: the machine's limit."""
    matrix = torch.ones(1024, 1024)
    return interleaved({"product": lambda: matrix @ matrix})["product"]


def peak_gigabytes() -> float:
    """Peak memory of this process. ``ru_maxrss`` is that of the parent where a process was forked from a larger one."""
    status = Path("/proc/self/status")
    if status.exists():
        (peak,) = (row.split()[1] for row in status.read_text().splitlines() if row.startswith("VmHWM"))
        return int(peak) / 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**30


def line(name: str, **figures: float | str | None) -> None:
    """Print one figure; ``slow_host`` names what was measured with less than the machine's usual rate beside it."""
    rounded = {key: round(float(value), 3) if isinstance(value, float) else value for key, value in figures.items()}
    slow = {"slow_host": sorted(set(_unguarded))} if _unguarded else {}
    _unguarded.clear()
    print(json.dumps({"name": name} | rounded | slow), flush=True)
