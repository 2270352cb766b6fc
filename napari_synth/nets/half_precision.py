"""16-bit numbers at the end of a network."""

from __future__ import annotations

import torch
from torch import Tensor


def at_least_float32(x: Tensor) -> Tensor:
    """16-bit numbers as float32: near the ends of its range an output in 16 bit has steps that can be seen."""
    return x.float() if x.dtype in (torch.float16, torch.bfloat16) else x
