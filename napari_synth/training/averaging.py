"""A running average of a network's weights, which gives steadier images than the last step's."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import torch
from torch import nn


class AveragedNetwork:
    """Exponential average of weights and of BatchNorm's statistics; ``network`` is ready to be used.

    Parameters
    ----------
    network : nn.Module
        What it starts from.
    decay : float
        How much of the average stays at each step; less during the first ones.
    """

    def __init__(self, network: nn.Module, decay: float):
        self.network = deepcopy(network).eval().requires_grad_(False)
        self.decay = decay

    @torch.no_grad()
    def update(self, network: nn.Module, step: int) -> None:
        """Take in the weights after ``step`` (from 0)."""
        share = 1 - min(self.decay, (step + 1) / (step + 20))
        mine, new = self.network.state_dict(), network.state_dict()
        floats = [name for name, value in mine.items() if value.is_floating_point()]
        torch._foreach_lerp_([mine[name] for name in floats], [new[name].detach() for name in floats], share)
        for name in mine.keys() - set(floats):
            mine[name].copy_(new[name])

    def state_dict(self) -> dict[str, Any]:
        return self.network.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.network.load_state_dict(state)
