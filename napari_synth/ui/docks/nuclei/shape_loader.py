"""The shape model of the dock, brought into memory when it is first needed."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from psygnal import Signal

from napari_synth.core.recipe import DEFAULT_SHAPES
from napari_synth.ui.context.notes import Note, problems_said
from napari_synth.ui.docks.nuclei.jobs import LoadShapesWork

if TYPE_CHECKING:
    from napari.layers import Labels

    from napari_synth.masks.shape_model import ShapeModel
    from napari_synth.ui.context.loaded_models import Models
    from napari_synth.ui.jobs.delivery import Jobs


class ShapeLoader:
    """Gives the shape model to what needs it; what goes wrong there becomes a message.

    Parameters
    ----------
    models : Models
    jobs : Jobs
        Where it is loaded.
    say : callable
        Takes a `Note`.

    Attributes
    ----------
    shapes : ShapeModel or None
        None: not in memory yet. To decode a shape at once, without torch being loaded for it.
    """

    loaded = Signal()

    def __init__(self, models: Models, jobs: Jobs, say: Callable[[Note], object]):
        self._models = models
        self._jobs = jobs
        self._say = say
        self.shapes: ShapeModel | None = None

    def load(self) -> None:
        """Load it in the background, so that the first slider or stamp need not wait."""
        self.use(_nothing)

    def use(self, then: Callable[[ShapeModel], object]) -> None:
        """Call ``then`` with the shape model, after loading it in the background where needed."""
        if self.shapes is None:
            work = LoadShapesWork(self._models, DEFAULT_SHAPES)
            self._jobs.run("Loading the shape model", work, partial(self._loaded, then), total=work.steps)
            return
        with problems_said(self._say):
            then(self.shapes)

    def use_on(self, layer: Labels, then: Callable[[Labels, ShapeModel], object]) -> None:
        """The same for what is done to a layer, which is not kept alive by that."""
        if self.shapes is None:
            work, done = LoadShapesWork(self._models, DEFAULT_SHAPES), partial(self._loaded_for, then)
            self._jobs.run("Loading the shape model", work, done, on=layer, total=work.steps)
            return
        with problems_said(self._say):
            then(layer, self.shapes)

    def _loaded(self, then: Callable[[ShapeModel], object], shapes: ShapeModel) -> None:
        self.shapes = shapes
        self.loaded.emit()
        with problems_said(self._say):
            then(shapes)

    def _loaded_for(self, then: Callable[[Labels, ShapeModel], object], layer: Labels, shapes: ShapeModel) -> None:
        self._loaded(partial(then, layer), shapes)


def _nothing(shapes: ShapeModel) -> None:
    """Nothing more than to have it."""
