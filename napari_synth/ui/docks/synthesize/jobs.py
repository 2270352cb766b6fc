"""What the Synthesize dock does in the background, away from layers and widgets."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from napari_synth.core.progress import CancelToken, OnProgress, Stopwatch

if TYPE_CHECKING:
    from pathlib import Path

    from napari_synth.core.boxes import Box
    from napari_synth.core.recipe import FieldSettings, Recipe, Style
    from napari_synth.evaluation.microscope import FittedCamera
    from napari_synth.exporting.exported import Exported
    from napari_synth.synthesis.live.canvas import LiveCanvas, LiveRendering
    from napari_synth.synthesis.request import Rendering
    from napari_synth.ui.context.loaded_models import Models
    from napari_synth.ui.context.order import RenderOrder

STEPS = 2


@dataclass(frozen=True, eq=False)
class Rendered:
    """An image and all that is said about it."""

    rendering: Rendering
    recipe: Recipe
    device: str


@dataclass(eq=False)
class RenderWork:
    """Render one mask as ordered.

    Attributes
    ----------
    labels : ndarray, shape (Y, X)
    near : tuple of float, optional
        Place (y, x) around which the tiles of a large image are rendered first.
    image : ndarray, optional
        The image of a large mask, filled while tiles are finished.
    """

    models: Models
    order: RenderOrder
    labels: np.ndarray
    near: tuple[float, float] | None = None
    image: np.ndarray | None = None

    def __call__(self, on_progress: OnProgress, cancel: CancelToken) -> Rendered:
        from napari_synth.synthesis.recipes import painted_recipe
        from napari_synth.synthesis.request import Steering, check_mask

        watch, order = Stopwatch(STEPS, on_progress), self.order
        labels = check_mask(self.labels, may_be_empty=order.condition is not None)
        watch.report(0, "Loading the model")
        generator = self.models.generator(order.model, order.device)
        cancel.raise_if_cancelled()
        watch.report(1, order.mask)
        request = order.request(labels, generator.card.latent_size)
        rendering = generator.run(request, Steering(on_progress, cancel, self._fill, self.near))
        watch.report(2, "Done")
        beside = order.condition.name if order.condition is not None else ""
        return Rendered(rendering, painted_recipe(generator, request, order.mask, beside), generator.device)

    def _fill(self, box: Box, pixels: np.ndarray) -> None:
        if self.image is None:
            self.image = np.zeros((*self.labels.shape, *pixels.shape[2:]), pixels.dtype)
        self.image[box.top : box.bottom, box.left : box.right] = pixels


@dataclass(frozen=True, eq=False)
class FitCameraWork:
    """Fit the camera, and number and size of the nuclei, to images: a folder, or the pixels of layers."""

    models: Models
    model: str
    device: str
    option: str
    style: Style | None
    images: Path | list[np.ndarray]
    field: FieldSettings

    def __call__(self, on_progress: OnProgress, cancel: CancelToken) -> FittedCamera:
        from napari_synth.evaluation.microscope import fit_to

        generator = self.models.generator(self.model, self.device)
        cancel.raise_if_cancelled()
        return fit_to(
            self.images,
            generator,
            self.models.shapes(self.field.shapes),
            self.option or None,
            self.style,
            field=self.field,
            on_progress=on_progress,
            cancel=cancel,
        )


@dataclass(frozen=True, eq=False)
class ReplayWork:
    """Read an exported file, folder or recipe; gives it with the name of the weights it was made with."""

    models: Models
    path: Path

    def __call__(self, on_progress: OnProgress, cancel: CancelToken) -> tuple[Exported, str]:
        from napari_synth.exporting.exported import open_exported
        from napari_synth.masks.mask_reader import MaskReader
        from napari_synth.models.registry import bundled_paths, recipe_weights

        watch = Stopwatch(STEPS, on_progress)
        watch.report(0, "Reading")
        exported = open_exported(self.path, MaskReader(self.models.shapes, load_pairs=self.models.pairs))
        watch.report(1, "Looking for the model")
        recipe = exported.recipe
        weights = recipe_weights(recipe.model, recipe.model_sha256)
        if exported.image is None and exported.walk is None and recipe.makes(recipe.masks[0]):
            exported = replace(exported, image=self._pair_image(recipe))
        watch.report(2, "Done")
        bundled = recipe.model in bundled_paths() and weights == bundled_paths()[recipe.model]
        return exported, recipe.model if bundled else str(weights.resolve())

    def _pair_image(self, recipe: Recipe) -> np.ndarray:
        """The image of a pair from noise, which no choice of a look renders."""
        from napari_synth.masks.mask_reader import MaskReader
        from napari_synth.synthesis.recipes import read_request

        model = self.models.pairs(recipe.model)
        reader = MaskReader(self.models.shapes, load_pairs=self.models.pairs)
        return model.generator.run(read_request(recipe, reader)).image


@dataclass(frozen=True, eq=False)
class Followed:
    """The changed parts of an image; the recipe only when the edit has ended."""

    rendering: LiveRendering
    recipe: Recipe | None


@dataclass(frozen=True, eq=False)
class FollowWork:
    """Bring the image of an edited mask up to date.

    Attributes
    ----------
    settled : bool
        Whether the edit has ended.
    """

    models: Models
    order: RenderOrder
    canvas: LiveCanvas
    settled: bool

    def __call__(self, on_progress: OnProgress, cancel: CancelToken) -> Followed:
        from napari_synth.synthesis.recipes import painted_recipe
        from napari_synth.synthesis.request import Steering

        order = self.order
        generator = self.models.generator(order.model, order.device)
        look = order.request(np.zeros((0, 0), np.int32), generator.card.latent_size)
        steering = Steering(on_progress, cancel)
        rendering = self.canvas.follow(generator, look, settled=self.settled, steering=steering)
        if not self.settled:
            return Followed(rendering, None)
        beside = order.condition.name if order.condition is not None else ""
        return Followed(rendering, painted_recipe(generator, rendering.request, order.mask, beside))
