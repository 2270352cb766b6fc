"""The image of a mask that is being edited: patches of the mask go in, changed parts of the image come out."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from napari_synth.core.boxes import Box, merged, whole
from napari_synth.synthesis.generator import RenderRequest, render_error

if TYPE_CHECKING:
    from napari_synth.core.progress import CancelToken
    from napari_synth.synthesis.generator import Generator
    from napari_synth.synthesis.tiles import Follow

Mode = Literal["partial", "near", "preview", "full"]
LIMIT = 4 * 2**30
"""Bytes of activations that are kept to follow a mask."""


@dataclass(frozen=True)
class LiveRendering:
    """What is new in the image.

    Attributes
    ----------
    shape : tuple of int
        Of the mask.
    parts : list of (Box, ndarray)
        Boxes of the image and their pixels, in the dtype of the image.
    request : RenderRequest
        What the image shows, with the whole mask.
    mode : {'partial', 'near', 'preview', 'full'}
        Whether only the changed part was computed; whether only what of it is near the edit, the rest staying as
        it was; whether it is an approximation; or all of it was.
    seconds : float
    option : str
    kept : int
        Bytes of activations in memory.
    remark : str
        One sentence where the canvas cannot be followed in parts; else empty.
    """

    shape: tuple[int, int]
    parts: list[tuple[Box, np.ndarray]]
    request: RenderRequest
    mode: Mode
    seconds: float
    option: str
    kept: int = 0
    remark: str = ""


class LiveCanvas:
    """A mask as it was told in patches, and what was computed for it.

    `reset` and `put` are called where the mask is edited, `follow` where images are computed; the two
    may be different threads. Patches are never lost, however many calls of `follow` are skipped.

    Parameters
    ----------
    limit : int
        Bytes of activations that may be kept.
    """

    def __init__(self, limit: int = LIMIT):
        self.limit = limit
        self._lock = threading.Lock()
        self._told: list[tuple[Box | None, np.ndarray]] = []
        self._labels = np.zeros((0, 0), np.int32)
        self._changed: list[Box] | None = None
        self._unshown: list[Box] = []
        self._partial: Any = None
        self._generator: Generator | None = None
        self._precision = ""

    def reset(self, labels: np.ndarray) -> None:
        """Begin with this mask, ``(Y, X)``; the array must not be changed afterwards."""
        with self._lock:
            self._told = [(None, labels)]

    def put(self, box: Box, labels: np.ndarray) -> None:
        """Labels of the mask over a box; the array must not be changed afterwards."""
        with self._lock:
            self._told.append((box, labels))

    def shown(self) -> None:
        """The parts of the last rendering are on the screen."""
        with self._lock:
            self._unshown = []

    def lost(self) -> None:
        """Another image was put on the screen: the next rendering gives all of it."""
        with self._lock:
            self._unshown = [whole(*self._labels.shape)]

    def forget(self) -> None:
        """Give the memory back."""
        with self._lock:
            self._told, self._changed, self._partial, self._generator = [], None, None, None
            self._labels = np.zeros((0, 0), np.int32)

    def follow(
        self, generator: Generator, look: RenderRequest, *, settled: bool, follow: Follow | None = None
    ) -> LiveRendering:
        """Bring the image up to date with the mask.

        Parameters
        ----------
        generator : Generator
        look : RenderRequest
            All but the mask, which is ignored.
        settled : bool
            False during a stroke, when an approximation is welcome.
        follow : Follow, optional
            Watches and cancels.
        """
        self._take()
        request = replace(look, mask=self._labels)
        start = time.perf_counter()
        if generator is not self._generator or look.precision != self._precision:
            self._generator, self._precision, self._changed = generator, look.precision, None
            self._partial = partial_update(generator, self.limit, look.precision)
        partial = self._partial
        shape = self._labels.shape
        if partial is not None and not look.capture and not look.routing and partial.fits(shape):
            try:
                parts, mode = self._in_parts(partial, request, settled, follow.cancel if follow else None)
            except RuntimeError as error:
                partial.forget()
                self._changed = None
                raise render_error(error, generator.device) from error
            return LiveRendering(
                shape, parts, request, mode, time.perf_counter() - start, partial.option(request), partial.nbytes
            )
        remark = "" if partial is None or partial.fits(shape) else partial.too_large(shape)
        if partial is not None:
            partial.forget()
        rendering = generator.run(request, follow) if follow else generator.run(request)
        self._changed = []
        parts = [(whole(*shape), rendering.image)]
        return LiveRendering(
            shape, parts, request, "full", rendering.seconds, rendering.option, 0, remark or rendering.remark
        )

    def _in_parts(
        self, partial: Any, request: RenderRequest, settled: bool, cancel: CancelToken | None
    ) -> tuple[list[tuple[Box, np.ndarray]], Mode]:
        fresh = self._changed is None
        from napari_synth.synthesis.precision import computing

        with computing(self._generator.network_for(request.precision).device, request.precision):
            boxes, mode = partial.follow(request, self._changed, settled, cancel)
        self._changed = []
        with self._lock:
            self._unshown = merged([*self._unshown, *boxes])
            boxes = list(self._unshown)
        return [(box, partial.pixels(box)) for box in boxes], "full" if fresh else mode

    def _take(self) -> None:
        """Take over what was told since the last call."""
        with self._lock:
            told, self._told = self._told, []
        for box, labels in told:
            if box is None:
                if labels.shape != self._labels.shape:
                    self._unshown = []
                self._labels = np.array(labels)
                self._changed = None
                continue
            self._labels[box.seen_from(whole(*self._labels.shape))] = labels
            if self._changed is not None:
                self._changed.append(box)


def partial_update(generator: Generator, limit: int, precision: str = "exact") -> Any:
    """How to follow edits of the mask of a generator with what is kept; None where each render is a new one."""
    card = generator.card
    if card.architecture == "capspix2pix":
        from napari_synth.synthesis.live.capspix2pix import CapsuleFollower

        return CapsuleFollower(generator, limit, precision)
    if card.architecture in ("pix2pix", "optional-pix2pix") and card.hyper.get("norm", "batch") == "batch":
        from napari_synth.synthesis.live.pix2pix import UNetFollower

        return UNetFollower(generator, limit, precision)
    if card.architecture == "metgan":
        from napari_synth.synthesis.live.metgan import AnatomyFollower

        return AnatomyFollower(generator, limit, precision)
    return None
