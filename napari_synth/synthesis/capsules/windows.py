"""Activations of the capsule generator over windows of a canvas: the ground of partial updates and of tiles."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator

import numpy as np
import torch
from torch import Tensor

from napari_synth.core.boxes import Box, full_box, strips
from napari_synth.nets.capspix2pix import LAST_USE, CapsPix2PixGenerator, LatentPlane
from napari_synth.nets.capsule_stages import STAGES
from napari_synth.nets.probe import Probe
from napari_synth.nets.receptive_windows import Reach

STAGE = {stage.name: stage for stage in STAGES}
INPUT_CAPSULES = {stage.name: sum(STAGE[name].capsules for name in stage.inputs) for stage in STAGES}
CONSUMERS = {stage.name: [other.name for other in STAGES if stage.name in other.inputs] for stage in STAGES}
VOTES_BYTES = 16 * 2**20
"""What the votes of one strip may take."""
BYTES_PER_PIXEL = 4 * sum(
    stage.capsules * stage.channels / stage.factor**2 for stage in STAGES if CONSUMERS[stage.name]
)
"""Of all activations that a later layer reads, float32."""

Sink = Callable[[str, Box, Tensor, Tensor | None], None]


def reaches(network: CapsPix2PixGenerator) -> dict[str, Reach]:
    """Kernel, stride and padding of each layer."""
    return {name: Reach.of(getattr(getattr(network, name), "conv", getattr(network, name))) for name in STAGE}


def stage_box(name: str, height: int, width: int) -> Box:
    """A layer's whole map for a canvas of this size."""
    factor = STAGE[name].factor
    return full_box(height // factor, width // factor)


def needed_windows(network: CapsPix2PixGenerator, box: Box, height: int, width: int) -> dict[str, Box]:
    """The window of every layer that the image needs over a box, on a canvas of this size."""
    windows = {"convcaps10": box}
    reach = reaches(network)
    for stage in reversed(STAGES):
        for name in stage.inputs:
            needed = reach[stage.name].needed(windows[stage.name]).within(stage_box(name, height, width))
            windows[name] = windows[name].around(needed) if name in windows else needed
    return windows


class StageMaps:
    """Activations of every layer over one window each.

    Parameters
    ----------
    network : CapsPix2PixGenerator
    height, width : int
        Size of the canvas, multiples of 8.
    windows : dict of Box
        Where the map of each layer lies in the layer's canvas.
    plane : callable
        The mask channel over a box, ``(y, x)`` float32.
    latent : LatentPlane
        May be exchanged between calls of `redo`.

    Attributes
    ----------
    maps : dict of Tensor, shape (capsule, y, x, channel)
        Empty at first; filled by `redo`.
    image : ndarray, shape (y, x), float32
        The image over the window of the last layer.
    """

    def __init__(
        self,
        network: CapsPix2PixGenerator,
        height: int,
        width: int,
        windows: dict[str, Box],
        plane: Callable[[Box], np.ndarray],
        latent: LatentPlane,
    ):
        self.network = network
        self.height, self.width = height, width
        self.windows = windows
        self.plane = plane
        self.latent = latent
        self.maps: dict[str, Tensor] = {}
        last = windows["convcaps10"]
        self.image = np.zeros((last.height, last.width), np.float32)
        self._reach = reaches(network)

    @property
    def nbytes(self) -> int:
        """Memory of the activations and the image."""
        return sum(values.numel() * values.element_size() for values in self.maps.values()) + self.image.nbytes

    def redo(self, name: str, box: Box, probe: Probe | None = None, sink: Sink | None = None) -> Iterator[None]:
        """Compute a layer over a box of its canvas, strip by strip; yields after each strip.

        ``probe`` edits the activation; ``sink`` is given each strip's name, box, activation
        ``(1, I, C, y, x)`` and routing coefficients.
        """
        stage = STAGE[name]
        votes = 4 * max(1, INPUT_CAPSULES[name]) * stage.capsules * stage.channels
        for strip in strips(box, VOTES_BYTES // votes):
            origin = self._reach[name].needed(strip).within(self._input_canvas(name))
            x = self._input(name, origin)
            out = self.network.layer(name, x, probe, (origin, strip))
            self._keep(name, strip, out)
            if sink is not None:
                sink(name, strip, out, probe.coefficients.pop(name, None) if probe else None)
            yield

    def affected(self, name: str, box: Box) -> list[tuple[str, Box]]:
        """The layers that read this one, and where a box of it changes them."""
        found = []
        for consumer in CONSUMERS[name]:
            changed = self._reach[consumer].affected(box)
            found.append((consumer, changed.within(stage_box(consumer, self.height, self.width))))
        return found

    def entered(self, box: Box) -> Box:
        """Where a box of the mask changes the first layer."""
        return self._reach["conv1"].affected(box).within(full_box(self.height, self.width))

    def _input_canvas(self, name: str) -> Box:
        inputs = STAGE[name].inputs
        return stage_box(inputs[0], self.height, self.width) if inputs else full_box(self.height, self.width)

    def _input(self, name: str, origin: Box) -> Tensor:
        inputs = STAGE[name].inputs
        if not inputs:
            latent = self.latent.window(origin.top, origin.left, origin.bottom, origin.right)
            mask = torch.from_numpy(np.ascontiguousarray(self.plane(origin))).to(latent.device)
            return torch.cat([latent, mask[None, None]], dim=1)
        parts = [self.maps[source][(slice(None), *origin.seen_from(self.windows[source]))] for source in inputs]
        joined = torch.cat(parts) if len(parts) > 1 else parts[0].contiguous()
        return joined.permute(0, 3, 1, 2)[None]

    def _keep(self, name: str, box: Box, out: Tensor) -> None:
        window = self.windows[name]
        if not CONSUMERS[name]:
            self.image[box.seen_from(window)] = self.network.image(out)[0, 0].float().cpu().numpy()
            return
        if name not in self.maps:
            stage = STAGE[name]
            self.maps[name] = out.new_empty(stage.capsules, window.height, window.width, stage.channels)
        self.maps[name][(slice(None), *box.seen_from(window))] = out[0].permute(0, 2, 3, 1)


def render_window(
    maps: StageMaps, probe: Probe | None = None, sink: Sink | None = None, wanted: Collection[str] = ()
) -> Iterator[None]:
    """Compute all layers over their windows, and drop each after its last use.

    Layers in ``wanted`` go to the sink.
    """
    for stage in STAGES:
        yield from maps.redo(stage.name, maps.windows[stage.name], probe, sink if stage.name in wanted else None)
        for name in stage.inputs:
            if LAST_USE[name] == stage.name:
                del maps.maps[name]
