"""Following a label over one anatomy: the image path is kept, the label path and the decoder run again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from napari_synth.core.boxes import Box, bounds_of, whole
from napari_synth.core.progress import CancelToken
from napari_synth.synthesis.forward import anatomy_features, output_scale, signal_of
from napari_synth.synthesis.generator import check_condition, padded_to
from napari_synth.synthesis.padded import PaddedPlane, padded_side
from napari_synth.synthesis.tiles import WHOLE_PIXELS

if TYPE_CHECKING:
    from napari_synth.synthesis.generator import Generator, RenderRequest
    from napari_synth.synthesis.live import Mode


class AnatomyFollower:
    """Keeps what MetGen's image path made of one anatomy, and redoes the rest for an edited label.

    The image path does not see the label. The label path begins at 1/32 of the size and passes three
    convolutions there, so a stroke reaches some hundred pixels, and the whole frame is computed. The
    result is that of a full render.

    Parameters
    ----------
    generator : Generator
        A MetGAN generator.
    limit : int
        Bytes that may be kept.
    precision : {'exact', 'fast'}
        With ``'fast'``, use it within `precision.computing`.
    """

    def __init__(self, generator: Generator, limit: int, precision: str = "exact"):
        self._model = generator.network_for(precision)
        self._card = generator.card
        self.limit = limit
        self._plane: PaddedPlane | None = None
        self._given: np.ndarray | None = None
        self._seed: int | None = None
        self._features: list[torch.Tensor] = []
        self._image: np.ndarray | None = None

    @property
    def nbytes(self) -> int:
        """Bytes that are kept now."""
        arrays = [
            array for array in (self._image, self._given, self._plane and self._plane.values) if array is not None
        ]
        tensors = sum(tensor.numel() * tensor.element_size() for tensor in self._features)
        return tensors + sum(array.nbytes for array in arrays)

    def fits(self, shape: tuple[int, ...]) -> bool:
        """Whether a mask of this size is rendered in one piece and the activations of its anatomy may be kept."""
        return self._pixels(shape) <= WHOLE_PIXELS[self._card.architecture] and self._needed(shape) <= self.limit

    def too_large(self, shape: tuple[int, ...]) -> str:
        """The sentence for a mask that does not fit."""
        size = f"A mask of {shape[1]}×{shape[0]} pixels"
        if self._pixels(shape) > WHOLE_PIXELS[self._card.architecture]:
            return f"{size} is rendered in windows, all of them each time."
        return (
            f"{size} would keep {self._needed(shape) / 2**30:.1f} GB of activations, over the limit of "
            f"{self.limit / 2**30:.1f} GB, so it is rendered whole."
        )

    def forget(self) -> None:
        """Give the memory back."""
        self._plane = self._given = self._image = None
        self._features = []

    def option(self, request: RenderRequest) -> str:
        """The name of the look: there are none."""
        return ""

    def pixels(self, box: Box) -> np.ndarray:
        """The image over a box, in the dtype of the card's output."""
        return self._image[box.top : box.bottom, box.left : box.right]

    def follow(
        self, request: RenderRequest, boxes: Sequence[Box] | None, settled: bool, cancel: CancelToken | None
    ) -> tuple[list[Box], Mode]:
        """Bring the image up to date; where it changed.

        Raises
        ------
        InputError
            If the anatomy cannot be used.
        Cancelled
        """
        cancel = cancel or CancelToken()
        shape = request.mask.shape
        if self._plane is None or self._plane.shape != shape:
            self.forget()
            self._plane = PaddedPlane(shape, self._card.tile_multiple, self._card.mask_meaning)
        with torch.inference_mode():
            self._take_anatomy(request)
            cancel.raise_if_cancelled()
            edited = self._plane.update(request.mask, boxes)
            if not edited and self._image is not None:
                return [], "full"
            before, self._image = self._image, None
            self._image = self._rendered(shape)
        if before is None:
            return [whole(*shape)], "full"
        different = self._image != before
        return [bounds_of(different, whole(*shape))] if different.any() else [], "full"

    def _take_anatomy(self, request: RenderRequest) -> None:
        given = request.condition
        known = self._given is not None and (request.seed == self._seed or not self._card.hyper.get("noise"))
        if known and given is not None and (given is self._given or _same(given, self._given)):
            return
        image = check_condition(self._card, given, request.mask.shape)
        self._features = anatomy_features(self._model, padded_to(image, self._card.tile_multiple), request.seed)
        self._given, self._seed, self._image = given, request.seed, None

    def _rendered(self, shape: tuple[int, ...]) -> np.ndarray:
        values = signal_of(self._model, self._features, torch.from_numpy(self._plane.values)[None, None])
        return output_scale(self._card).from_network(values[: shape[0], : shape[1]])

    def _pixels(self, shape: tuple[int, ...]) -> int:
        height, width = (padded_side(side, self._card.tile_multiple) for side in shape)
        return height * width

    def _needed(self, shape: tuple[int, ...]) -> int:
        network: Any = self._model.network
        stages = [*network.down, network.centre]
        widths = [next(m for m in stage.modules() if isinstance(m, torch.nn.Conv2d)).out_channels for stage in stages]
        # Features, mask plane, and image with the anatomy in 4 bytes at most.
        per_pixel = sum(4 * width / 4**level for level, width in enumerate(widths)) + 4 + 8
        return int(per_pixel * self._pixels(shape))


def _same(one: np.ndarray, two: np.ndarray) -> bool:
    return one.dtype == two.dtype and np.array_equal(one, two)
