"""What happens when a layer is opened: an exported image brings back the rest, a sample becomes a picture."""

from __future__ import annotations

import weakref
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari.layers import Image, Labels
from qtpy.QtCore import QTimer

from napari_synth.core.recipe import METADATA_KEY
from napari_synth.exporting.exported import carries_recipe
from napari_synth.ui.jobs.delivery import nothing
from napari_synth.ui.jobs.lanes import Errands

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_synth.ui.context.context import Context
    from napari_synth.ui.jobs.lanes import Outcome


SAMPLE_KEY = "sample"
"""Marks the layers of the samples under File ▸ Open Sample."""
EXPORTED_KEY = "exported"
"""Under it an image layer that was not read by napari says which exported file it is."""


class Opened:
    """Looks for a recipe in the file of each image layer that is opened, and renders the samples.

    Parameters
    ----------
    context : Context
    replay : callable
        Brings back what a file describes.
    render : callable
        Renders the current mask.
    """

    def __init__(self, context: Context, replay: Callable[[Path], object], render: Callable[[], object]):
        self._context, self._replay, self._render = context, replay, render
        self._errands = Errands()
        self._timer = QTimer(singleShot=True, interval=0)
        self._timer.timeout.connect(self._show_sample)
        self._sample: weakref.ref[Labels] | None = None
        context.viewer.layers.events.inserted.connect(self._on_inserted)

    def close(self) -> None:
        """Look no more."""
        self._timer.stop()
        self._errands.close(nothing)

    def _on_inserted(self, event: Any) -> None:
        layer = event.value
        if isinstance(layer, Labels) and SAMPLE_KEY in layer.metadata:
            self._sample = weakref.ref(layer)
            self._timer.start()  # when all layers of the sample are there
            return
        told = layer.metadata.get(EXPORTED_KEY) or layer.source.path if isinstance(layer, Image) else None
        if told and METADATA_KEY not in layer.metadata:
            path = Path(told)
            found = partial(self._found, weakref.ref(layer), path)
            self._errands.submit("Looking for a recipe", partial(carries_recipe, path), found)

    def _show_sample(self) -> None:
        context, layer = self._context, self._sample() if self._sample is not None else None
        if layer is not None and context.holds(layer) and not context.results.of(layer):
            context.masks.current = layer
            self._render()

    def _found(self, opened: weakref.ref[Image], path: Path, outcome: Outcome) -> None:
        layer = opened()
        if outcome.result is True and layer is not None and not self._context.closed:
            layer.visible = False  # the same pixels come back as the image of the mask
            self._replay(path)
