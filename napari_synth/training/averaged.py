"""A network whose weights are the running average of another's."""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import Tensor, nn


class AveragedNetwork:
    """The exponential average of a network's weights and of its norms' statistics.

    Each step of an adversarial training undoes some of the one before; the average has less noise than any
    of them. It begins short, so that the first weights are forgotten soon.

    Parameters
    ----------
    network : nn.Module
        The network that is trained.
    decay : float
        Weight of what was before, in [0, 1).
    """

    def __init__(self, network: nn.Module, decay: float):
        self.network = copy.deepcopy(network).eval().requires_grad_(False)
        self.decay = decay
        self._steps = 0

    @torch.no_grad()
    def update(self, network: nn.Module) -> None:
        """Take in the weights as they are after one step."""
        self._steps += 1
        decay = min(self.decay, self._steps / (self._steps + 20))
        names, new = zip(*_state(network).items(), strict=True)
        own = _state(self.network)
        averaged = [name for name in names if _is_averaged(name, own[name])]
        current = dict(zip(names, new, strict=True))
        torch._foreach_lerp_([own[name] for name in averaged], [current[name] for name in averaged], 1 - decay)
        for name in set(names) - set(averaged):
            own[name].copy_(current[name])

    def to(self, device: torch.device) -> None:
        """Move to the device of the network that is trained."""
        self.network.to(device)

    def state_dict(self) -> dict[str, Any]:
        """What a resumed run needs."""
        return {"steps": self._steps, "network": self.network.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self._steps = state["steps"]
        self.network.load_state_dict(state["network"])


def _state(network: nn.Module) -> dict[str, Tensor]:
    return dict(network.named_parameters()) | dict(network.named_buffers())


def _is_averaged(name: str, tensor: Tensor) -> bool:
    """Counters are copied, and so are the unit vectors of a spectral norm: a mean of two is shorter than 1."""
    return tensor.is_floating_point() and not name.endswith(("._u", "._v"))
