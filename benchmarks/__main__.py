"""Print every performance figure as JSON lines.

Ratios are between variants measured in turn in one process; milliseconds depend on the machine.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from torch import nn

from benchmarks import capsules, live, two_channels
from benchmarks.timing import interleaved, line, matrix_product
from napari_synth import api
from napari_synth.core.recipe import FieldSettings, FieldSource, Recipe
from napari_synth.core.settings import DEFAULT_GENERATOR
from napari_synth.masks.field import compose_field
from napari_synth.masks.shapes import ShapeModel
from napari_synth.models.registry import load_trained
from napari_synth.nets.pix2pix import option_plane

FIRST_RENDER = """
import time; start = time.perf_counter()
import numpy as np, napari_synth as ns
mask = np.zeros((256, 256), int); mask[100:140, 100:150] = 1
ns.load_model("optional-pix2pix-nuclei", "cpu").render(mask, "he", 1)
print(time.perf_counter() - start)
"""


def convolution_flops(network: nn.Module, x: torch.Tensor) -> float:
    """Floating-point operations of the convolutions in one forward pass."""
    total = [0.0]

    def count(module: nn.Conv2d, _: object, out: torch.Tensor) -> None:
        total[0] += 2 * out.numel() * module.weight[0].numel()

    hooks = [m.register_forward_hook(count) for m in network.modules() if isinstance(m, nn.Conv2d)]
    with torch.inference_mode():
        network(x)
    for hook in hooks:
        hook.remove()
    return total[0]


def render() -> None:
    """Rendering of the bundled generator beside the network as torch lays it out, and beside the machine's limit."""
    generator = api.load_model(DEFAULT_GENERATOR, "cpu")
    plain = load_trained(DEFAULT_GENERATOR, "cpu").network
    product = matrix_product()
    for size in (256, 512, 1024):
        settings = FieldSettings(height=size, width=size)
        labels = compose_field(settings, api.load_shapes("nucleus-dvae", "cpu"), 1).labels
        mask = torch.from_numpy((labels > 0).astype("float32"))[None, None]
        x = torch.cat([mask, option_plane(torch.tensor([0]), 4, size, size)], 1)

        def forward(x: torch.Tensor = x) -> None:
            with torch.inference_mode():
                plain(x)

        times = interleaved({"render": lambda m=labels: generator.render(m, "he", 1), "plain": forward})
        limit = convolution_flops(plain, x) / (2 * 1024**3) * product
        line(
            f"render-{size}",
            ms=times["render"],
            plain_forward_ms=times["plain"],
            speedup=times["plain"] / times["render"],
            limit_ms=limit,
        )


def first_render() -> None:
    """Seconds from the start of Python to the first image, in a fresh process."""
    seconds = [
        float(subprocess.run([sys.executable, "-c", FIRST_RENDER], capture_output=True, text=True, check=True).stdout)
        for _ in range(3)
    ]
    line("first-render-256", seconds=sorted(seconds)[1])


def compose() -> None:
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
        {"batch": lambda: compose_field(settings, shapes, 1), "single": lambda: compose_field(settings, alone, 1)}
    )
    line(
        "field-46-nuclei-350",
        ms=times["batch"],
        one_by_one_ms=times["single"],
        speedup=times["single"] / times["batch"],
    )
    times = interleaved({"large": lambda: compose_field(large, shapes, 1)}, rounds=3)
    line("field-2000-nuclei-2048", ms=times["large"], placed=compose_field(large, shapes, 1).placed)


def export() -> None:
    """Pairs per second of an export at 256², and the generator's share of the time."""
    recipe = Recipe(
        model=DEFAULT_GENERATOR, masks=[FieldSource(settings=FieldSettings(), seed=1)], options=["he"], n=40
    )
    generator = api.load_model(DEFAULT_GENERATOR, "cpu")
    labels = compose_field(FieldSettings(), api.load_shapes("nucleus-dvae", "cpu"), 1).labels
    alone = interleaved({"render": lambda: generator.render(labels, "he", 1)})["render"]
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        api.export_recipe(recipe, Path(folder), device="cpu")
        seconds = time.perf_counter() - start
    line("export-256", pairs_per_second=40 / seconds, generator_share=40 * alone / 1000 / seconds)


def main() -> None:
    """Run all."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    line("machine", processor=platform.processor() or platform.machine(), cores=cores, torch=torch.__version__)
    first_render()
    render()
    compose()
    export()
    capsules.main()
    two_channels.main(convolution_flops)
    live.main()


if __name__ == "__main__":
    main()
