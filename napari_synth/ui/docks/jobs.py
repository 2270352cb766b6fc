"""What the jobs of the window do, away from layers and widgets."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from napari_synth.core.progress import CancelToken, OnProgress, Stopwatch
from napari_synth.core.recipe import (
    FieldSettings,
    Intervention,
    LayerSource,
    Precision,
    Recipe,
    RecombineSettings,
    image_hash,
    mask_hash,
    versions,
)
from napari_synth.core.seeds import derived_seed
from napari_synth.export.formats.base import PixelSize

if TYPE_CHECKING:
    from napari_synth.core.boxes import Box
    from napari_synth.export.batch import ExportResult
    from napari_synth.masks.nucleus_table import NucleusField
    from napari_synth.masks.statistics import FieldStatistics
    from napari_synth.synthesis.generator import Rendering, RenderRequest
    from napari_synth.synthesis.live.canvas import LiveCanvas, LiveRendering
    from napari_synth.ui.context.loaded_models import LoadedModels

STEPS = 2
"""Items of the jobs that load a model and then compute once."""


@dataclass(frozen=True)
class Rendered:
    """An image and all that is said about it."""

    rendering: Rendering
    recipe: Recipe
    device: str


@dataclass(frozen=True)
class LiveResult:
    """The changed parts of an image; the recipe only when the edit has ended."""

    rendering: LiveRendering
    recipe: Recipe | None
    device: str
    model: str


@dataclass(eq=False)
class RenderWork:
    """Render one mask in one look.

    Attributes
    ----------
    look : RenderRequest
        All but the mask.
    near : tuple of float, optional
        Place (y, x) around which the tiles of a large image are rendered first.
    image : ndarray, optional
        The image of a large mask, filled while tiles are finished.
    """

    shelf: LoadedModels
    labels: np.ndarray
    layer_name: str
    model: str
    look: RenderRequest
    device: str
    condition: np.ndarray | None = None
    condition_name: str = ""
    near: tuple[float, float] | None = None
    image: np.ndarray | None = None

    def __call__(self, on_progress: OnProgress, cancel: CancelToken) -> Rendered:
        from napari_synth.synthesis.generator import check_mask
        from napari_synth.synthesis.recipes import painted_recipe
        from napari_synth.synthesis.tiles import Follow

        watch = Stopwatch(STEPS, on_progress)
        labels = check_mask(self.labels, may_be_empty=self.condition is not None)
        watch.report(0, "Loading the model")
        generator = self.shelf.generator(self.model, self.device)
        cancel.raise_if_cancelled()
        watch.report(1, "Rendering")
        request = replace(self.look, mask=labels, condition=self.condition)
        rendering = generator.run(request, Follow(on_progress, cancel, self._fill, self.near))
        watch.report(2, "Done")
        recipe = painted_recipe(generator, request, self.layer_name, self.condition_name)
        return Rendered(rendering, recipe, generator.device)

    def _fill(self, box: Box, pixels: np.ndarray) -> None:
        if self.image is None:
            self.image = np.zeros((*self.labels.shape, *pixels.shape[2:]), pixels.dtype)
        self.image[box.top : box.bottom, box.left : box.right] = pixels


@dataclass(frozen=True, eq=False)
class Sampled:
    """A field of nuclei, and what was measured on it."""

    field: NucleusField
    statistics: FieldStatistics | None


@dataclass(frozen=True, eq=False)
class FieldWork:
    """Sample one field of nuclei, and measure it where it is to be compared."""

    shelf: LoadedModels
    settings: FieldSettings
    seed: int
    density: np.ndarray | None = None
    measured: bool = False

    def __call__(self, on_progress: OnProgress, cancel: CancelToken) -> Sampled:
        watch = Stopwatch(STEPS, on_progress)
        watch.report(0, "Loading the shape model")
        shapes = self.shelf.shapes(self.settings.shapes)
        cancel.raise_if_cancelled()
        watch.report(1, "Placing nuclei")
        from napari_synth.masks.field import compose_field

        field = compose_field(self.settings, shapes, self.seed, cancel, density=self.density)
        statistics = None
        if self.measured and field.placed:
            from napari_synth.masks.statistics import measure

            statistics = measure([("field", field.labels)])
        watch.report(2, "Done")
        return Sampled(field, statistics)


@dataclass(frozen=True, eq=False)
class FitWork:
    """Fit the field settings to real masks: a folder, or the labels of a layer."""

    shelf: LoadedModels
    settings: FieldSettings
    masks: Path | np.ndarray
    name: str

    def __call__(self, on_progress: OnProgress, cancel: CancelToken) -> tuple[FieldStatistics, FieldSettings]:
        from napari_synth.masks.statistics import fit, measure, measure_folder

        watch = Stopwatch(STEPS, on_progress)
        watch.report(0, "Measuring the masks")
        masks = self.masks
        measured = measure([(self.name, masks)]) if isinstance(masks, np.ndarray) else measure_folder(masks)
        cancel.raise_if_cancelled()
        watch.report(1, "Trying spacings")
        return measured, fit(measured, self.settings, self.shelf.shapes(self.settings.shapes), cancel=cancel)


@dataclass(frozen=True, eq=False)
class RecombineWork:
    """Make masks of real label maps."""

    paths: list[str]
    height: int
    width: int
    variants: int
    seed: int

    def __call__(self, on_progress: OnProgress, cancel: CancelToken) -> list[np.ndarray]:
        from napari_synth.core.errors import InputError
        from napari_synth.masks.recombine import find_maps, read_maps, recombine

        watch = Stopwatch(self.variants, on_progress)
        try:
            settings = RecombineSettings(height=self.height, width=self.width)
        except ValueError as error:
            raise InputError(
                f"A mask of {self.width}×{self.height} pixels cannot be made.", "Use sides of 16 to 8192 pixels."
            ) from error
        library = read_maps(find_maps(self.paths))
        made: list[np.ndarray] = []
        while len(made) < self.variants:
            cancel.raise_if_cancelled()
            number = derived_seed(self.seed, "recombined", len(made)) if made else self.seed
            made.append(recombine(library, settings, number))
            watch.report(len(made))
        return made


@dataclass(frozen=True, eq=False)
class ExportWork:
    """Export the pairs of some masks.

    Attributes
    ----------
    masks : list of (str, ndarray)
        Layer name and labels.
    condition : (str, ndarray), optional
        Layer name and image that goes with all masks.
    """

    shelf: LoadedModels
    masks: list[tuple[str, np.ndarray]]
    model: str
    options: list[str]
    variants: int
    seed: int | None
    device: str
    folder: Path
    format: str
    overwrite: bool
    pixel_size: PixelSize
    interventions: tuple[Intervention, ...] = ()
    condition: tuple[str, np.ndarray] | None = None
    precision: Precision = "exact"

    def __call__(self, on_progress: OnProgress, cancel: CancelToken) -> ExportResult:
        from napari_synth.export.batch import ExportRequest, export_pairs
        from napari_synth.synthesis.generator import check_mask

        may_be_empty = self.condition is not None
        masks = [(name, check_mask(labels, may_be_empty)) for name, labels in self.masks]
        generator = self.shelf.generator(self.model, self.device)
        cancel.raise_if_cancelled()
        from napari_synth.masks.mask_reader import MaskReader
        from napari_synth.synthesis.recipes import model_name

        sources = [LayerSource(name=name, sha256=mask_hash(labels)) for name, labels in masks]
        conditions, in_memory = [], {source.sha256: labels for source, (_, labels) in zip(sources, masks, strict=True)}
        if self.condition is not None:
            name, image = self.condition
            conditions = [LayerSource(name=name, sha256=image_hash(image))]
            in_memory[conditions[0].sha256] = image
        recipe = Recipe(
            model=model_name(generator),
            model_sha256=generator.sha256,
            masks=sources,
            conditions=conditions,
            options=self.options,
            variants=self.variants,
            seed=self.seed,
            interventions=list(self.interventions),
            precision=self.precision,
            versions=versions(),
        )
        request = ExportRequest(recipe, self.folder, self.format, self.overwrite, self.pixel_size)
        return export_pairs(request, generator, MaskReader(self.shelf.shapes, in_memory), on_progress, cancel)


@dataclass(frozen=True, eq=False)
class LiveWork:
    """Bring the image of an edited mask up to date.

    Attributes
    ----------
    look : RenderRequest
        All but the mask.
    settled : bool
        Whether the edit has ended.
    """

    shelf: LoadedModels
    canvas: LiveCanvas
    layer_name: str
    model: str
    device: str
    look: RenderRequest
    settled: bool
    condition_name: str = ""

    def __call__(self, on_progress: OnProgress, cancel: CancelToken) -> LiveResult:
        from napari_synth.synthesis.recipes import painted_recipe
        from napari_synth.synthesis.tiles import Follow

        generator = self.shelf.generator(self.model, self.device)
        follow = Follow(on_progress, cancel)
        rendering = self.canvas.follow(generator, self.look, settled=self.settled, follow=follow)
        recipe = None
        if self.settled:
            recipe = painted_recipe(generator, rendering.request, self.layer_name, self.condition_name)
        return LiveResult(rendering, recipe, generator.device, self.model)
