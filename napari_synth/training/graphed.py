"""Networks in training whose launches are recorded: forwards and backwards in one launch each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from napari_synth.core.devices import graphs_wanted

if TYPE_CHECKING:
    from lightning_fabric import Fabric

Call = Callable[..., Tensor]


class GraphedCalls:
    """The calls of networks in a step: in the first one as they are, then as CUDA graphs.

    Only on one NVIDIA GPU, in float32. Each step must make the same calls in the same order, with inputs of the same
    shapes. Where networks change between training and evaluation the graphs are recorded anew; where that
    fails calls go on as they are.

    Parameters
    ----------
    fabric : Fabric
    """

    def __init__(self, fabric: Fabric):
        with fabric.autocast():
            autocasts = torch.is_autocast_enabled(fabric.device.type)
        one_gpu = fabric.device.type == "cuda" and fabric.world_size == 1
        self._usable = one_gpu and not autocasts and graphs_wanted()
        self._modes: tuple[bool, ...] = ()
        self._seen: list[tuple[nn.Module, tuple[Tensor, ...]]] = []
        self._graphs: list[Call] | None = None
        self._number = 0

    def begin(self, networks: Iterable[nn.Module]) -> None:
        """At the beginning of a step of these networks."""
        if not self._usable:
            return
        self._number = 0
        modes = tuple(module.training for network in networks for module in network.modules())
        if modes != self._modes:
            self._modes, self._graphs, self._seen = modes, None, []
        elif self._graphs is None and self._seen:
            try:
                self._graphs = graphed(self._seen)
            except RuntimeError:
                self._usable = False
            self._seen = []

    def __call__(self, network: nn.Module, *given: Tensor) -> Tensor:
        """What a network gives."""
        if self._usable and self._graphs is not None:
            self._number += 1
            return self._graphs[self._number - 1](*given)
        if self._usable:
            plain = getattr(network, "module", network)
            self._seen.append((plain, tuple(x.detach().requires_grad_(x.requires_grad) for x in given)))
        out: Tensor = network(*given)
        return out


class _Call(nn.Module):
    """One of several calls of a network in a step; each has a graph of its own."""

    def __init__(self, network: nn.Module):
        super().__init__()
        self.network = network

    def forward(self, *given: Tensor) -> Tensor:
        out: Tensor = self.network(*given)
        return out


def graphed(calls: Sequence[tuple[nn.Module, tuple[Tensor, ...]]]) -> list[Call]:
    """Calls of networks as graphs, in the order in which a step makes them; the networks stay as they are.

    Parameters
    ----------
    calls : sequence of (nn.Module, tuple of Tensor)
        Each network with inputs like those it will be given: their shapes, and whether they need a gradient.

    Raises
    ------
    RuntimeError
        If a network cannot be recorded.
    """
    kept = {buffer: buffer.clone() for network, _ in calls for buffer in network.buffers()}
    wrapped = tuple(_Call(network) for network, _ in calls)
    samples: Any = tuple(
        tuple(part.detach().clone().requires_grad_(part.requires_grad) for part in given) for _, given in calls
    )
    try:
        made: Any = torch.cuda.make_graphed_callables(wrapped, samples, allow_unused_input=True)
    finally:
        with torch.no_grad():  # recording runs the networks, which counts in their norms
            for buffer, before in kept.items():
                buffer.copy_(before)
    return list(made)
