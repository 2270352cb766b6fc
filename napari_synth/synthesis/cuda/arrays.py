"""What goes to the device for an image, and what comes back."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from torch import Tensor

if TYPE_CHECKING:
    from napari_synth.models.registry import TrainedModel

Arrays = dict[str, np.ndarray]
Tensors = dict[str, Tensor]


class Drawn(NamedTuple):
    """What a network drew, on its device.

    Attributes
    ----------
    image : Tensor, shape (H, W) or (H, W, C)
        In the dtype of the image; 16 bit without sign as int16 of the same bits.
    finite : Tensor, shape (), bool
    """

    image: Tensor
    finite: Tensor


Draw = Callable[["TrainedModel", Tensors], Drawn]


def sent(arrays: Arrays, device: torch.device) -> Tensors:
    """Arrays on a device."""
    here = {name: torch.from_numpy(np.require(array, requirements=["C", "W"])) for name, array in arrays.items()}
    if device.type != "cuda":
        return {name: tensor.to(device) for name, tensor in here.items()}
    return {name: tensor.pin_memory().to(device, non_blocking=True) for name, tensor in here.items()}
