"""What the Export dock does in the background, away from layers and widgets."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from napari_synth.core.errors import InputError
from napari_synth.core.progress import CancelToken, OnProgress, ignore_progress
from napari_synth.core.recipe import FieldSettings
from napari_synth.exporting.formats.base import PixelSize
from napari_synth.exporting.shard_plan import SHARDS
from napari_synth.ui.docks.export.shards import export_in_shards

if TYPE_CHECKING:
    from napari_synth.exporting.batch import ExportResult
    from napari_synth.ui.context.loaded_models import Models
    from napari_synth.ui.context.order import RenderOrder
    from napari_synth.ui.docks.doubts import Doubts


@dataclass(frozen=True)
class SampledMasks:
    """Masks that are sampled for an export in place of those in layers.

    Attributes
    ----------
    settings : FieldSettings
    seed : int
        Of the first; the others follow from it.
    count : int
    """

    settings: FieldSettings
    seed: int
    count: int


@dataclass(frozen=True, eq=False)
class ExportWork:
    """Export the pairs of some masks.

    Attributes
    ----------
    doubts : Doubts
        What was said of the masks before.
    order : RenderOrder
        How each mask is rendered, beside its option and seed.
    masks : list of (str, ndarray or Path)
        Name and labels, or their file; the first one, in the first option, is the image that was looked at.
    sampled : SampledMasks or None
        Masks in their place.
    options : tuple of str
    variants : int
    rounds : int
        How often the set was asked for: the pairs of later ones have seeds of their own.
    split : str
        Such as ``80/10/10``; empty: all train.
    strict : bool
        Whether what masks are made of is split too.
    real : Path or None
        A folder of real pairs.
    skipped : list of (str, str)
        Name and fault of masks in files that were left out, once it has run.
    found : list of str
        What is serious in masks that were looked at in their turn, once it has run.
    """

    models: Models
    doubts: Doubts
    order: RenderOrder
    masks: list[tuple[str, np.ndarray | Path]]
    sampled: SampledMasks | None
    options: tuple[str, ...]
    variants: int
    rounds: int
    split: str
    strict: bool
    real: Path | None
    folder: Path
    format: str
    overwrite: bool
    pixel_size: PixelSize
    skipped: list[tuple[str, str]] = field(default_factory=list)
    found: list[str] = field(default_factory=list)

    def __call__(self, on_progress: OnProgress, cancel: CancelToken) -> ExportResult:
        from napari_synth.core.recipe import FieldSource
        from napari_synth.datasets.pairs import find_options
        from napari_synth.exporting.batch import ExportRequest, export_pairs
        from napari_synth.exporting.split import parse_split
        from napari_synth.masks.mask_reader import MaskReader
        from napari_synth.synthesis.recipes import painted_batch

        order, masks = self.order, self.masks
        looked_at: list[tuple[str, np.ndarray | Path]] = []
        if self.sampled is None:
            masks = self._filled(cancel)
            looked_at += masks
        if self.real is not None:
            pairs = [pair for one in find_options(self.real) for pair in (*one.training, *one.held_out)]
            looked_at += [(pair.mask.name, pair.mask) for pair in pairs]
        watch = self.doubts.about_masks(looked_at, ignore_progress, cancel)
        generator = self.models.generator(order.model, order.device)
        cancel.raise_if_cancelled()
        batch = painted_batch(
            generator,
            masks,
            condition=None if order.condition is None else (order.condition.name, order.condition.pixels),
            options=self.options,
            variants=self.variants,
            seed=order.seed,
            z=order.z(generator.card.latent_size),
            style=order.style if self.options == (order.option,) else None,
            interventions=order.interventions,
            precision=order.precision,
            camera=order.camera,
        )
        recipe, count = batch.recipe, batch.recipe.count()
        if self.sampled is not None:
            field = FieldSource(settings=self.sampled.settings, seed=self.sampled.seed)
            recipe = recipe.model_copy(update={"masks": [field], "variants": 1})
            count = self.sampled.count * recipe.per_mask
        if self.sampled is not None or self.rounds > 1:
            recipe = recipe.model_copy(update={"n": count * self.rounds})
        wanted = ExportRequest(
            recipe,
            self.folder,
            self.format,
            self.overwrite,
            self.pixel_size,
            split=parse_split(self.split, self.strict) if self.split else None,
            with_real=self.real,
            told_names=True,
            look_at=watch.look_at,
        )
        reader = MaskReader(self.models.shapes, batch.arrays)
        run = export_in_shards if self.format == SHARDS else export_pairs
        result = run(wanted, generator, reader, on_progress, cancel)
        self.found[:] = [finding.sentence for finding in watch.found]
        return result

    def _filled(self, cancel: CancelToken) -> list[tuple[str, np.ndarray | Path]]:
        """The masks without those in files that turn out to be empty, where the model needs nuclei."""
        from napari_synth.datasets.image_files import read_labels

        self.skipped.clear()
        kept: list[tuple[str, np.ndarray | Path]] = []
        for name, mask in self.masks:
            cancel.raise_if_cancelled()
            if isinstance(mask, Path) and self.order.condition is None and not read_labels(mask).any():
                self.skipped.append((name, "is empty"))
            else:
                kept.append((name, mask))
        if not kept:
            raise InputError("All masks that are chosen are empty.", "Choose others, or paint or sample one.")
        return kept
