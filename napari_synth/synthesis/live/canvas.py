"""The image of a mask that is being edited: patches of the mask go in, changed parts of the image come out."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from napari_synth.core.boxes import Box, full_box, merged
from napari_synth.core.recipe import CameraSettings, Precision
from napari_synth.synthesis.camera import grey_range_of, photograph_part, photographed_box
from napari_synth.synthesis.live.follower import FollowedMask, LiveRenderer, Mode
from napari_synth.synthesis.request import RenderRequest, Steering, option_name, render_error

if TYPE_CHECKING:
    from napari_synth.core.progress import CancelToken

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

    shape: tuple[int, ...]
    parts: list[tuple[Box, np.ndarray]]
    request: RenderRequest
    mode: Mode
    seconds: float
    option: str
    kept: int = 0
    remark: str = ""


@dataclass(frozen=True)
class _Kept:
    """What was computed for the mask, and by what."""

    mask: FollowedMask
    generator: LiveRenderer
    precision: Precision

    def serves(self, generator: LiveRenderer, request: RenderRequest) -> bool:
        """Whether the image of a request can be brought up to date with it."""
        same = self.generator is generator and self.precision == request.precision
        return same and self.mask.shape == request.mask.shape


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
        self._kept: _Kept | None = None
        self._photographed: tuple[CameraSettings | None, int | None] = (None, None)
        """Camera, and seed of its noise, of what is on the screen."""

    @property
    def followed(self) -> FollowedMask | None:
        """What is kept now; None where the last image was rendered whole, or none was yet."""
        return self._kept.mask if self._kept else None

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
            self._unshown = [full_box(*self._labels.shape)]

    def forget(self) -> None:
        """Give the memory back."""
        with self._lock:
            self._told, self._changed, self._kept = [], None, None
            self._labels = np.zeros((0, 0), np.int32)

    def follow(
        self, generator: LiveRenderer, wanted: RenderRequest, *, settled: bool, steering: Steering | None = None
    ) -> LiveRendering:
        """Bring the image up to date with the mask.

        Parameters
        ----------
        generator : LiveRenderer
            A `Generator`.
        wanted : RenderRequest
            All but the mask, which is ignored.
        settled : bool
            False during a stroke, when an approximation is welcome.
        steering : Steering, optional
            Watches and cancels.
        """
        steering = steering or Steering()
        self._take()
        request, shape = replace(wanted, mask=self._labels), self._labels.shape
        follower = generator.follower(self.limit, request.precision)
        if follower is None or request.capture or request.routing:
            return self._whole(generator, request, steering, "")
        if not follower.fits(shape):
            return self._whole(generator, request, steering, follower.too_large(shape))
        start = time.perf_counter()
        try:
            kept = self._kept
            if kept is None or not kept.serves(generator, request):
                self._changed = self._kept = None
                kept = self._kept = _Kept(follower.begin(request), generator, request.precision)
            parts, mode = self._in_parts(kept, request, settled, steering.cancel)
        except RuntimeError as error:
            self._kept = self._changed = None
            raise render_error(error, generator.device) from error
        seconds, option = time.perf_counter() - start, option_name(generator.card, request.option)
        return LiveRendering(shape, parts, request, mode, seconds, option, kept.mask.nbytes)

    def _whole(self, generator: LiveRenderer, request: RenderRequest, steering: Steering, remark: str) -> LiveRendering:
        """The image in one piece or in tiles; nothing of it is kept."""
        self._kept = None
        made = generator.run(request, steering)
        self._changed = []
        parts, remark = [(full_box(*self._labels.shape), made.image)], remark or made.remark
        return LiveRendering(self._labels.shape, parts, request, "full", made.seconds, made.option, 0, remark)

    def _in_parts(
        self, kept: _Kept, request: RenderRequest, settled: bool, cancel: CancelToken
    ) -> tuple[list[tuple[Box, np.ndarray]], Mode]:
        fresh, mask = self._changed is None, kept.mask
        boxes, mode = mask.follow(request, self._changed, settled, cancel)
        self._changed = []
        camera, shape = request.camera, self._labels.shape
        if camera is not None:
            boxes = [photographed_box(box, camera, shape) for box in boxes]
        taken = camera, request.seed if camera is not None else None
        if taken != self._photographed:  # another photograph of the same image
            boxes, self._photographed = [full_box(*shape)], taken
        with self._lock:
            self._unshown = merged([*self._unshown, *boxes])
            boxes = list(self._unshown)
        if camera is None:
            return [(box, mask.pixels(box)) for box in boxes], "full" if fresh else mode
        grey = grey_range_of(kept.generator.card)
        parts = []
        for box in boxes:
            over = photographed_box(box, camera, shape)
            image = mask.pixels(over)
            parts.append((box, photograph_part(image, over, box, shape, camera, request.seed, grey)))
        return parts, "full" if fresh else mode

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
            self._labels[box.seen_from(full_box(*self._labels.shape))] = labels
            if self._changed is not None:
                self._changed.append(box)
