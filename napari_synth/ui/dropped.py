"""Exported TIFFs that are dropped on the window: napari opens the image, and its recipe brings back the rest."""

from __future__ import annotations

import weakref
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari.layers import Image

from napari_synth.core.recipe import METADATA_KEY
from napari_synth.exporting.exported import carries_recipe
from napari_synth.ui.jobs.delivery import nothing
from napari_synth.ui.jobs.lanes import Errands

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_synth.ui.context.context import Context
    from napari_synth.ui.jobs.lanes import Outcome


class Dropped:
    """Looks for a recipe in the file of each image layer that is opened.

    Parameters
    ----------
    context : Context
    replay : callable
        Brings back what a file describes.
    """

    def __init__(self, context: Context, replay: Callable[[Path], object]):
        self._context, self._replay = context, replay
        self._errands = Errands()
        context.viewer.layers.events.inserted.connect(self._on_inserted)

    def close(self) -> None:
        """Look no more."""
        self._errands.close(nothing)

    def _on_inserted(self, event: Any) -> None:
        layer = event.value
        path = Path(layer.source.path) if isinstance(layer, Image) and layer.source.path else None
        if path is not None and METADATA_KEY not in layer.metadata:
            found = partial(self._found, weakref.ref(layer), path)
            self._errands.submit("Looking for a recipe", partial(carries_recipe, path), found)

    def _found(self, opened: weakref.ref[Image], path: Path, outcome: Outcome) -> None:
        layer = opened()
        if outcome.result is True and layer is not None and not self._context.closed:
            layer.visible = False  # the same pixels come back as the image of the mask
            self._replay(path)
