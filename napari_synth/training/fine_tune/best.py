"""The weights that were best on what is held out."""

from __future__ import annotations

import copy
import math
from typing import Any

import torch

from napari_synth.nets.styled import StyledPix2Pix


class BestSoFar:
    """Keeps the network of the least distance, and knows for how long there was no better one.

    Parameters
    ----------
    network : StyledPix2Pix
        Its weights are copied.
    patience : int
        Looks without a better one after which it is worn out.
    """

    def __init__(self, network: StyledPix2Pix, patience: int):
        self.network = copy.deepcopy(network).eval().requires_grad_(False)
        self.patience = patience
        self.least = self.last = math.inf
        self.since = self.seen = 0

    @property
    def worn_out(self) -> bool:
        """Whether there was no better one for as long as patience lasts."""
        return self.since >= self.patience

    def keep(self, network: StyledPix2Pix) -> None:
        """Take over the weights of a network."""
        self.network.load_state_dict(network.state_dict())

    def see(self, distance: float, network: StyledPix2Pix, worn: bool) -> None:
        """Compare a network, and keep it if it is the best; patience wears only if ``worn``."""
        self.last = distance
        self.seen += 1
        if distance < self.least:
            self.least, self.since = distance, 0
            self.keep(network)
        elif worn:
            self.since += 1

    def to(self, device: torch.device) -> None:
        """Move to a device."""
        self.network.to(device)

    def state_dict(self) -> dict[str, Any]:
        """What a resumed run needs."""
        numbers = {"least": self.least, "last": self.last, "since": self.since, "seen": self.seen}
        return {"numbers": numbers, "network": self.network.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        for name, value in state["numbers"].items():
            setattr(self, name, value)
        self.network.load_state_dict(state["network"])
