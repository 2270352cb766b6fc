"""CapsPix2Pix: a convolutional-capsule U-Net from an axon mask and a latent vector to an image (Bass et al. 2019)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from napari_synth.core.boxes import Box
from napari_synth.core.seeds import numpy_rng
from napari_synth.nets.capsule import CapsuleLayer
from napari_synth.nets.capsule_stages import STAGES
from napari_synth.nets.half_precision import at_least_float32
from napari_synth.nets.probe import Probe
from napari_synth.nets.receptive_windows import convolved
from napari_synth.nets.seeded_dropout import SeededDropout

LATENT_SIZE = 100
PLANE = 256
MULTIPLE = 8
BEYOND = ("reflection", "blocks")
LAST_USE = {name: stage.name for stage in STAGES for name in stage.inputs}
UNDROPPED = ("conv1", "convcaps10")


class CapsPix2PixGenerator(nn.Module):
    """Generator of CapsPix2Pix; 8 035 665 parameters, 6 619 136 of them in the latent plane.

    The latent vector becomes a 256×256 plane by a fully-connected layer and enters as a first image
    beside the mask. Skips join along the capsule axis. There is no norm, and no activation but the
    squash of the capsules and one LeakyReLU 0.01 after the first convolution.

    Parameters
    ----------
    dropout : float
        Probability with which a whole capsule is switched off; active exactly when noise is given.
    beyond : {'reflection', 'blocks'}
        How the latent plane goes on where a canvas is larger than it; see `LatentPlane`.

    Raises
    ------
    ValueError
        If ``beyond`` is neither.
    """

    def __init__(self, dropout: float = 0.5, beyond: str = "reflection"):
        super().__init__()
        if beyond not in BEYOND:
            raise ValueError(f"beyond must be one of {BEYOND}, not {beyond!r}")
        self.beyond = beyond
        self.fc = nn.Linear(LATENT_SIZE, PLANE * PLANE)
        self.conv1 = nn.Conv2d(2, 16, 5, 1, 2)
        self.convcaps1 = CapsuleLayer(16, 2, 16, 5, 2, 2)
        self.convcaps2 = CapsuleLayer(16, 4, 16, 5, 1, 2)
        self.convcaps3 = CapsuleLayer(16, 4, 32, 5, 2, 2)
        self.convcaps4 = CapsuleLayer(32, 8, 32, 5, 1, 2)
        self.convcaps5 = CapsuleLayer(32, 8, 64, 5, 2, 2)
        self.convcaps6 = CapsuleLayer(64, 8, 32, 5, 1, 2)
        self.deconvcaps1 = CapsuleLayer(32, 8, 32, 4, 2, 1, transposed=True)
        self.convcaps8 = CapsuleLayer(32, 4, 32, 5, 1, 2)
        self.deconvcaps2 = CapsuleLayer(32, 4, 16, 4, 2, 1, transposed=True)
        self.convcaps9 = CapsuleLayer(16, 4, 16, 5, 1, 2)
        self.deconvcaps3 = CapsuleLayer(16, 2, 16, 4, 2, 1, transposed=True)
        self.convcaps10 = CapsuleLayer(16, 1, 16, 1, 1, 0)
        self.conv2 = nn.Conv2d(16, 1, 1)
        self.dropout = SeededDropout(dropout, leading_axes=2)

    def latent_plane(self, z: Tensor, height: int, width: int) -> Tensor:
        """The latent vector as an image of any size; see `LatentPlane`.

        Parameters
        ----------
        z : Tensor, shape (B, 100)
        height, width : int

        Returns
        -------
        Tensor, shape (B, 1, height, width)
        """
        return LatentPlane(self, z).window(0, 0, height, width)

    def base_plane(self, z: Tensor) -> Tensor:
        """The latent vector as ``[B, 1, 256, 256]``."""
        values: Tensor = self.fc(z)
        return values.reshape(-1, 1, PLANE, PLANE)

    def entry(self, mask: Tensor, z: Tensor) -> Tensor:
        """What conv1 reads, ``[B, 2, H, W]``: the latent plane and the mask ``[B, 1, H, W]``."""
        return torch.cat([self.latent_plane(z, *mask.shape[-2:]), mask], dim=1)

    def forward(
        self, mask: Tensor, z: Tensor, noise: torch.Generator | None = None, probe: Probe | None = None
    ) -> Tensor:
        """Mask ``[B, 1, H, W]`` and latent ``[B, 100]`` to an image ``[B, 1, H, W]`` in [0, 1].

        Height and width must be multiples of 8.
        """
        return self.drawn(self.entry(mask, z), noise, probe)

    def drawn(self, x: Tensor, noise: torch.Generator | None = None, probe: Probe | None = None) -> Tensor:
        """What `entry` made, ``[B, 2, H, W]``, to an image; see `forward`."""
        maps: dict[str, Tensor] = {}
        for stage in STAGES:
            sources = [maps[name] for name in stage.inputs]
            x = self.layer(stage.name, joined(sources) if sources else x, probe)
            if stage.name not in UNDROPPED:
                x = self.dropout(x, noise)
            maps[stage.name] = x
            for name in stage.inputs:
                if LAST_USE[name] == stage.name:
                    del maps[name]
        return self.image(x)

    def layer(self, name: str, x: Tensor, probe: Probe | None = None, window: tuple[Box, Box] | None = None) -> Tensor:
        """One layer of `STAGES`: capsules ``[B, I, C, H, W]`` (``[B, 2, H, W]`` for conv1) to capsules.

        ``window``: see `CapsuleLayer.routed`.
        """
        module = getattr(self, name)
        if name == "conv1":
            out, coefficients = nn.functional.leaky_relu(convolved(module, x, window), 0.01)[:, None], None
        else:
            keep = probe is not None and name in probe.routing
            out, coefficients = module.routed(x, keep_coefficients=keep, window=window)
            coefficients = coefficients if keep else None
        return out if probe is None else probe(name, out, coefficients)

    def image(self, x: Tensor) -> Tensor:
        """The last capsules ``[B, 1, 16, H, W]`` to the image ``[B, 1, H, W]``."""
        return torch.sigmoid(at_least_float32(self.conv2(x[:, 0])))


def joined(maps: list[Tensor]) -> Tensor:
    """Capsule maps ``[B, I, C, H, W]`` one after the other, channels last in memory as convolutions read them."""
    if len(maps) == 1:
        return maps[0]
    return torch.cat([x.permute(0, 1, 3, 4, 2) for x in maps], dim=1).permute(0, 1, 4, 2, 3)


class LatentPlane:
    """The latent vector as an image without end, of which windows are taken.

    The network makes 256×256 pixels of it: a smaller canvas gets their upper left part. On a larger one they
    are mirrored (``beyond="reflection"``), or every further block of 256×256 is made of the vector with its
    numbers in another order and other signs (``beyond="blocks"``), which is as good a draw of N(0, 1), the same
    for the same block, and follows the vector smoothly.

    Parameters
    ----------
    network : CapsPix2PixGenerator
    z : Tensor, shape (B, 100)
    """

    def __init__(self, network: CapsPix2PixGenerator, z: Tensor):
        self._network = network
        self._z = z
        self._blocks: dict[tuple[int, int], Tensor] = {}

    @property
    def device(self) -> torch.device:
        """Where windows are made."""
        return self._z.device

    def window(self, top: int, left: int, bottom: int, right: int) -> Tensor:
        """Rows ``top … bottom - 1`` and columns ``left … right - 1``, none negative: ``[B, 1, height, width]``."""
        if self._network.beyond == "reflection":
            plane = self._block(0, 0)
            return plane[:, :, reflected(bottom, self.device, top)][..., reflected(right, self.device, left)]
        return torch.cat([self._row(i, rows, left, right) for i, rows in _parts(top, bottom)], dim=2)

    def _row(self, i: int, rows: slice, left: int, right: int) -> Tensor:
        return torch.cat([self._block(i, j)[:, :, rows, columns] for j, columns in _parts(left, right)], dim=3)

    def _block(self, i: int, j: int) -> Tensor:
        if (i, j) not in self._blocks:
            self._blocks[i, j] = self._network.base_plane(rearranged(self._z, i, j))
        return self._blocks[i, j]


def rearranged(z: Tensor, i: int, j: int) -> Tensor:
    """The numbers of ``[B, 100]`` in the order and with the signs of block (i, j); block (0, 0) is z itself."""
    if (i, j) == (0, 0):
        return z
    rng = numpy_rng("latent block", i, j)
    order, signs = rng.permutation(z.shape[1]), rng.choice((-1.0, 1.0), z.shape[1])
    return z[:, torch.from_numpy(order).to(z.device)] * torch.from_numpy(signs).to(z)


def _parts(start: int, stop: int) -> list[tuple[int, slice]]:
    """The blocks that a range of pixels lies in, each with its part of the block."""
    return [
        (block, slice(max(start - block * PLANE, 0), min(stop - block * PLANE, PLANE)))
        for block in range(start // PLANE, (stop - 1) // PLANE + 1)
    ]


class PlaneIndices(NamedTuple):
    """Where the rows, or the columns, of a window lie in the latent plane.

    Attributes
    ----------
    blocks : range
        The blocks of 256 pixels that are needed.
    within : ndarray of int64
        For each row its place in these blocks laid side by side.
    """

    blocks: range
    within: np.ndarray


def plane_indices(beyond: str, start: int, stop: int) -> PlaneIndices:
    """The rows or columns ``start … stop - 1`` of a latent plane without end; see `LatentPlane`."""
    if beyond == "reflection":
        return PlaneIndices(range(1), reflected(stop, None, start).numpy())
    first = start // PLANE
    return PlaneIndices(range(first, (stop - 1) // PLANE + 1), np.arange(start, stop) - first * PLANE)


def block_vectors(z: np.ndarray, rows: range, columns: range) -> np.ndarray:
    """The latent vector ``(100,)`` as each block reads it, ``(rows, columns, 100)`` float32; see `rearranged`."""
    vector = torch.from_numpy(z)[None]
    blocks: np.ndarray = torch.stack([rearranged(vector, i, j)[0] for i in rows for j in columns]).numpy()
    return blocks.reshape(len(rows), len(columns), -1)


def reflected(size: int, device: torch.device | None = None, start: int = 0) -> Tensor:
    """Indices 0…255, 254…1, 0… for the pixels ``start … size - 1`` of a plane of 256 continued by reflection."""
    period = 2 * (PLANE - 1)
    index = torch.arange(start, size, device=device) % period
    return torch.minimum(index, period - index)
