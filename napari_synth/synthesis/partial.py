"""The exact partial update: only what an edit of the mask, of z or of an intervention reaches is computed again."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import TYPE_CHECKING

import numpy as np
import torch

from napari_synth.core.boxes import Box, whole
from napari_synth.core.errors import InputError
from napari_synth.core.outdated import Outdated
from napari_synth.core.progress import CancelToken
from napari_synth.nets.capspix2pix import STAGES, LatentPlane
from napari_synth.nets.probe import Edit, Probe
from napari_synth.synthesis.forward import check_latent, latent_of
from napari_synth.synthesis.generator import check_option
from napari_synth.synthesis.maps import BYTES_PER_PIXEL, StageMaps, canvas_of, needed_windows
from napari_synth.synthesis.padded import PaddedPlane, padded_side
from napari_synth.synthesis.watch import Watch

if TYPE_CHECKING:
    from napari_synth.models.registry import TrainedModel
    from napari_synth.synthesis.generator import Generator, RenderRequest
    from napari_synth.synthesis.live import Mode

MASK_BYTES = 8
"""Of a pixel of the mask plane and of the image."""
FLAG_BYTES = sum(1 / stage.factor**2 for stage in STAGES)
"""Of a pixel, to know what is out of date in each layer."""
NEAR = 24
"""During a stroke the image follows at once up to so many pixels around the brush."""


def bytes_needed(height: int, width: int) -> int:
    """Memory that the activations of a canvas take."""
    return int((BYTES_PER_PIXEL + MASK_BYTES + FLAG_BYTES) * height * width)


class PartialUpdate:
    """Keeps the activations of one mask, z and interventions, and redoes what a change of them reaches.

    The capsule generator has no norm and routes at every pixel by itself, so a change of the mask
    reaches about 70 pixels and no further. The result equals a full render to rounding (1e-5), after
    any sequence of changes.

    Parameters
    ----------
    model : TrainedModel
        A CapsPix2Pix generator.
    limit : int
        Bytes that may be kept.
    """

    def __init__(self, model: TrainedModel, limit: int):
        self._model = model
        self.limit = limit
        self.computed = 0
        """Output pixels of all layers computed in the last update."""
        self._maps: StageMaps | None = None
        self._outdated: dict[str, Outdated] = {}
        self._edits: dict[str, list[Edit]] = {}
        self._z: np.ndarray | None = None
        self._plane: PaddedPlane | None = None

    def fits(self, shape: tuple[int, ...]) -> bool:
        """Whether the activations of a mask of this size may be kept."""
        multiple = self._model.card.tile_multiple
        return bytes_needed(*(padded_side(side, multiple) for side in shape)) <= self.limit

    def too_large(self, shape: tuple[int, ...]) -> str:
        """The sentence for a mask that does not fit."""
        return (
            f"A mask of {shape[1]}×{shape[0]} pixels would keep {bytes_needed(*shape) / 2**30:.1f} GB of "
            f"activations, over the limit of {self.limit / 2**30:.1f} GB, so it is rendered whole."
        )

    @property
    def nbytes(self) -> int:
        """Bytes that are kept now."""
        if not self._maps:
            return 0
        return self._maps.nbytes + self._plane.values.nbytes + sum(flags.nbytes for flags in self._outdated.values())

    def forget(self) -> None:
        """Give the memory back."""
        self._maps = self._plane = None
        self._outdated.clear()

    @property
    def complete(self) -> bool:
        """Whether nothing is left for the next update."""
        return not any(self._outdated.values())

    def update(
        self,
        labels: np.ndarray,
        z: np.ndarray,
        edits: dict[str, list[Edit]] | None = None,
        boxes: Sequence[Box] | None = None,
        cancel: CancelToken | None = None,
        near: int | None = None,
    ) -> list[Box]:
        """Bring the image up to date.

        Parameters
        ----------
        labels : ndarray, shape (Y, X), int
            The mask as it is now.
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
            Where the image changed, cut to the mask.

        Raises
        ------
        InputError
            If the canvas is too large to be kept, see `fits`.
        Cancelled
        """
        if not self.fits(labels.shape):
            raise InputError(self.too_large(labels.shape), "Use a smaller mask, or render it whole.")
        self.computed = 0
        with torch.inference_mode():
            self._take_size(labels.shape)
            self._take_latent(z)
            self._take_edits(edits or {})
            changed = self._take_mask(labels, boxes)
            windows = self._windows(changed, near) if near is not None and changed else {}
            return self._run(labels.shape, windows, cancel or CancelToken())

    def image(self, box: Box) -> np.ndarray:
        """The image over a box, ``(y, x)`` float32 in [0, 1]."""
        return self._maps.image[box.top : box.bottom, box.left : box.right]

    def _take_size(self, shape: tuple[int, ...]) -> None:
        if self._plane is not None and self._plane.shape == shape:
            return
        card = self._model.card
        self._plane = PaddedPlane(shape, card.tile_multiple, card.mask_meaning)
        height, width = self._plane.values.shape
        windows = {stage.name: canvas_of(stage.name, height, width) for stage in STAGES}
        self._maps = StageMaps(self._model.network, height, width, windows, self._plane.over, None)
        self._outdated = {name: Outdated(canvas) for name, canvas in windows.items()}
        self._soil("conv1", whole(height, width))
        self._edits, self._z = {}, None

    def _take_latent(self, z: np.ndarray) -> None:
        if self._z is not None and np.array_equal(self._z, z):
            return
        self._z = np.array(z, np.float32)
        latent = torch.from_numpy(self._z)[None].to(self._model.device)
        self._maps.latent = LatentPlane(self._model.network, latent)
        self._soil("conv1", self._whole("conv1"))

    def _take_edits(self, edits: dict[str, list[Edit]]) -> None:
        for name in {*edits, *self._edits}:
            if edits.get(name, []) != self._edits.get(name, []):
                self._soil(name, self._whole(name))
        self._edits = {name: list(changes) for name, changes in edits.items()}

    def _take_mask(self, labels: np.ndarray, boxes: Sequence[Box] | None) -> list[Box]:
        changed = self._plane.update(labels, boxes)
        for box in changed:
            self._soil("conv1", self._maps.entered(box))
        return changed

    def _windows(self, changed: list[Box], near: int) -> dict[str, Box]:
        """What every layer must compute for the image around some boxes."""
        around = reduce(Box.around, changed).grown(near).within(self._plane.canvas)
        return needed_windows(self._model.network, around, *self._plane.values.shape)

    def _whole(self, name: str) -> Box:
        return canvas_of(name, *self._plane.values.shape)

    def _soil(self, name: str, box: Box) -> None:
        """A box of a layer must be computed again, and all that it reaches in later layers."""
        if box.area:
            self._outdated[name].add(box)
            for consumer, reached in self._maps.affected(name, box):
                self._soil(consumer, reached)

    def _run(self, shape: tuple[int, ...], windows: dict[str, Box], cancel: CancelToken) -> list[Box]:
        probe = Probe(edits=self._edits)
        boxes: list[Box] = []
        for stage in STAGES:
            outdated = self._outdated[stage.name]
            boxes = outdated.boxes(windows.get(stage.name))
            for box in boxes:
                for _ in self._maps.redo(stage.name, box, probe):
                    cancel.raise_if_cancelled()
                self.computed += box.area
            outdated.done(boxes)
        in_image = (box.within(whole(*shape)) for box in boxes)  # those of the last layer
        return [box for box in in_image if box.area]


class CapsuleFollower(PartialUpdate):
    """The partial update in the terms of a `RenderRequest`.

    Parameters
    ----------
    generator : Generator
        A CapsPix2Pix generator.
    limit : int
        Bytes that may be kept.
    precision : {'exact', 'fast'}
        With ``'fast'``, use it within `precision.computing`.
    """

    def __init__(self, generator: Generator, limit: int, precision: str = "exact"):
        super().__init__(generator.network_for(precision), limit)
        self._card = generator.card

    def follow(
        self, request: RenderRequest, boxes: Sequence[Box] | None, settled: bool, cancel: CancelToken | None
    ) -> tuple[list[Box], Mode]:
        """Bring the image up to date; where it changed, and whether all that the change reaches is done."""
        z = latent_of(request.seed) if request.z is None else check_latent(request.z, self._card.latent_size)
        probe = Watch(self._card, (), (), request.interventions).probe
        near = None if settled else NEAR
        changed = self.update(request.mask, z, probe.edits if probe else {}, boxes, cancel, near)
        return changed, "partial" if self.complete else "near"

    def pixels(self, box: Box) -> np.ndarray:
        """The image over a box, ``(y, x)`` uint8."""
        return (255 * self.image(box)).round().astype(np.uint8)

    def option(self, request: RenderRequest) -> str:
        """The name of the look."""
        return self._card.looks[check_option(self._card, request.option)].name if self._card.looks else ""
