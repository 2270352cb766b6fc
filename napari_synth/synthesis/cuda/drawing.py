"""A forward pass in two halves: numbers that a request stands for, and pixels made of them on the device alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from napari_synth.synthesis.cuda import graphs
from napari_synth.synthesis.cuda.arrays import Arrays, Draw
from napari_synth.synthesis.network_io import not_finite

if TYPE_CHECKING:
    from napari_synth.models.registry import TrainedModel
    from napari_synth.synthesis.network_io import ForwardRequest


@dataclass(frozen=True)
class Drawing:
    """How an architecture renders on a GPU.

    Attributes
    ----------
    numbers : callable
        All that differs from image to image, as arrays of a shape that depends on the size of the mask alone.
        The first is the mask as ``labels``, ``(Y, X)`` int32.
    draw : callable
        The image of such arrays on the device. It launches work there and waits for nothing, so that the
        launches can be kept as a graph.
    dtype : callable
        Of the image.
    """

    numbers: Callable[[TrainedModel, ForwardRequest], Arrays]
    draw: Draw
    dtype: Callable[[TrainedModel], np.dtype] = lambda model: np.dtype(np.uint8)

    def __call__(self, model: TrainedModel, request: ForwardRequest) -> np.ndarray:
        """The image of a request, as `network_io.Forward`.

        Raises
        ------
        WorkError
            If the network gives numbers that are not finite.
        """
        arrays = self.numbers(model, request)
        image, finite = graphs.drawn(self.draw, model, arrays)
        if not finite:
            raise not_finite()
        return image.view(self.dtype(model))


def on_gpu(model: TrainedModel, request: ForwardRequest) -> bool:
    """Whether a request is rendered by a `Drawing`: on CUDA, where nothing of the inside is kept or changed."""
    return model.device.type == "cuda" and request.probe is None
