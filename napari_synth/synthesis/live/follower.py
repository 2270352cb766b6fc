"""How the image of a mask that is being edited is kept up to date."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, Protocol

import numpy as np

from napari_synth.core.boxes import Box
from napari_synth.core.progress import CancelToken
from napari_synth.core.recipe import Precision
from napari_synth.synthesis.request import Renderer, RenderRequest

if TYPE_CHECKING:
    from napari_synth.models.registry import TrainedModel

Mode = Literal["partial", "near", "preview", "full"]
"""Only the changed part was computed; only what of it is near the edit, the rest staying as it was; an
approximation; or all of it."""


class FollowedMask(Protocol):
    """The image of one mask and what was computed for it; born with the mask, and of its size for ever."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the mask."""
        ...

    @property
    def nbytes(self) -> int:
        """Bytes that are kept now."""
        ...

    def follow(
        self, request: RenderRequest, boxes: Sequence[Box] | None, settled: bool, cancel: CancelToken
    ) -> tuple[list[Box], Mode]:
        """Bring the image up to date; where it changed, which is everywhere at first.

        Parameters
        ----------
        request : RenderRequest
            With the mask as it is now, which is taken as it is: labels ``(Y, X)`` of the same size.
        boxes : sequence of Box, optional
            Where the mask may have changed since the last call; anywhere when not given.
        settled : bool
            False during a stroke, when an approximation is welcome.
        cancel : CancelToken
            What was not reached is done by the next call.

        Raises
        ------
        InputError
            If something beside the mask cannot be used.
        Cancelled
        """
        ...

    def pixels(self, box: Box) -> np.ndarray:
        """The image over a box, as `Rendering.image` has it."""
        ...


class Follower(Protocol):
    """How the masks of one model are followed."""

    def needed(self, shape: tuple[int, ...]) -> int:
        """Bytes that are kept for a mask of this size."""
        ...

    def fits(self, shape: tuple[int, ...]) -> bool:
        """Whether a mask of this size can be followed."""
        ...

    def too_large(self, shape: tuple[int, ...]) -> str:
        """The sentence for a mask that does not fit."""
        ...

    def begin(self, request: RenderRequest) -> FollowedMask:
        """What is kept for the mask of a request; nothing of the image is computed yet.

        Raises
        ------
        InputError
            If something beside the mask cannot be used.
        """
        ...


class BoundedFollower(ABC):
    """A `Follower` of masks whose activations fit into a limit.

    Parameters
    ----------
    model : TrainedModel
        As it computes with the precision.
    limit : int
        Bytes that may be kept.
    precision : {'exact', 'fast'}
    """

    def __init__(self, model: TrainedModel, limit: int, precision: Precision):
        self.model, self.limit, self.precision = model, limit, precision

    @abstractmethod
    def needed(self, shape: tuple[int, ...]) -> int:
        """Bytes that are kept for a mask of this size."""

    @abstractmethod
    def begin(self, request: RenderRequest) -> FollowedMask:
        """What is kept for the mask of a request."""

    def fits(self, shape: tuple[int, ...]) -> bool:
        """Whether a mask of this size can be followed."""
        return self.needed(shape) <= self.limit

    def too_large(self, shape: tuple[int, ...]) -> str:
        """The sentence for a mask that does not fit."""
        return (
            f"A mask of {shape[1]}×{shape[0]} pixels would keep {self.needed(shape) / 2**30:.1f} GB of "
            f"activations, over the limit of {self.limit / 2**30:.1f} GB, so it is rendered whole."
        )


class LiveRenderer(Renderer, Protocol):
    """What a `LiveCanvas` needs of a `Generator`."""

    def follower(self, limit: int, precision: Precision = "exact") -> Follower | None:
        """How masks are followed with at most ``limit`` bytes; None where each render is a new one."""
        ...
