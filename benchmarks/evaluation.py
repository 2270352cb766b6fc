"""How long it takes to compare how images look."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import numpy as np
import tifffile
from scipy import ndimage

from benchmarks.timing import line
from napari_synth.evaluation.realism import RealismRequest, evaluate_realism


def pairs(folder: Path, count: int, first: int, side: int = 256) -> Path:
    """Discs on grain, as TIFF."""
    y, x = np.mgrid[:side, :side]
    for number in range(count):
        rng = np.random.default_rng(first + number)
        labels = np.zeros((side, side), np.uint16)
        for label in range(1, 31):
            row, column = rng.uniform(0, side, 2)
            labels[(y - row) ** 2 + (x - column) ** 2 < 64] = label
        grain = 20 * ndimage.gaussian_filter(rng.normal(0, 1, labels.shape), 1)
        image = np.clip(60 + 70 * (labels > 0) + grain + rng.normal(0, 4, labels.shape), 0, 255).astype(np.uint8)
        for kind, array in (("images", image), ("masks", labels)):
            (folder / kind).mkdir(parents=True, exist_ok=True)
            tifffile.imwrite(folder / kind / f"{number:03d}.tif", array)
    return folder


def realism(count: int = 100) -> None:
    """Seconds of ``evaluate realism`` without deep features, and until its first line is there."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        real, made = pairs(root / "real", count, 0), pairs(root / "made", count, 1000)
        first: list[float] = []
        start = time.perf_counter()
        evaluate_realism(RealismRequest(real, made, root / "out"), on_line=lambda _: first.append(time.perf_counter()))
        seconds = time.perf_counter() - start
    line(f"realism-{count}-256", seconds=seconds, first_seconds=first[0] - start)
