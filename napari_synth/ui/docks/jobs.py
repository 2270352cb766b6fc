"""What the jobs of the window do, away from layers and widgets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from napari_synth.core.progress import CancelToken, OnProgress, Stopwatch
from napari_synth.core.recipe import (
    FieldSettings,
)

if TYPE_CHECKING:
    from napari_synth.masks.nucleus_table import NucleusField
    from napari_synth.masks.shape_model import ShapeModel
    from napari_synth.ui.context.loaded_models import LoadedModels

STEPS = 2
"""Items of the jobs that load a model and then compute once."""


@dataclass(frozen=True, eq=False)
class LoadShapesWork:
    """Bring a shape model and its library into memory."""

    shelf: LoadedModels
    name: str

    def __call__(self, on_progress: OnProgress, cancel: CancelToken) -> ShapeModel:
        shapes = self.shelf.shapes(self.name)
        shapes.decode(np.zeros((1, shapes.card.latent_size)))  # the first call sets up the decoder
        return shapes


@dataclass(frozen=True, eq=False)
class GrowWork:
    """Sample nuclei into a rectangle of a mask that keeps what it has."""

    shelf: LoadedModels
    settings: FieldSettings
    seed: int
    labels: np.ndarray
    window: tuple[int, int, int, int]
    density: np.ndarray | None = None

    def __call__(self, on_progress: OnProgress, cancel: CancelToken) -> NucleusField:
        watch = Stopwatch(STEPS, on_progress)
        shapes = self.shelf.shapes(self.settings.shapes)
        cancel.raise_if_cancelled()
        watch.report(1, "Placing nuclei")
        from napari_synth.datasets.image_files import as_labels
        from napari_synth.masks.field import compose_field

        onto = as_labels(self.labels)
        field = compose_field(
            self.settings, shapes, self.seed, cancel, onto=onto, window=self.window, density=self.density
        )
        watch.report(2, "Done")
        return field
