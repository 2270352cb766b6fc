"""Networks through torch's compiler, for many images of one size."""

from __future__ import annotations

from copy import copy
from dataclasses import replace
from typing import TYPE_CHECKING

import torch

from napari_synth.core.errors import InputError
from napari_synth.nets.capsule import CapsuleLayer

if TYPE_CHECKING:
    from napari_synth.models.registry import TrainedModel

COMPILED = ("forward", "decode", "drawn")
"""Methods of networks in which whole images are computed; `MetGen` decodes what it keeps of an anatomy, and the capsule
generator is given its latent plane on a GPU."""


def check_compiler(device: torch.device) -> None:
    """Raise `InputError` where nothing can be compiled."""
    try:
        torch.compile(lambda x: x + 1)(torch.zeros(8, device=device))
    except Exception as error:  # of many kinds, as many as there are ways to have no compiler
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
        raise InputError(
            f"Networks cannot be compiled on this machine: {reason}.",
            "Install a C++ compiler such as g++, or render without compiling.",
        ) from error


def compiled(model: TrainedModel) -> TrainedModel:
    """The same model, compiled anew for each size at its first image; the weights are shared.

    Capsules in float32 on the CPU stay as they are: their own loop is faster.
    """
    if _has_loop(model):
        return model
    network = copy(model.network)
    for name in COMPILED:
        if hasattr(network, name):
            setattr(network, name, torch.compile(getattr(model.network, name), dynamic=False))
    return replace(model, network=network)


def _has_loop(model: TrainedModel) -> bool:
    """Whether `winograd_cpu` computes most of the network."""
    layer = next((module for module in model.network.modules() if isinstance(module, CapsuleLayer)), None)
    if layer is None or model.device.type != "cpu" or layer.conv.weight.dtype != torch.float32:
        return False
    from napari_synth.nets import winograd_cpu

    return winograd_cpu.works()
