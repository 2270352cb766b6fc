"""Print every performance figure as JSON lines.

Ratios are between variants measured in turn in one process; milliseconds depend on the machine.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
import time
from pathlib import Path
from unittest.mock import patch

import numpy as np
import torch

from benchmarks import capsules, evaluation, heap, live, pair_check, precision, renders, timing, training, two_channels
from benchmarks.device import run
from benchmarks.table import table
from benchmarks.timing import interleaved, line, matrix_product
from napari_synth import api
from napari_synth.core.recipe import FieldSettings, FieldSource
from napari_synth.exporting.batch import ExportRequest, export_pairs
from napari_synth.masks.field import compose_field
from napari_synth.masks.shape_model import ShapeModel
from napari_synth.models.defaults import DEFAULT_GENERATOR
from napari_synth.models.registry import load_trained
from napari_synth.synthesis.recipes import altered, masks_recipe
from napari_synth.synthesis.request import Rendering, RenderRequest, Steering


def compose(rounds: int = 7) -> None:
    """A field of nuclei with one decode of all codes, beside decoding them one by one."""
    shapes = api.load_shapes("nucleus-dvae", "cpu")
    settings = FieldSettings(height=350, width=350, count_mean=46 * 65536 / 350**2, count_law="fixed", sampler="jitter")

    class OneByOne(ShapeModel):
        """As the thesis' notebook decodes: each code alone, by the network as it was trained."""

        def decode(self, z: np.ndarray) -> np.ndarray:
            return np.concatenate([self.decode_as_trained(code) for code in z])

    alone = OneByOne(load_trained("nucleus-dvae", "cpu"))
    large = settings.model_copy(update={"height": 2048, "width": 2048, "count_mean": 2000 / 64})
    times = interleaved(
        {"batch": lambda: compose_field(settings, shapes, 1), "single": lambda: compose_field(settings, alone, 1)},
        rounds,
    )
    line(
        "field-46-nuclei-350",
        ms=times["batch"],
        plain_ms=times["single"],
        speedup=times["single"] / times["batch"],
    )
    times = interleaved({"large": lambda: compose_field(large, shapes, 1)}, rounds=min(3, rounds))
    line("field-2000-nuclei-2048", ms=times["large"], placed=compose_field(large, shapes, 1).placed)


def export(pairs: int) -> None:
    """Pairs per second of an export at 256², and the generator's share of the time."""
    masks = [FieldSource(settings=FieldSettings(), seed=1)]
    recipe = altered(masks_recipe(DEFAULT_GENERATOR, masks, options=["he"]), n=pairs)
    generator = api.load_model(DEFAULT_GENERATOR, "cpu")
    rendered, run = [], generator.run

    def timed(request: RenderRequest, steering: Steering | None = None) -> Rendering:
        start = time.perf_counter()
        made = run(request, steering)
        rendered.append(time.perf_counter() - start)
        return made

    reader = api.mask_reader()
    with tempfile.TemporaryDirectory() as folder, patch.object(generator, "run", timed):
        start = time.perf_counter()
        export_pairs(ExportRequest(recipe, Path(folder)), generator, reader)
        seconds = time.perf_counter() - start
    line(f"export-256-{pairs}", pairs_per_second=pairs / seconds, generator_share=sum(rendered) / seconds)


def machine() -> None:
    """What it ran on."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    line(
        "machine",
        processor=platform.processor() or platform.machine(),
        cores=cores,
        torch=torch.__version__,
        product_1024_ms=matrix_product(),
    )


def everything() -> None:
    """All lines."""
    machine()
    renders.main()
    compose()
    export(1000)
    pair_check.checked(500)
    capsules.main()
    two_channels.main()
    training.main()
    live.main()
    precision.main()
    evaluation.realism()
    heap.main()


def quick() -> None:
    """Each kind of line once, small: whether all of them work, not how fast anything is."""
    timing.MAX_ROUNDS = 1
    machine()
    renders.main(sizes=(256,), rounds=1, starts=1)
    compose(rounds=1)
    export(4)
    pair_check.checked(4)
    capsules.main(sizes=(256,), rounds=1)
    two_channels.main(sizes=(256,), rounds=1)
    training.main(rounds=1)
    live.main(sizes=(256,), large=(1088,), rounds=1)
    precision.main(rounds=1)
    evaluation.realism(6)
    heap.main(sizes=(256,), rounds=1)


def main() -> None:
    """Run all, or print the table of a run."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="every kind of line once, small; no figures to report")
    parser.add_argument("--device", choices=("cpu", "cuda", "mps"), default="cpu", help="measure this device")
    parser.add_argument("--short", action="store_true", help="on a GPU: what four minutes allow")
    parser.add_argument("--parts", default="", metavar="A,B", help=f"on a GPU: of {', '.join(run.PARTS)}")
    parser.add_argument("--out", type=Path, default=Path("run_output/benchmarks"), help="folder for a GPU's lines")
    parser.add_argument("--table", type=Path, metavar="FILE.jsonl", help="print the lines of a run as Markdown")
    asked = parser.parse_args()
    if asked.table:
        print(table(asked.table))
    elif asked.device != "cpu":
        usual = run.SHORT if asked.short else tuple(run.PARTS)
        parts = (
            asked.parts.split(",")
            if asked.parts
            else [name for name in usual if asked.device == "cuda" or name not in run.CUDA_ONLY]
        )
        sys.exit(min(run.run_parts(asked.device, parts, asked.short, asked.out), 1))
    elif asked.quick:
        quick()
    else:
        everything()


if __name__ == "__main__":
    main()
