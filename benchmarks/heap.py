"""What it brings to keep freed memory: images in processes that do and do not, in turn."""

from __future__ import annotations

import subprocess
import sys

import numpy as np

from benchmarks.timing import line
from napari_synth.models.defaults import DEFAULT_CAPSULES, DEFAULT_GENERATOR

IMAGES = """
import resource, threading, time
import numpy as np
from napari_synth.core.heap import keep_freed_memory
if {kept}:
    keep_freed_memory()
import napari_synth as ns
from benchmarks.models import sample_request
from benchmarks.timing import peak_gigabytes

def images():
    model, request = ns.load_model({model!r}, "cpu"), sample_request({model!r}, {size})
    model.run(request)
    times, before = [], resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range({images}):
        start = time.perf_counter()
        model.run(request)
        times.append(time.perf_counter() - start)
    pages = resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
    print(1000 * np.median(times), pages / {images}, peak_gigabytes())

thread = threading.Thread(target=images)  # as the window does
thread.start()
thread.join()
"""


def compare(model: str, size: int, rounds: int = 5, images: int = 5) -> None:
    """Milliseconds and pages taken anew per image, and the peak of memory."""
    found: dict[bool, list[list[float]]] = {True: [], False: []}
    for _ in range(rounds):
        for kept, figures in found.items():
            code = IMAGES.format(kept=kept, model=model, size=size, images=images)
            done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
            figures.append([float(value) for value in done.stdout.split()])
    (ms, pages, peak), (plain_ms, plain_pages, plain_peak) = (np.median(found[kept], 0) for kept in (True, False))
    line(
        f"kept-memory-{model}-{size}",
        ms=ms,
        plain_ms=plain_ms,
        speedup=plain_ms / ms,
        pages=pages,
        plain_pages=plain_pages,
        peak_gb=peak,
        plain_peak_gb=plain_peak,
    )


def main(sizes: tuple[int, ...] = (256, 512, 1024), rounds: int = 5) -> None:
    """Run all: ``python -m benchmarks.heap``."""
    for size in sizes:
        for model in (DEFAULT_GENERATOR, DEFAULT_CAPSULES):
            compare(model, size, rounds)


if __name__ == "__main__":
    main()
