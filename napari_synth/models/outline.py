"""The shapes of a network's tensors, without their memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

from napari_synth.models.architectures import build

UNCHANGED = ("normalize", "div", "clone")
"""What keeps the shape of its first argument, in the spectral norm that measures a new weight."""


class _ShapesAlone(TorchFunctionMode):
    """Leaves out the numbers of new weights: even without memory torch would load a tenth of itself for them."""

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        if args and isinstance(args[0], torch.Tensor) and args[0].is_meta:
            first, name = args[0], getattr(func, "__name__", "")
            if name in UNCHANGED or (name.endswith("_") and not name.startswith("_")):
                return first
            if name == "mv":
                return first.new_empty(first.shape[0])
            if name == "vdot":
                return first.new_empty(())
        return func(*args, **(kwargs or {}))


def outline(architecture: str, **hyper: Any) -> dict[str, tuple[int, ...]]:
    """The shape of every tensor in the state of a network, by name."""
    with torch.device("meta"), _ShapesAlone():
        network = build(architecture, **hyper)
    return {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}
