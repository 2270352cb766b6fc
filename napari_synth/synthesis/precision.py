"""Exact rendering in float32, and the fast choice: convolutions in 16 bit."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from copy import deepcopy
from dataclasses import replace
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


@contextmanager
def computing(device: torch.device, precision: str) -> Iterator[None]:
    """Inference, with 16-bit convolutions where the precision is ``'fast'``."""
    fast = torch.autocast(device.type, half_dtype(device)) if precision == "fast" else nullcontext()
    with torch.inference_mode(), fast:
        yield
