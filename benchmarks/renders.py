"""Every bundled generator beside the network as torch lays it out, the machine's limit and its memory."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from torch import nn

from benchmarks import plain_capsules
from benchmarks.models import GENERATORS, NETWORKS, sample_request
from benchmarks.timing import interleaved, line, matrix_product
from napari_synth import api
from napari_synth.models.registry import load_trained
from napari_synth.synthesis.architectures.registry import architecture
from napari_synth.synthesis.network_io import ForwardRequest, anatomy_features

SIZES = (256, 512, 1024)
PLAIN = {"capspix2pix": plain_capsules.forward}
"""Forward passes in the published arrangement, where it is another than ours."""
FRESH = """
import time; start = time.perf_counter()
import napari_synth as ns
from benchmarks.models import sample_request
ns.load_model({model!r}, "cpu").run(sample_request({model!r}, {size}))
print(time.perf_counter() - start)
from benchmarks.timing import peak_gigabytes
print(peak_gigabytes())
"""


def operations(network: nn.Module, run: Callable[[], object]) -> float:
    """Multiply-adds of the convolutions in one run."""
    total = [0.0]

    def count(module: nn.Module, inputs: tuple, out: torch.Tensor) -> None:
        places = inputs[0] if isinstance(module, nn.ConvTranspose2d) else out
        total[0] += places[:, 0].numel() * module.weight.numel()

    convolutions = (m for m in network.modules() if isinstance(m, nn.Conv2d | nn.ConvTranspose2d))
    hooks = [module.register_forward_hook(count) for module in convolutions]
    run()
    for hook in hooks:
        hook.remove()
    return total[0]


def plain_forward(name: str, size: int) -> tuple[nn.Module, Callable[[], object]] | None:
    """The network as it was trained and its forward pass, in the published arrangement; None without a network."""
    if name not in NETWORKS:
        return None
    trained, sample = load_trained(name, "cpu"), sample_request(name, size)
    network, latent_size = trained.network, trained.card.latent_size
    if trained.card.architecture in PLAIN:
        mask = torch.from_numpy(sample.mask > 0)[None, None].float()
        return network, partial(PLAIN[trained.card.architecture], network, mask, torch.zeros(1, latent_size))
    z = np.zeros(latent_size, np.float32)
    request = ForwardRequest(sample.mask.astype("int32"), 0, sample.seed, z, condition=sample.condition)

    def run() -> None:
        anatomy_features.forget()
        architecture(trained.card.architecture).forward(trained, request)

    return network, run


def fresh(name: str, size: int) -> tuple[float, float]:
    """Seconds from the start of Python to the image, and peak gigabytes, in a process of its own."""
    code = FRESH.format(model=name, size=size)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    seconds, gigabytes = (float(value) for value in done.stdout.split())
    return seconds, gigabytes


def render(name: str, size: int, product: float, rounds: int) -> None:
    """One model at one size."""
    model, request = api.load_model(name, "cpu"), sample_request(name, size)

    def ours() -> None:
        anatomy_features.forget()
        model.run(request)

    runs = {"ours": ours}
    plain = plain_forward(name, size)
    figures = {}
    with torch.inference_mode():
        if plain is not None:
            network, runs["plain"] = plain
        times = interleaved(runs, rounds)
        if plain is not None:
            figures = {
                "plain_ms": times["plain"],
                "speedup": times["plain"] / times["ours"],
                "limit_ms": operations(network, runs["plain"]) / 1024**3 * product,
            }
    line(f"render-{name}-{size}", ms=times["ours"], **figures, peak_gb=fresh(name, size)[1])


def main(sizes: tuple[int, ...] = SIZES, rounds: int = 7, starts: int = 3) -> None:
    """Run all: ``python -m benchmarks.renders``."""
    product = matrix_product()
    for name in GENERATORS:
        seconds = sorted(fresh(name, 256)[0] for _ in range(starts))[starts // 2]
        line(f"first-render-{name}-256", seconds=seconds)
        for size in sizes:
            render(name, size, product, rounds)


if __name__ == "__main__":
    main()
