"""Routing on a GPU: in one kernel where Triton is installed."""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor

KNOWN = (1, 3)
"""Numbers of iterations that the kernel computes, forwards and backwards."""


def fits(votes: Tensor, iterations: int) -> bool:
    """Whether the kernel routes these votes."""
    return votes.device.type == "cuda" and votes.dtype != torch.float64 and iterations in KNOWN and works(votes.device)


@lru_cache(maxsize=8)
def works(device: torch.device) -> bool:
    """Whether the kernel can be built for a device, tried once."""
    try:
        from napari_synth.nets.routing_triton import FusedRoute

        votes = torch.ones(1, 2, 4, 1, 16, device=device)
        return bool(FusedRoute.apply(votes, 3).isfinite().all())  # type: ignore[no-untyped-call]
    except Exception:  # Triton is missing, or has no compiler, or does not know this GPU
        return False


def routed(votes: Tensor, iterations: int) -> Tensor:
    """Capsules ``[B, P, J, C]`` of votes ``[B, I, P, J, C]``, in the dtype of the votes; see `capsule.route`.

    In memory the output capsule comes before the place, so that the next convolution reads it as it is.
    """
    from napari_synth.nets.routing_triton import FusedRoute

    capsules: Tensor = FusedRoute.apply(votes, iterations)  # type: ignore[no-untyped-call]
    return capsules.permute(0, 2, 1, 3)
