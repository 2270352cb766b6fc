"""What a step reads, made in another thread while the device computes the step before."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, TypeVar

import torch
from torch import Tensor

Made = TypeVar("Made")


class Ahead(Generic[Made]):
    """Calls a function of the step's number, and meanwhile for the next step.

    Parameters
    ----------
    make : callable
        Depends on the number alone.
    device : torch.device
        On the CPU nothing is made before its time: it would take the time of the step.
    """

    def __init__(self, make: Callable[[int], Made], device: torch.device):
        self._make = make
        self._threads = ThreadPoolExecutor(1, "batches") if device.type == "cuda" else None
        self._next: tuple[int, Future[Made]] | None = None

    def __call__(self, step: int) -> Made:
        if self._threads is None:
            return self._make(step)
        waiting, self._next = self._next, None
        made = waiting[1].result() if waiting is not None and waiting[0] == step else self._make(step)
        self._next = step + 1, self._threads.submit(self._make, step + 1)
        return made


def sent(tensor: Tensor, device: torch.device) -> Tensor:
    """A tensor on a device; a GPU fetches it without anybody waiting."""
    if device.type != "cuda":
        return tensor.to(device)
    return tensor.pin_memory().to(device, non_blocking=True)
