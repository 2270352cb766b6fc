"""The exact partial update: only what an edit of the mask, of z or of an intervention reaches is computed again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce
from typing import TYPE_CHECKING

import numpy as np
import torch

from napari_synth.core.boxes import Box, full_box
from napari_synth.core.progress import CancelToken
from napari_synth.core.recipe import Precision
from napari_synth.nets.capspix2pix import CapsPix2PixGenerator, LatentPlane
from napari_synth.nets.capsule_stages import STAGES
from napari_synth.nets.probe import Edit, Probe
from napari_synth.synthesis.capsules.access import edits_of
from napari_synth.synthesis.capsules.windows import BYTES_PER_PIXEL, StageMaps, needed_windows, stage_box
from napari_synth.synthesis.latents.vectors import latent_for
from napari_synth.synthesis.live.follower import BoundedFollower, Mode
from napari_synth.synthesis.live.mask_plane import PaddedPlane
from napari_synth.synthesis.live.stale_pixels import StalePixels
from napari_synth.synthesis.network_io import network_of
from napari_synth.synthesis.padding import padded_side
from napari_synth.synthesis.precision import computing
from napari_synth.synthesis.threads import threads_for

if TYPE_CHECKING:
    from napari_synth.models.registry import TrainedModel
    from napari_synth.synthesis.request import RenderRequest

MASK_BYTES = 8
"""Of a pixel of the mask plane and of the image."""
FLAG_BYTES = sum(1 / stage.factor**2 for stage in STAGES)
"""Of a pixel, to know what is out of date in each layer."""
NEAR = 24
"""During a stroke the image follows at once up to so many pixels around the brush."""


class PartialUpdate:
    """Keeps the activations of one mask, z and interventions, and redoes what a change of them reaches.

    The capsule generator has no norm and routes at every pixel by itself, so a change of the mask
    reaches about 70 pixels and no further. The result equals a full render to rounding (1e-5), after
    any sequence of changes.

    Parameters
    ----------
    model : TrainedModel
        A CapsPix2Pix generator.
    labels : ndarray, shape (Y, X), int
        The mask; its size stays.
    z : ndarray, shape (100,)
    precision : {'exact', 'fast'}
        ``'fast'`` for a model that computes in 16 bit.
    """

    def __init__(self, model: TrainedModel, labels: np.ndarray, z: np.ndarray, precision: Precision = "exact"):
        self._model, self._precision = model, precision
        self._network = network_of(model, CapsPix2PixGenerator)
        self.computed = 0
        """Output pixels of all layers computed in the last update."""
        self._plane = PaddedPlane(labels, model.card.tile_multiple, model.card.mask_meaning)
        self._edits: dict[str, list[Edit]] = {}
        self._z = np.array(z, np.float32)
        height, width = self._plane.values.shape
        windows = {stage.name: stage_box(stage.name, height, width) for stage in STAGES}
        self._maps = StageMaps(self._network, height, width, windows, self._plane.over, self._latent_plane())
        self._stale = {name: StalePixels(canvas) for name, canvas in windows.items()}
        self._soil("conv1", full_box(height, width))

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the mask."""
        return self._plane.shape

    @property
    def nbytes(self) -> int:
        """Bytes that are kept now."""
        return self._maps.nbytes + self._plane.values.nbytes + sum(flags.nbytes for flags in self._stale.values())

    @property
    def complete(self) -> bool:
        """Whether nothing is left for the next update."""
        return not any(self._stale.values())

    def update(
        self,
        labels: np.ndarray,
        z: np.ndarray,
        edits: Mapping[str, Sequence[Edit]] | None = None,
        boxes: Sequence[Box] | None = None,
        cancel: CancelToken | None = None,
        near: int | None = None,
    ) -> list[Box]:
        """Bring the image up to date.

        Parameters
        ----------
        labels : ndarray, shape (Y, X), int
            The mask as it is now, of the same size.
        z : ndarray, shape (100,)
        edits : dict
            Interventions by layer.
        boxes : sequence of Box, optional
            Where the mask may have changed since the last call; everywhere when not given.
        cancel : CancelToken, optional
            Asked between strips. What was not reached is done by the next call.
        near : int, optional
            Compute only so many pixels around what changed in the mask. What it reaches beyond them stays
            as it was, until a call without ``near`` or without a change.

        Returns
        -------
        list of Box
            Where the image changed, cut to the mask; everywhere at first.

        Raises
        ------
        Cancelled
        """
        self.computed = 0
        with computing(self._model.device, self._precision):
            self._take_latent(z)
            self._take_edits(edits or {})
            changed = self._take_mask(labels, boxes)
            windows = self._windows(changed, near) if near is not None and changed else {}
            return self._run(windows, cancel or CancelToken())

    def image(self, box: Box) -> np.ndarray:
        """The image over a box, ``(y, x)`` float32 in [0, 1]."""
        return self._maps.image[box.top : box.bottom, box.left : box.right]

    def _latent_plane(self) -> LatentPlane:
        return LatentPlane(self._network, torch.from_numpy(self._z)[None].to(self._model.device))

    def _take_latent(self, z: np.ndarray) -> None:
        if np.array_equal(self._z, z):
            return
        self._z = np.array(z, np.float32)
        self._maps.latent = self._latent_plane()
        self._soil("conv1", self._whole("conv1"))

    def _take_edits(self, edits: Mapping[str, Sequence[Edit]]) -> None:
        now = {name: list(changes) for name, changes in edits.items()}
        for name in {*now, *self._edits}:
            if now.get(name, []) != self._edits.get(name, []):
                self._soil(name, self._whole(name))
        self._edits = now

    def _take_mask(self, labels: np.ndarray, boxes: Sequence[Box] | None) -> list[Box]:
        changed = self._plane.update(labels, boxes)
        for box in changed:
            self._soil("conv1", self._maps.entered(box))
        return changed

    def _windows(self, changed: list[Box], near: int) -> dict[str, Box]:
        """What every layer must compute for the image around some boxes."""
        around = reduce(Box.around, changed).grown(near).within(self._plane.canvas)
        return needed_windows(self._network, around, *self._plane.values.shape)

    def _whole(self, name: str) -> Box:
        return stage_box(name, *self._plane.values.shape)

    def _soil(self, name: str, box: Box) -> None:
        """A box of a layer must be computed again, and all that it reaches in later layers."""
        if box.area:
            self._stale[name].add(box)
            for consumer, reached in self._maps.affected(name, box):
                self._soil(consumer, reached)

    def _run(self, windows: dict[str, Box], cancel: CancelToken) -> list[Box]:
        probe = Probe(edits=self._edits)
        boxes: list[Box] = []
        for stage in STAGES:
            stale = self._stale[stage.name]
            boxes = stale.boxes(windows.get(stage.name))
            for box in boxes:
                with threads_for(box.area * stage.factor**2, self._model.device):
                    for _ in self._maps.redo(stage.name, box, probe):
                        cancel.raise_if_cancelled()
                self.computed += box.area
            stale.done(boxes)
        in_image = (box.within(full_box(*self.shape)) for box in boxes)  # those of the last layer
        return [box for box in in_image if box.area]


class FollowedAxons(PartialUpdate):
    """The partial update in the terms of a `RenderRequest`; see `FollowedMask`.

    Parameters
    ----------
    model : TrainedModel
        A CapsPix2Pix generator, as it computes with the precision.
    request : RenderRequest
    precision : {'exact', 'fast'}
    """

    def __init__(self, model: TrainedModel, request: RenderRequest, precision: Precision):
        self._card = model.card
        super().__init__(model, request.mask, self._latent(request), precision)

    def follow(
        self, request: RenderRequest, boxes: Sequence[Box] | None, settled: bool, cancel: CancelToken
    ) -> tuple[list[Box], Mode]:
        """Bring the image up to date; where it changed, and whether all that the change reaches is done."""
        edits = edits_of(STAGES, request.interventions, self._card.id)
        near = None if settled else NEAR
        changed = self.update(request.mask, self._latent(request), edits, boxes, cancel, near)
        return changed, "partial" if self.complete else "near"

    def pixels(self, box: Box) -> np.ndarray:
        """The image over a box, ``(y, x)`` uint8."""
        return (255 * self.image(box)).round().astype(np.uint8)

    def _latent(self, request: RenderRequest) -> np.ndarray:
        return latent_for(request.z, request.seed, self._card.latent_size)


class CapsuleFollower(BoundedFollower):
    """Follows the masks of a CapsPix2Pix generator exactly, near the brush first."""

    def needed(self, shape: tuple[int, ...]) -> int:
        """Bytes that the activations of a mask of this size take."""
        height, width = (padded_side(side, self.model.card.tile_multiple) for side in shape)
        return int((BYTES_PER_PIXEL + MASK_BYTES + FLAG_BYTES) * height * width)

    def begin(self, request: RenderRequest) -> FollowedAxons:
        """What is kept for the mask of a request."""
        return FollowedAxons(self.model, request, self.precision)
