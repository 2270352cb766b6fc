"""The label doctor on a folder of many pairs."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import numpy as np
import tifffile
from scipy import ndimage

from benchmarks.timing import line
from napari_synth.evaluation.pair_check import check_pairs

SIDE = 512
NUCLEI = 80


def checked(pairs: int) -> None:
    """Pairs of 512² with some 80 nuclei each, looked at from files to findings."""
    with tempfile.TemporaryDirectory() as folder:
        for number in range(pairs):
            write_pair(Path(folder), number)
        start, processor = time.perf_counter(), time.process_time()
        report = check_pairs(folder)
        seconds = time.perf_counter() - start
        line(
            f"check-{pairs}-pairs-512",
            seconds=seconds,
            processor_seconds=time.process_time() - processor,
            pairs_per_second=pairs / seconds,
            findings=len(report.findings),
        )


def write_pair(folder: Path, number: int) -> None:
    """Discs of many sizes, blurred and with noise in the image."""
    rng = np.random.default_rng(number)
    labels = np.zeros((SIDE, SIDE), np.uint16)
    for label in range(1, NUCLEI + 1):
        y, x, radius = rng.integers(12, SIDE - 12), rng.integers(12, SIDE - 12), rng.integers(6, 15)
        rows, columns = np.ogrid[-radius : radius + 1, -radius : radius + 1]
        top, left = y - radius, x - radius
        place = (slice(max(top, 0), y + radius + 1), slice(max(left, 0), x + radius + 1))
        disc = (rows**2 + columns**2 <= radius**2)[max(-top, 0) :, max(-left, 0) :]
        part = labels[place]
        disc = disc[: part.shape[0], : part.shape[1]]
        part[disc & (part == 0)] = label
    image = ndimage.gaussian_filter((labels > 0) * 120.0, 1.5) + rng.normal(40, 8, labels.shape)
    for name, array in (("images", image.clip(0, 255).astype(np.uint8)), ("masks", labels)):
        (folder / name).mkdir(exist_ok=True)
        tifffile.imwrite(folder / name / f"{number:04d}.tif", array, compression="zlib")
