"""The capsule generator beside its published arrangement."""

from __future__ import annotations

import copy
import subprocess
import sys
import warnings
from unittest.mock import patch

import torch
from torch import nn

from benchmarks import plain_capsules
from benchmarks.timing import interleaved, line, matrix_product
from napari_synth.models.defaults import DEFAULT_CAPSULES
from napari_synth.models.registry import load_trained
from napari_synth.nets import winograd_cpu
from napari_synth.nets.capspix2pix import STAGES, CapsPix2PixGenerator
from napari_synth.nets.discriminators import DCGANDiscriminator

PEAK = """
import numpy as np, napari_synth as ns
from benchmarks.timing import peak_gigabytes
mask = np.zeros(({size}, {size}), int); mask[100:140, 100:150] = 1
ns.load_model("{model}", "cpu").render(mask, seed=1)
print(peak_gigabytes())
"""


def multiply_adds(size: int) -> float:
    """Multiply-adds of all convolutions for one image of ``size`` squared."""
    channels = {stage.name: stage.channels for stage in STAGES}
    counts = {stage.name: stage.capsules for stage in STAGES}
    network = CapsPix2PixGenerator()
    total = size**2 * 2 * 16 * 25 + size**2 * 16
    for stage in STAGES[1:]:
        convolution = getattr(network, stage.name).conv
        inputs = sum(counts[name] for name in stage.inputs)
        kernel = convolution.weight[0, 0].numel()
        places = (size // stage.factor) ** 2
        if isinstance(convolution, nn.ConvTranspose2d):
            places //= 4
        total += inputs * places * kernel * channels[stage.inputs[0]] * stage.capsules * stage.channels
    return total


def forward(sizes: tuple[int, ...] = (256, 512, 1024), rounds: int = 7) -> None:
    """One image: published arrangement, ours, with torch's convolutions, and compiled where a compiler is there."""
    ours = load_trained(DEFAULT_CAPSULES, "cpu").network
    plain = copy.deepcopy(ours)
    ours.to(memory_format=torch.channels_last)
    for size in sizes:
        mask, z = (torch.rand(1, 1, size, size) > 0.9).float(), torch.randn(1, 100)
        with torch.inference_mode():
            runs = {
                "plain": lambda m=mask, z=z: plain_capsules.forward(plain, m, z),
                "ours": lambda m=mask, z=z: ours(m, z),
            }
            if size == sizes[0]:
                runs["torch"] = patch.object(winograd_cpu, "fits", lambda *_: False)(runs["ours"])
            difference = float((runs["plain"]() - runs["ours"]()).abs().max())
            if size == sizes[0] and (compiled := _compiled(ours, mask, z)) is not None:
                runs["compiled"] = lambda m=mask, z=z: compiled(m, z)
            times = interleaved(runs, rounds)
            limit = multiply_adds(size) / 1024**3 * matrix_product()
        line(
            f"capsules-forward-{size}",
            ms=times["ours"],
            plain_ms=times["plain"],
            speedup=times["plain"] / times["ours"],
            limit_ms=limit,
            percent_of_limit=100 * limit / times["ours"],
            largest_difference=difference,
            **({"against_torch_convolutions": times["torch"] / times["ours"]} if "torch" in times else {}),
            **({"compiled_speedup": times["plain"] / times["compiled"]} if "compiled" in times else {}),
        )


def _compiled(network: nn.Module, mask: torch.Tensor, z: torch.Tensor):
    """The network through torch.compile; None where there is no compiler."""
    torch._dynamo.config.recompile_limit = 64
    compiled = torch.compile(network, dynamic=False)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compiled(mask, z)
    except Exception as error:  # inductor raises many kinds where the compiler is missing
        line("capsules-compiled", skipped=type(error).__name__)
        return None
    return compiled


def train_step(rounds: int = 7) -> None:
    """Forward and backward of both networks at batch 1, with weights of which the capsules are present."""
    ours = load_trained(DEFAULT_CAPSULES, "cpu").network.requires_grad_(True)
    plain = copy.deepcopy(ours)
    ours.to(memory_format=torch.channels_last)
    judge = DCGANDiscriminator(2, 64)
    mask, z, real = (torch.rand(1, 1, 256, 256) > 0.9).float(), torch.randn(1, 100), torch.rand(1, 1, 256, 256)

    def step(render, network):
        fake = render(mask, z, torch.Generator().manual_seed(1))
        for image in (real, fake.detach()):
            judge(torch.cat([image, mask], 1)).mean().backward()
        (judge(torch.cat([fake, mask], 1)).mean() + (fake - real).abs().mean()).backward()
        network.zero_grad()
        judge.zero_grad()

    times = interleaved(
        {
            "plain": lambda: step(lambda *a: plain_capsules.forward(plain, *a), plain),
            "ours": lambda: step(ours, ours),
        },
        rounds,
    )
    line("capsules-train-step", ms=times["ours"], plain_ms=times["plain"], speedup=times["plain"] / times["ours"])


def memory() -> None:
    """Peak memory of a process that renders 1024² once."""
    code = PEAK.format(size=1024, model=DEFAULT_CAPSULES)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    line("capsules-memory-1024", gigabytes=float(done.stdout))


def main(sizes: tuple[int, ...] = (256, 512, 1024), rounds: int = 7) -> None:
    """Run all: ``python -m benchmarks.capsules``."""
    torch.manual_seed(0)
    forward(sizes, rounds)
    train_step(rounds)
    memory()


if __name__ == "__main__":
    main()
