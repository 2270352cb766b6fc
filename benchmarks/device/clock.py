"""Times on a device, the two ceilings of the card, and what a network needs at least."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import torch
from torch import nn

RATES = {"float32": (torch.float32, False), "tf32": (torch.float32, True), "bfloat16": (torch.bfloat16, False)}


def wait(device: str) -> None:
    """Until the device has done all."""
    if device == "cuda":
        torch.cuda.synchronize()
    elif device == "mps":
        torch.mps.synchronize()


def milliseconds(run: Callable[[], object], device: str, rounds: int = 20, seconds: float = 3.0) -> float:
    """Median of a call that is waited for, after three that are not counted."""
    for _ in range(3):
        run()
    wait(device)
    taken: list[float] = []
    end = time.perf_counter() + seconds
    while len(taken) < 3 or (len(taken) < rounds and time.perf_counter() < end):
        start = time.perf_counter()
        run()
        wait(device)
        taken.append(1000 * (time.perf_counter() - start))
    return statistics.median(taken)


def in_a_row(run: Callable[[], object], device: str, count: int = 20) -> float:
    """Milliseconds of a call among many that are waited for together: without the way there and back."""
    run()
    wait(device)
    found = []
    for _ in range(3):
        start = time.perf_counter()
        for _ in range(count):
            run()
        wait(device)
        found.append(1000 * (time.perf_counter() - start) / count)
    return min(found)


def copy_rate(device: str) -> float:
    """Bytes per second of a copy on the device, those read and those written."""
    size = 2**29 if device == "cuda" else 2**27
    source = torch.rand(size // 4, device=device)
    target = torch.empty_like(source)
    return 2 * size / (in_a_row(lambda: target.copy_(source), device) / 1000)


def product_rate(device: str, kind: str) -> float:
    """Multiply-adds per second of a product of random matrices; of `RATES`."""
    dtype, tf32 = RATES[kind]
    side = 8192 if device == "cuda" else 2048
    one, other = (torch.randn(side, side, device=device, dtype=dtype) for _ in range(2))
    before, torch.backends.cuda.matmul.allow_tf32 = torch.backends.cuda.matmul.allow_tf32, tf32
    try:
        return side**3 / (in_a_row(lambda: one @ other, device, 5) / 1000)
    finally:
        torch.backends.cuda.matmul.allow_tf32 = before


def needs(network: nn.Module, run: Callable[[], object]) -> tuple[float, float]:
    """Multiply-adds of the convolutions of one run, and the bytes that they read and write at least."""
    found = [0.0, 0.0]

    def count(module: nn.Module, inputs: tuple, out: torch.Tensor) -> None:
        (read, *_) = inputs
        places = read if isinstance(module, nn.ConvTranspose2d) else out
        found[0] += places[:, 0].numel() * module.weight.numel()
        found[1] += sum(tensor.numel() * tensor.element_size() for tensor in (read, out, module.weight))

    hooks = [
        module.register_forward_hook(count)
        for module in network.modules()
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d)
    ]
    run()
    for hook in hooks:
        hook.remove()
    return found[0], found[1]


def peak_gb(device: str) -> float | None:
    """Memory at its peak since `forget_peak`, where the device says."""
    return torch.cuda.max_memory_allocated() / 2**30 if device == "cuda" else None


def forget_peak(device: str) -> None:
    """Begin to watch the peak."""
    if device == "cuda":
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
