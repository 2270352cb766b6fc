"""How long it takes to compare how images look."""

from __future__ import annotations

import tempfile
import time
from importlib.util import find_spec
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
    """Seconds of ``evaluate realism``, with ``--deep`` too where that is installed, and until its first line is there;
    by the clock and of the processor, since other programs may run beside it.
    """
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        real, made = pairs(root / "real", count, 0), pairs(root / "made", count, 1000)
        for deep in (False, True) if find_spec("efficientnet_lite_pytorch") else (False,):
            first: list[tuple[float, float]] = []
            start = _now()
            request = RealismRequest(real, made, root / f"out {deep}", deep=deep)
            evaluate_realism(request, on_line=lambda _, first=first: first.append(_now()))
            end = _now()
            line(
                f"realism-{count}-256" + ("-deep" if deep else ""),
                seconds=end[0] - start[0],
                processor_seconds=end[1] - start[1],
                first_seconds=first[0][0] - start[0],
                first_processor_seconds=first[0][1] - start[1],
            )


def _now() -> tuple[float, float]:
    """By the clock, and of the processor, in seconds."""
    return time.perf_counter(), time.process_time()
