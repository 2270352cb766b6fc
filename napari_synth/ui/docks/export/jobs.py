"""What the Export dock does in the background, away from layers and widgets."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from napari_synth.core.progress import CancelToken, OnProgress
from napari_synth.exporting.formats.base import PixelSize

if TYPE_CHECKING:
    from napari_synth.exporting.batch import ExportResult
    from napari_synth.ui.context.loaded_models import Models
    from napari_synth.ui.context.order import RenderOrder


@dataclass(frozen=True, eq=False)
class ExportWork:
    """Export the pairs of some masks.

    Attributes
    ----------
    order : RenderOrder
        How each mask is rendered, beside its option and seed.
    masks : list of (str, ndarray)
        Layer name and labels.
    options : tuple of str
    variants : int
    """

    models: Models
    order: RenderOrder
    masks: list[tuple[str, np.ndarray]]
    options: tuple[str, ...]
    variants: int
    folder: Path
    format: str
    overwrite: bool
    pixel_size: PixelSize

    def __call__(self, on_progress: OnProgress, cancel: CancelToken) -> ExportResult:
        from napari_synth.exporting.batch import ExportRequest, export_pairs
        from napari_synth.masks.mask_reader import MaskReader
        from napari_synth.synthesis.recipes import painted_batch

        order = self.order
        generator = self.models.generator(order.model, order.device)
        cancel.raise_if_cancelled()
        batch = painted_batch(
            generator,
            self.masks,
            condition=None if order.condition is None else (order.condition.name, order.condition.pixels),
            options=self.options,
            variants=self.variants,
            seed=order.seed,
            z=order.z(generator.card.latent_size),
            style=order.style if self.options == (order.option,) else None,
            interventions=order.interventions,
            precision=order.precision,
        )
        wanted = ExportRequest(batch.recipe, self.folder, self.format, self.overwrite, self.pixel_size)
        return export_pairs(wanted, generator, MaskReader(self.models.shapes, batch.arrays), on_progress, cancel)
