"""Styles while training: a memory of codes to draw from, and the bank that a model ships."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from napari_synth.nets.styled import StyleEncoder


class StyleMemory(nn.Module):
    """Codes lately read off real images, by option; new ones replace old ones at random.

    Codes drawn from N(0, 1) leave what real images give, and images made of them break. A style drawn here is
    the code of one image, in half of the cases mixed with that of another one.

    Parameters
    ----------
    options, size, style_size : int
        Codes per option, numbers per code.
    """

    def __init__(self, options: int, size: int, style_size: int):
        super().__init__()
        self.mean: Tensor
        self.spread: Tensor
        self.register_buffer("mean", torch.randn(options, size, style_size))
        self.register_buffer("spread", torch.ones(options, size, style_size))

    def _slots(self, numbers: Tensor, draw: torch.Generator) -> Tensor:
        return torch.randint(self.mean.shape[1], numbers.shape, generator=draw, device=numbers.device)

    def keep(self, numbers: Tensor, mean: Tensor, spread: Tensor, draw: torch.Generator) -> None:
        """Remember codes ``[B, S]`` and their standard deviations, of the options ``numbers``."""
        slots = self._slots(numbers, draw)
        self.mean[numbers, slots] = mean.detach()
        self.spread[numbers, slots] = spread.detach()

    def draw(self, numbers: Tensor, draw: torch.Generator) -> tuple[Tensor, Tensor]:
        """A code for each of the options ``numbers``, and its standard deviation, ``[B, S]`` each."""
        one, other = self._slots(numbers, draw), self._slots(numbers, draw)
        share = (2 * torch.rand(len(numbers), 1, generator=draw, device=numbers.device) - 1).clamp(min=0)
        mean = torch.lerp(self.mean[numbers, one], self.mean[numbers, other], share)
        return mean, self.spread[numbers, one]


def greedy_medoids(points: np.ndarray, count: int, rounds: int = 20) -> np.ndarray:
    """Indices of ``count`` of the points such that all lie near one of them.

    Greedy choice (BUILD of PAM, Kaufman & Rousseeuw 1990), then assignment and new medoids in turn.

    Parameters
    ----------
    points : ndarray, shape (N, D)
    count : int
        At most N.

    Returns
    -------
    ndarray, shape (count,), int
        Sorted.
    """
    distance = np.linalg.norm(points[:, None] - points[None], axis=-1)
    chosen: list[int] = []
    nearest = np.full(len(points), np.inf)
    for _ in range(count):
        cost = np.minimum(nearest[:, None], distance).sum(0)
        cost[chosen] = np.inf
        chosen.append(int(cost.argmin()))
        nearest = np.minimum(nearest, distance[:, chosen[-1]])
    for _ in range(rounds):
        owner = distance[:, chosen].argmin(1)
        owner[chosen] = np.arange(count)
        better = []
        for cluster in range(count):
            members = np.flatnonzero(owner == cluster)
            better.append(int(members[distance[np.ix_(members, members)].sum(0).argmin()]))
        if better == chosen:
            break
        chosen = better
    return np.sort(chosen)


@torch.no_grad()
def read_styles(encoder: StyleEncoder, batches: list[tuple[Tensor, Tensor]]) -> tuple[np.ndarray, np.ndarray]:
    """Codes and their standard deviations of batches of (conditions, images), ``(N, S)`` each."""
    means, spreads = [], []
    for conditions, images in batches:
        mean, log_variance = encoder(conditions, images)
        means.append(mean.cpu())
        spreads.append((log_variance / 2).exp().cpu())
    return torch.cat(means).numpy(), torch.cat(spreads).numpy()
