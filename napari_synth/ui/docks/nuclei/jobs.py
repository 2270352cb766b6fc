"""What the Nuclei dock does in the background, away from layers and widgets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from napari_synth.core.errors import InputError
from napari_synth.core.progress import CancelToken, OnProgress, Stopwatch
from napari_synth.datasets.image_files import as_labels, read_labels
from napari_synth.datasets.shape_library import library_from_labels, read_shapes
from napari_synth.masks.shape_model import latents_of

if TYPE_CHECKING:
    from napari_synth.core.recipe import FieldSettings
    from napari_synth.datasets.shape_library import ShapeLibrary
    from napari_synth.masks.nucleus_table import NucleusField
    from napari_synth.masks.shape_codes import Latents
    from napari_synth.masks.shape_model import ShapeModel
    from napari_synth.ui.context.loaded_models import Models

CODING_STEPS = 10
"""Items that coding a library counts as, beside its masks."""
FEWEST_SHAPES = 2
"""Fewer leave nothing to choose from, and some samplers need as many."""


@dataclass(frozen=True, eq=False)
class LoadShapesWork:
    """Bring a shape model into memory."""

    steps: ClassVar[int] = 1

    models: Models
    name: str

    def __call__(self, on_progress: OnProgress, cancel: CancelToken) -> ShapeModel:
        shapes = self.models.shapes(self.name)
        shapes.decode(np.zeros((1, shapes.card.latent_size)))  # the first call sets up the decoder
        return shapes


@dataclass(frozen=True, eq=False)
class GrowWork:
    """Sample nuclei into a rectangle of a mask that keeps what it has.

    Attributes
    ----------
    settings : FieldSettings
    seed : int
    labels : ndarray, shape (Y, X)
        The mask as it is.
    window : tuple of int
        Top, left, bottom and right of the rectangle, the last two beyond it.
    density : ndarray, shape (Y, X), optional
        Nuclei lie where it is high.
    """

    steps: ClassVar[int] = 2

    models: Models
    settings: FieldSettings
    seed: int
    labels: np.ndarray
    window: tuple[int, int, int, int]
    density: np.ndarray | None = None

    def __call__(self, on_progress: OnProgress, cancel: CancelToken) -> NucleusField:
        watch = Stopwatch(self.steps, on_progress)
        shapes = self.models.shapes(self.settings.shapes)
        cancel.raise_if_cancelled()
        watch.report(1, "Placing nuclei")
        from napari_synth.masks.field import compose_field

        onto = as_labels(self.labels)
        field = compose_field(
            self.settings, shapes, self.seed, cancel, onto=onto, window=self.window, density=self.density
        )
        watch.report(2, "Done")
        return field


@dataclass(frozen=True, eq=False)
class OwnLibrary:
    """A library of a person's own.

    Attributes
    ----------
    name : str
        What the person knows it by.
    shapes : ShapeLibrary
        As it was cut out or read, to be saved.
    latents : Latents
    setting : str
        What `FieldSettings.library` calls it.
    """

    name: str
    shapes: ShapeLibrary
    latents: Latents
    setting: str


@dataclass(frozen=True, eq=False)
class LibraryWork:
    """Make a library of shapes of masks, or read one from a file, and code it.

    Attributes
    ----------
    shapes : ShapeModel
    source : Path, list of Path or ndarray
        A library file, mask files, or the labels of a layer.
    name : str
        Of the file, the folder or the layer.
    min_box : int
        Smallest bounding box in square pixels, for masks.
    """

    shapes: ShapeModel
    source: Path | list[Path] | np.ndarray
    name: str
    min_box: int

    @property
    def steps(self) -> int:
        """Items of this job: its masks, or its file, and the coding."""
        return (len(self.source) if isinstance(self.source, list) else 1) + CODING_STEPS

    def __call__(self, on_progress: OnProgress, cancel: CancelToken) -> OwnLibrary:
        watch = Stopwatch(self.steps, on_progress)
        file = self.source if isinstance(self.source, Path) else None
        if file is not None:
            watch.report(0, "Reading the file")
            library = read_shapes(file)
        else:
            library = library_from_labels(self._masks(watch, cancel), self.min_box)
        if len(library) < FEWEST_SHAPES:
            action = "Allow a smaller bounding box, or use" if library.dropped.get("small") else "Use"
            raise InputError(
                f"{self.name!r} has only one usable nucleus, but a library needs {FEWEST_SHAPES}.",
                f"{action} masks with more nuclei.",
            )

        def coding(done: int) -> None:
            cancel.raise_if_cancelled()
            watch.report(self.steps - CODING_STEPS + CODING_STEPS * done // len(library), "Coding the shapes")

        coding(0)
        latents = latents_of(self.shapes.coded(library, coding))
        cancel.raise_if_cancelled()
        watch.report(self.steps, "Done")
        return OwnLibrary(self.name, library, latents, self.shapes.keep(latents, file))

    def _masks(self, watch: Stopwatch, cancel: CancelToken) -> Iterator[tuple[str, np.ndarray]]:
        masks = self.source if isinstance(self.source, list) else [self.source]
        for done, mask in enumerate(masks):
            cancel.raise_if_cancelled()
            watch.report(done, "Cutting out nuclei")
            yield (mask.name, read_labels(mask)) if isinstance(mask, Path) else (self.name, mask)
