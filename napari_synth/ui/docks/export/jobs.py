"""What the Export dock does in the background, away from layers and widgets."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from napari_synth.core.progress import CancelToken, OnProgress
from napari_synth.export.formats.base import PixelSize

if TYPE_CHECKING:
    from napari_synth.export.batch import ExportResult
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
        from napari_synth.export.batch import ExportRequest, export_pairs
        from napari_synth.masks.mask_reader import MaskReader
        from napari_synth.synthesis.recipes import painted_batch
        from napari_synth.synthesis.request import check_mask

        order = self.order
        masks = [(name, check_mask(labels, order.condition is not None)) for name, labels in self.masks]
        generator = self.models.generator(order.model, order.device)
        cancel.raise_if_cancelled()
        request = order.request(masks[0][1], generator.card.latent_size)
        beside = order.condition.name if order.condition is not None else ""
        recipe, in_memory = painted_batch(generator, request, masks, self.options, self.variants, beside)
        wanted = ExportRequest(recipe, self.folder, self.format, self.overwrite, self.pixel_size)
        return export_pairs(wanted, generator, MaskReader(self.models.shapes, in_memory), on_progress, cancel)
