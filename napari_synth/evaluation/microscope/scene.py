"""What lies before the camera while it is fitted: patches as the model makes them of masks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from napari_synth.core.errors import InputError
from napari_synth.core.progress import CancelToken
from napari_synth.core.recipe import FieldSettings, Style
from napari_synth.core.recipe.camera import CameraSettings
from napari_synth.core.seeds import derived_seed, numpy_rng
from napari_synth.evaluation.microscope.images import Patch, in_grey
from napari_synth.synthesis.camera import photograph, photograph_part
from napari_synth.synthesis.request import RenderRequest

if TYPE_CHECKING:
    from napari_synth.masks.shape_model import ShapeModel
    from napari_synth.synthesis.request import Renderer

MARGIN = 16
"""Pixels around a patch that the blur reaches into it from."""
BORDER = 32
"""Of a field, where fewer nuclei lie."""
TRIES = 20
NOISE = 5.0
"""Grey levels of noise that weights of channels should bear."""

Composer = Callable[[int, int], np.ndarray]
"""Labels of a canvas of this side, by a seed."""


@dataclass(frozen=True, eq=False)
class Scene:
    """Canvases as the model makes them; each holds four patches with `MARGIN` around them.

    Attributes
    ----------
    images : tuple of ndarray
        uint8, grey or RGB.
    labels : tuple of ndarray
    patches : tuple of Patch
        The places of real patches, of each of which there is one here.
    """

    images: tuple[np.ndarray, ...]
    labels: tuple[np.ndarray, ...]
    patches: tuple[Patch, ...]

    @property
    def dark(self) -> bool:
        """Whether nuclei are darker than what is around them."""
        inside = np.concatenate([image[mask > 0].ravel() for image, mask in zip(self.images, self.labels, strict=True)])
        outside = np.concatenate(
            [image[mask == 0].ravel() for image, mask in zip(self.images, self.labels, strict=True)]
        )
        return bool(inside.mean() < outside.mean())

    @property
    def telling(self) -> np.ndarray:
        """Weights of the channels in whose sum nuclei are told best from the rest, and brighter: Fisher's discriminant.

        ``(3,)``; ``(1,)`` of grey images.
        """
        pixels = np.concatenate([image.reshape(image.shape[0] * image.shape[1], -1) for image in self.images])
        inside = np.concatenate([mask.ravel() > 0 for mask in self.labels])
        apart = pixels[inside].mean(0) - pixels[~inside].mean(0)
        spread = np.atleast_2d(np.cov(pixels.T)) + NOISE**2 * np.eye(len(apart))
        weights = np.linalg.solve(spread, apart)
        shares: np.ndarray = weights / np.abs(weights).sum()
        return shares

    def whole(self, camera: CameraSettings) -> list[np.ndarray]:
        """Each canvas as a camera sees it, uint8, grey or RGB."""
        return [photograph(image, camera, number) for number, image in enumerate(self.images)]

    @property
    def covered(self) -> np.ndarray:
        """Share of each patch, with its margin, that nuclei cover, ``(N,)``."""
        return np.array(
            [(self.labels[number // 4][self._place(number)] > 0).mean() for number in range(len(self.patches))]
        )

    def _place(self, number: int) -> tuple[slice, slice]:
        """Where a patch lies in its canvas, with its margin."""
        side = self.patches[number].box.height
        wide = side + 2 * MARGIN
        top, left = ((number % 4) // 2 * side, number % 2 * side)
        return slice(top, top + wide), slice(left, left + wide)

    def seen(self, camera: CameraSettings, cancel: CancelToken) -> np.ndarray:
        """Its patches as a camera sees them at the places of the real ones, ``(N, S, S)`` float32 in grey."""
        found = []
        for number, patch in enumerate(self.patches):
            cancel.raise_if_cancelled()
            pixels = self.images[number // 4][self._place(number)]
            over = patch.box.grown(MARGIN)
            found.append(in_grey(photograph_part(pixels, over, patch.box, patch.shape, camera, number)))
        return np.stack(found)


def composer(settings: FieldSettings, shapes: ShapeModel) -> Composer:
    """The middle of fields of nuclei with these settings: nuclei are cut off at its border, as in a microscope."""
    from napari_synth.masks.field import compose_field

    def compose(side: int, seed: int) -> np.ndarray:
        wide = settings.model_copy(update={"height": side + 2 * BORDER, "width": side + 2 * BORDER})
        labels = compose_field(wide, shapes, seed).labels
        return np.ascontiguousarray(labels[BORDER:-BORDER, BORDER:-BORDER])

    return compose


def cutter(masks: Sequence[np.ndarray]) -> Composer:
    """Squares of masks, turned; masks that are too small go on by reflection."""

    def compose(side: int, seed: int) -> np.ndarray:
        rng = numpy_rng(seed, "camera mask")
        for _ in range(TRIES):
            mask = masks[int(rng.integers(len(masks)))]
            lack = [(0, max(0, side - n)) for n in mask.shape]
            mask = np.pad(mask, lack, "symmetric")
            top, left = (int(rng.integers(n - side + 1)) for n in mask.shape)
            cut = np.rot90(mask[top : top + side, left : left + side], int(rng.integers(4)))
            if cut.any():
                return np.ascontiguousarray(cut)
        raise InputError("The masks are nearly empty.", "Use masks with more nuclei.")

    return compose


def scene(
    generator: Renderer,
    option: str | None,
    style: Style | None,
    compose: Composer,
    patches: Sequence[Patch],
    seed: int,
    cancel: CancelToken,
) -> Scene:
    """Render as many patches as there are of the microscope."""
    side = 2 * patches[0].box.height + 2 * MARGIN
    images, labels = [], []
    for canvas in range(-(-len(patches) // 4)):
        cancel.raise_if_cancelled()
        number = derived_seed(seed, "camera scene", canvas)
        mask = compose(side, number)
        if not mask.any():
            mask[side // 2, side // 2] = 1  # a model takes no empty mask
        images.append(generator.run(RenderRequest(mask, option, number, style=style)).image)
        labels.append(mask)
    return Scene(tuple(images), tuple(labels), tuple(patches))
