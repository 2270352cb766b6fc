"""Small pictures of the current mask in each option, and in some styles, rendered while nothing else is."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
from psygnal import Signal
from qtpy.QtCore import QTimer

from napari_synth.core.boxes import fullest_part
from napari_synth.core.progress import CancelToken, OnProgress, Stopwatch
from napari_synth.core.recipe import Style
from napari_synth.ui.context.notes import Note
from napari_synth.ui.jobs.delivery import Jobs
from napari_synth.ui.jobs.lanes import delete
from napari_synth.ui.napari_bridge.placement import plane

if TYPE_CHECKING:
    from napari_synth.evaluation.variety import Variety
    from napari_synth.synthesis.request import Renderer, RenderRequest
    from napari_synth.ui.context.context import Context
    from napari_synth.ui.context.loaded_models import Models
    from napari_synth.ui.context.order import RenderOrder

SIDE = 128
SEEDS = 3
"""So many are compared with each other."""
SOON_MS = 150

Key = tuple[str, Style | None]
"""Option, and style or None for that of the seed."""


@dataclass(eq=False)
class ThumbnailWork:
    """Render one part of a mask in several ways.

    Attributes
    ----------
    orders : dict of RenderOrder
        What to render, by what it is of.
    labels : ndarray, shape (Y, X)
        At most 128 pixels a side.
    part : tuple of slice
        Where they lie in the mask.
    compared : RenderOrder or None
        What is rendered with several seeds in the end, to see whether they differ.
    pictures : dict of ndarray
        What is finished.
    variety : Variety or None
        How different the seeds are.
    """

    models: Models
    orders: dict[Key, RenderOrder]
    labels: np.ndarray
    part: tuple[slice, slice]
    compared: RenderOrder | None = None
    pictures: dict[Key, np.ndarray] = field(default_factory=dict)
    variety: Variety | None = None

    def __call__(self, on_progress: OnProgress, cancel: CancelToken) -> dict[Key, np.ndarray]:
        watch = Stopwatch(len(self.orders), on_progress)
        for key, order in self.orders.items():
            cancel.raise_if_cancelled()
            generator = self.models.generator(order.model, order.device)
            cancel.raise_if_cancelled()
            self.pictures[key] = generator.run(self._request(order, generator)).image
            watch.report(len(self.pictures))
        if self.compared is not None:
            from napari_synth.evaluation.variety import variety_of
            from napari_synth.synthesis.request import Steering

            generator = self.models.generator(self.compared.model, self.compared.device)
            request = self._request(self.compared, generator)
            self.variety = variety_of(generator, request, SEEDS, Steering(cancel=cancel))
        return self.pictures

    def _request(self, order: RenderOrder, generator: Renderer) -> RenderRequest:
        request = order.request(self.labels, generator.card.latent_size)
        if request.condition is None:
            return request
        return replace(request, condition=request.condition[self.part])


class Thumbnails:
    """Keeps the pictures that a panel wants up to date, and renders nothing while none is open.

    Parameters
    ----------
    context : Context
    main : Jobs
        The jobs that go first.
    """

    changed = Signal()

    def __init__(self, context: Context, main: Jobs):
        self._context = context
        self._main = main
        self._jobs = Jobs(context, self._say)
        self._wanted: tuple[Key, ...] = ()
        self._pictures: dict[Key, np.ndarray] = {}
        self._outdated: set[Key] = set()
        self._open = False
        self._compared: RenderOrder | None = None
        self.variety: Variety | None = None
        """How different the seeds are of what was rendered last; None where that is not known."""
        self.problem = ""
        """Why there are no pictures; empty where there are, or will be."""
        self._soon = QTimer(singleShot=True, interval=SOON_MS)
        self._soon.timeout.connect(self._begin)
        main.lane.idle.connect(self._later)

    @property
    def pictures(self) -> dict[Key, np.ndarray]:
        """What is rendered, ``(Y, X)`` or ``(Y, X, 3)`` uint8 at most 128 pixels a side."""
        return self._pictures

    @property
    def busy(self) -> bool:
        """Whether pictures are being rendered, or will be in a moment."""
        return self._soon.isActive() or self.rendering

    @property
    def rendering(self) -> bool:
        """Whether pictures are being rendered now."""
        return self._jobs.lane.state.running

    def show(self, on: bool) -> None:
        """A panel shows them, or no longer does."""
        self._open = on
        if on:
            self._later()
        else:
            self.pause()

    def want(self, keys: tuple[Key, ...]) -> None:
        """These are to be shown, the first ones first; those that are there stay."""
        self._wanted = keys
        self._later()

    def outdate(self) -> None:
        """The mask, the model or the seed is another: all are rendered again. Until then the old ones are shown."""
        self._outdated = set(self._pictures)
        self._later()

    def pause(self) -> None:
        """Stop at once: the user is doing something else."""
        self._soon.stop()
        self._jobs.lane.cancel()

    def close(self) -> None:
        """Stop for good."""
        self._jobs.close()
        delete(self._soon)

    def _later(self) -> None:
        if self._open:
            self._soon.start()

    def _begin(self) -> None:
        context, layer = self._context, self._context.masks.current
        if self._main.lane.state.running:
            return  # its end begins this again
        order = context.order(layer)
        if layer is None or isinstance(order, Note):
            self._clear()
            return
        data = plane(layer)
        if data.ndim != 2 or not isinstance(data, np.ndarray) or not data.any():
            self._clear()
            return
        part = fullest_part(data, SIDE)
        orders = {
            key: replace(order, option=key[0], style=key[1])
            for key in self._wanted
            if key not in self._pictures or key in self._outdated
        }
        bare = replace(order, camera=None)  # its noise is no variety
        compared = bare if order.seed is not None and order.condition is None and order.latent is None else None
        known = self._compared is not None and compared == replace(self._compared, seed=order.seed)
        if compared is None and self.variety is not None:
            self._compared = self.variety = None
            self.changed.emit()
        if not orders and (known or compared is None):
            return
        work = ThumbnailWork(context.models, orders, np.array(data[part]), part, None if known else compared)

        def fill() -> None:
            self._take(work)

        def done(pictures: dict[Key, np.ndarray]) -> None:
            self._take(work)
            if work.compared is not None:
                self._compared, self.variety = work.compared, work.variety
                self.changed.emit()

        self._jobs.run("Thumbnails", work, done, total=max(len(orders), 1), cancelled=None, meanwhile=fill)

    def _take(self, work: ThumbnailWork) -> None:
        self.problem = ""
        self._outdated -= work.pictures.keys()
        self._pictures = {**self._pictures, **work.pictures}
        self.changed.emit()

    def _clear(self) -> None:
        if self._pictures:
            self._pictures, self._outdated = {}, set()
            self.changed.emit()

    def _say(self, note: Note) -> None:
        self.problem = note.text
        self.changed.emit()
