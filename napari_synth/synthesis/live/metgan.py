"""Following a label over one anatomy: the image path is kept, the label path and the decoder run again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn

from napari_synth.core.boxes import Box, bounds_of, full_box
from napari_synth.core.progress import CancelToken
from napari_synth.core.recipe import Precision
from napari_synth.nets.metgan import MetGen
from napari_synth.synthesis.cuda.drawings import METGAN
from napari_synth.synthesis.live.follower import BoundedFollower, Mode
from napari_synth.synthesis.live.mask_plane import PaddedPlane
from napari_synth.synthesis.network_io import (
    ForwardRequest,
    anatomy_features,
    network_of,
    output_scale,
    signal_of,
)
from napari_synth.synthesis.padding import padded_side, padded_to
from napari_synth.synthesis.precision import computing
from napari_synth.synthesis.request import needed_condition
from napari_synth.synthesis.threads import threads_for

if TYPE_CHECKING:
    from napari_synth.models.registry import TrainedModel
    from napari_synth.synthesis.request import RenderRequest


class FollowedSignal:
    """Keeps what MetGen's image path made of one anatomy, and redoes the rest for an edited label.

    The image path does not see the label. The label path begins at 1/32 of the size and passes three
    convolutions there, so a stroke reaches some hundred pixels, and the whole frame is computed. The
    result is that of a full render. See `FollowedMask`.

    Parameters
    ----------
    model : TrainedModel
        A MetGAN generator, as it computes with the precision.
    request : RenderRequest
    precision : {'exact', 'fast'}

    Raises
    ------
    InputError
        If the anatomy cannot be used.
    """

    def __init__(self, model: TrainedModel, request: RenderRequest, precision: Precision):
        self._model, self._card, self._precision = model, model.card, precision
        image = needed_condition(model.card, request.condition, request.mask.shape)
        self._given, self._seed = request.condition, request.seed
        self._take(image, request.seed)
        self._plane = PaddedPlane(request.mask, model.card.tile_multiple, model.card.mask_meaning)
        self._image = np.zeros(request.mask.shape, output_scale(model.card).dtype)
        self._stale = True

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the mask."""
        return self._plane.shape

    @property
    def nbytes(self) -> int:
        """Bytes that are kept now."""
        arrays = [self._image, self._plane.values, *([] if self._given is None else [self._given])]
        arrays += [self._anatomy] if not self._features else []
        tensors = sum(tensor.numel() * tensor.element_size() for tensor in self._features)
        return tensors + sum(array.nbytes for array in arrays)

    def pixels(self, box: Box) -> np.ndarray:
        """The image over a box, in the dtype of the card's output."""
        return self._image[box.top : box.bottom, box.left : box.right]

    def follow(
        self, request: RenderRequest, boxes: Sequence[Box] | None, settled: bool, cancel: CancelToken
    ) -> tuple[list[Box], Mode]:
        """Bring the image up to date; where it changed."""
        self._take_anatomy(request.condition, request.seed)
        cancel.raise_if_cancelled()
        edited, everywhere = self._plane.update(request.mask, boxes), self._stale
        if not edited and not everywhere:
            return [], "full"
        before, self._stale = self._image, True
        self._image = self._rendered()
        self._stale = False
        if everywhere:
            return [full_box(*self.shape)], "full"
        different = self._image != before
        return [bounds_of(different, full_box(*self.shape))] if different.any() else [], "full"

    def _take_anatomy(self, given: np.ndarray | None, seed: int | None) -> None:
        known, noise_stays = self._given, seed == self._seed or not network_of(self._model, MetGen).noise
        if noise_stays and given is not None and known is not None and (given is known or _same(given, known)):
            return
        self._take(needed_condition(self._card, given, self.shape), seed)
        self._given, self._seed, self._stale = given, seed, True

    def _take(self, anatomy: np.ndarray, seed: int | None) -> None:
        """Keep an anatomy, and what the image path makes of it; a GPU makes all anew in one launch sooner."""
        self._anatomy = np.array(padded_to(anatomy, self._card.tile_multiple))
        self._features: list[torch.Tensor] = []
        device = self._model.device
        if device.type != "cuda":
            with threads_for(self._anatomy.size, device), computing(device, self._precision):
                self._features = anatomy_features.of(self._model, self._anatomy, seed)

    def _rendered(self) -> np.ndarray:
        height, width = self.shape
        device = self._model.device
        with threads_for(self._plane.values.size, device), computing(device, self._precision):
            if device.type == "cuda":
                z = np.zeros(0, np.float32)
                whole = ForwardRequest(self._plane.values, 0, self._seed, z, condition=self._anatomy)
                return METGAN(self._model, whole)[:height, :width]
            values = signal_of(self._model, self._features, torch.from_numpy(self._plane.values)[None, None])
        return output_scale(self._card).from_network(values[:height, :width])


class AnatomyFollower(BoundedFollower):
    """Follows labels over an anatomy, as far as they are rendered in one piece.

    Parameters
    ----------
    model, limit, precision
        See `BoundedFollower`.
    whole_pixels : int
        Most pixels that are rendered in one piece.
    """

    def __init__(self, model: TrainedModel, limit: int, precision: Precision, whole_pixels: int):
        super().__init__(model, limit, precision)
        self._whole_pixels = whole_pixels

    def fits(self, shape: tuple[int, ...]) -> bool:
        """Whether a mask of this size is rendered in one piece and the activations of its anatomy may be kept."""
        return self._pixels(shape) <= self._whole_pixels and super().fits(shape)

    def too_large(self, shape: tuple[int, ...]) -> str:
        """The sentence for a mask that does not fit."""
        if self._pixels(shape) > self._whole_pixels:
            return f"A mask of {shape[1]}×{shape[0]} pixels is rendered in windows, all of them each time."
        return super().too_large(shape)

    def needed(self, shape: tuple[int, ...]) -> int:
        """Bytes that are kept for a mask of this size: features, mask plane, and images in 4 bytes at most."""
        network = network_of(self.model, MetGen)
        widths = [_channels(stage) for stage in (*network.down, network.centre)]
        per_pixel = sum(4 * width / 4**level for level, width in enumerate(widths)) + 4 + 8
        return int(per_pixel * self._pixels(shape))

    def begin(self, request: RenderRequest) -> FollowedSignal:
        """What is kept for the mask and the anatomy of a request."""
        return FollowedSignal(self.model, request, self.precision)

    def _pixels(self, shape: tuple[int, ...]) -> int:
        height, width = (padded_side(side, self.model.card.tile_multiple) for side in shape)
        return height * width


def _channels(stage: nn.Module) -> int:
    """Channels that a stage gives."""
    return next(module for module in stage.modules() if isinstance(module, nn.Conv2d)).out_channels


def _same(one: np.ndarray, two: np.ndarray) -> bool:
    return one.dtype == two.dtype and np.array_equal(one, two)
