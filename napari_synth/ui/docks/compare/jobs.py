"""What the Compare dock does in the background, away from layers and widgets."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from napari_synth.core.progress import CancelToken, OnProgress, Stopwatch

if TYPE_CHECKING:
    from napari_synth.ui.context.loaded_models import Models
    from napari_synth.ui.context.order import RenderOrder
    from napari_synth.ui.docks.compare.choices import Variation


@dataclass(eq=False)
class BoardWork:
    """Render one part of a mask in several ways, one after the other.

    Attributes
    ----------
    orders : dict of RenderOrder
        In the order in which they are rendered.
    labels : ndarray, shape (Y, X)
    images : dict of ndarray
        What is finished.
    """

    models: Models
    orders: dict[Variation, RenderOrder]
    labels: np.ndarray
    images: dict[Variation, np.ndarray] = field(default_factory=dict)

    def __call__(self, on_progress: OnProgress, cancel: CancelToken) -> None:
        watch = Stopwatch(len(self.orders), on_progress)
        for variation, order in self.orders.items():
            cancel.raise_if_cancelled()
            generator = self.models.generator(order.model, order.device)
            cancel.raise_if_cancelled()
            self.images[variation] = generator.run(order.request(self.labels, generator.card.latent_size)).image
            watch.report(len(self.images))


@dataclass(frozen=True, eq=False)
class StarsWork:
    """Export the starred images of a whole mask: for each a folder of its own with image, mask and recipe."""

    models: Models
    orders: dict[str, RenderOrder]
    name: str
    labels: np.ndarray
    folder: Path

    def __call__(self, on_progress: OnProgress, cancel: CancelToken) -> int:
        from napari_synth.exporting.batch import ExportRequest, export_pairs
        from napari_synth.masks.mask_reader import MaskReader
        from napari_synth.synthesis.recipes import painted_batch

        watch = Stopwatch(len(self.orders), on_progress)
        for done, (stem, order) in enumerate(self.orders.items(), 1):
            cancel.raise_if_cancelled()
            generator = self.models.generator(order.model, order.device)
            batch = painted_batch(
                generator,
                [(self.name, self.labels)],
                options=[order.option] if order.option else [],
                seed=order.seed,
                style=order.style,
                interventions=order.interventions,
                precision=order.precision,
                camera=order.camera,
            )
            wanted = ExportRequest(batch.recipe, self.folder / stem)
            export_pairs(wanted, generator, MaskReader(self.models.shapes, batch.arrays), cancel=cancel)
            watch.report(done)
        return len(self.orders)


def order_for(order: RenderOrder, variation: Variation) -> RenderOrder:
    """The order of the present choice, as a variation of it has it."""
    other = variation.model != order.model
    return replace(
        order,
        model=variation.model,
        option=variation.option,
        style=variation.style,
        seed=variation.seed,
        latent=None if other else order.latent,
        interventions=() if other else order.interventions,
    )
