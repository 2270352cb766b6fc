"""Exact rendering in float32, and the fast choice: convolutions in 16 bit."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from copy import deepcopy
from dataclasses import replace
from threading import Lock
from typing import TYPE_CHECKING

import torch
from torch import nn

from napari_synth.core.errors import unknown_name
from napari_synth.core.recipe import PRECISIONS

if TYPE_CHECKING:
    from napari_synth.models.registry import TrainedModel

HALVED = (nn.Conv2d, nn.ConvTranspose2d, nn.Linear)
"""Modules whose weights are kept in 16 bit. Norms, routing and the output stay in float32."""


def check_precision(name: str) -> None:
    """Raise `InputError` when there is no such precision."""
    if name not in PRECISIONS:
        raise unknown_name("precision", name, list(PRECISIONS))


def half_dtype(device: torch.device) -> torch.dtype:
    """bfloat16, which overflows no sooner than float32; float16 where the device does not compute it."""
    if device.type == "mps" or (device.type == "cuda" and not torch.cuda.is_bf16_supported(False)):
        return torch.float16
    return torch.bfloat16


def halved(trained: TrainedModel) -> TrainedModel:
    """A copy of a model for `computing` with ``'fast'``."""
    network = deepcopy(trained.network)
    for module in network.modules():
        if isinstance(module, HALVED):
            module.to(half_dtype(trained.device))
    return replace(trained, network=network)


class _Exact:
    """How many renders want an NVIDIA GPU to be exact, for the whole process has one switch.

    Without it torch computes convolutions of float32 in TF32, of 10 bits, and some transposed ones add up in an order
    that is another one each time.
    """

    def __init__(self) -> None:
        self.renders = 0
        self.usual = (True, False)
        self.lock = Lock()

    @contextmanager
    def wanted(self) -> Iterator[None]:
        cudnn = torch.backends.cudnn
        with self.lock:
            if not self.renders:
                self.usual = cudnn.allow_tf32, cudnn.deterministic
                cudnn.allow_tf32, cudnn.deterministic = False, True
            self.renders += 1
        try:
            yield
        finally:
            with self.lock:
                self.renders -= 1
                if not self.renders:
                    cudnn.allow_tf32, cudnn.deterministic = self.usual


_exact = _Exact()


@contextmanager
def computing(device: torch.device, precision: str) -> Iterator[None]:
    """Inference, with 16-bit convolutions where the precision is ``'fast'``, else all of it in float32."""
    fast = torch.autocast(device.type, half_dtype(device)) if precision == "fast" else nullcontext()
    exact = _exact.wanted() if device.type == "cuda" else nullcontext()
    with torch.inference_mode(), fast, exact:
        yield
