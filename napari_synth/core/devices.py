"""Where torch computes: auto, cuda, mps or cpu."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from napari_synth.core import arguments
from napari_synth.core.errors import InputError, unknown_name

if TYPE_CHECKING:
    import torch

DEVICES = ("auto", "cuda", "mps", "cpu")
GRAPHS = "NAPARI_SYNTH_GRAPHS"
"""Environment variable; 0 switches off that the launches of an NVIDIA GPU are recorded and played back."""


def resolve_device(name: str = "auto") -> torch.device:
    """The torch device for a name in `DEVICES`.

    ``auto`` takes CUDA, then Apple's MPS, then the CPU.

    Raises
    ------
    InputError
        If the name is unknown or the device is not present.
    """
    import torch

    if arguments.text(name, "device") not in DEVICES:
        raise unknown_name("device", name, list(DEVICES))
    present = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if name == "auto":
        name = next(device for device in ("cuda", "mps", "cpu") if present[device])
    if not present[name]:
        raise InputError(f"This machine has no {name} device.", "Choose auto or cpu.")
    return torch.device(name)


def out_of_memory(error: RuntimeError) -> bool:
    """Whether torch raised it because a device, or the computer, has no memory left."""
    words = str(error).lower()
    return "out of memory" in words or "not enough memory" in words or "can't allocate memory" in words


def device_lost(error: RuntimeError) -> bool:
    """Whether a GPU answers no more: its driver was stopped, or a fault ended all that runs on it."""
    words = str(error).lower()
    return any(fault in words for fault in ("cuda error", "cudnn error", "cublas error", "device-side assert"))


def graphs_wanted() -> bool:
    """Whether launches on an NVIDIA GPU may be recorded as graphs."""
    return os.environ.get(GRAPHS, "1") != "0"


@contextmanager
def without_graphs() -> Iterator[None]:
    """Work is launched kernel by kernel."""
    before = os.environ.get(GRAPHS)
    os.environ[GRAPHS] = "0"
    try:
        yield
    finally:
        if before is None:
            del os.environ[GRAPHS]
        else:
            os.environ[GRAPHS] = before
