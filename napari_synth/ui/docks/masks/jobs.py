"""What the Masks dock does in the background, away from layers and widgets."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from napari_synth.core.errors import InputError
from napari_synth.core.progress import CancelToken, OnProgress, Stopwatch
from napari_synth.core.recipe import FieldSettings, Recipe, RecombineSettings
from napari_synth.ui.napari_bridge.mask_files import MOST_LAYERS

if TYPE_CHECKING:
    from napari_synth.datasets.foreign_masks import ForeignMask
    from napari_synth.datasets.mask_sources import MaskSeries
    from napari_synth.evaluation.pair_check import CheckedMask, Report
    from napari_synth.masks.conversion import How
    from napari_synth.masks.nucleus_table import NucleusField
    from napari_synth.masks.statistics import FieldStatistics
    from napari_synth.synthesis.pairs import Pair
    from napari_synth.ui.context.loaded_models import Models

STEPS = 2


@dataclass(frozen=True, eq=False)
class Sampled:
    """A field of nuclei, what was measured on it, its seed, and the title of the library its shapes are of."""

    field: NucleusField
    statistics: FieldStatistics | None
    seed: int
    library: str


@dataclass(frozen=True, eq=False)
class FieldWork:
    """Sample one field of nuclei, and measure it where it is to be compared."""

    models: Models
    settings: FieldSettings
    seed: int
    density: np.ndarray | None = None
    measured: bool = False
    library: str = ""

    def __call__(self, on_progress: OnProgress, cancel: CancelToken) -> Sampled:
        watch = Stopwatch(STEPS, on_progress)
        watch.report(0, "Loading the shape model")
        shapes = self.models.shapes(self.settings.shapes)
        cancel.raise_if_cancelled()
        watch.report(1, "Placing nuclei")
        from napari_synth.masks.field import compose_field

        field = compose_field(self.settings, shapes, self.seed, cancel, density=self.density)
        statistics = None
        if self.measured and field.placed:
            from napari_synth.masks.statistics import measure

            statistics = measure([("field", field.labels)])
        watch.report(2, "Done")
        return Sampled(field, statistics, self.seed, self.library)


@dataclass(frozen=True, eq=False)
class FitWork:
    """Fit the field settings to real masks: a folder, or the labels of a layer."""

    models: Models
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
        return measured, fit(measured, self.settings, self.models.shapes(self.settings.shapes), cancel=cancel)


@dataclass(frozen=True, eq=False)
class RecombineWork:
    """Make masks of real label maps."""

    paths: list[str]
    height: int
    width: int
    count: int
    seed: int

    def __call__(self, on_progress: OnProgress, cancel: CancelToken) -> list[np.ndarray]:
        from napari_synth.masks.recombine import LabelMaps, recombined_masks

        watch = Stopwatch(self.count, on_progress)
        try:
            settings = RecombineSettings(height=self.height, width=self.width)
        except ValueError as error:
            text = f"A mask of {self.width}×{self.height} pixels cannot be made."
            raise InputError(text, "Use sides of 16 to 8192 pixels.") from error
        made: list[np.ndarray] = []
        for _, mask in recombined_masks(LabelMaps.read(self.paths), settings, self.count, self.seed):
            cancel.raise_if_cancelled()
            made.append(mask)
            watch.report(len(made))
        return made


@dataclass(frozen=True, eq=False)
class Opened:
    """A series of masks, and those of them that become layers: all, or of many the first."""

    series: MaskSeries
    masks: list[ForeignMask]


@dataclass(frozen=True, eq=False)
class OpenWork:
    """List the masks in files and folders, whoever wrote them, and read those that become layers."""

    paths: list[Path]

    def __call__(self, on_progress: OnProgress, cancel: CancelToken) -> Opened:
        from napari_synth.datasets.mask_sources import joined, mask_series

        watch = Stopwatch(len(self.paths), on_progress)
        found: list[MaskSeries] = []
        for number, path in enumerate(self.paths, 1):
            cancel.raise_if_cancelled()
            found.append(mask_series(path))
            watch.report(number, path.name)
        series = joined(found)
        count = len(series) if len(series) <= MOST_LAYERS else 1
        watch = Stopwatch(count, on_progress)
        masks: list[ForeignMask] = []
        for index in range(count):
            cancel.raise_if_cancelled()
            masks.append(series.read(index))
            watch.report(index + 1, series.stems[index])
        return Opened(series, masks)


@dataclass(frozen=True, eq=False)
class ReadWork:
    """Read one mask of a series."""

    series: MaskSeries
    index: int

    def __call__(self, on_progress: OnProgress, cancel: CancelToken) -> ForeignMask:
        return self.series.read(self.index)


@dataclass(frozen=True, eq=False)
class ConvertWork:
    """Make labels of an image that looks like a mask.

    Attributes
    ----------
    pixels : ndarray, shape (Y, X) or (Y, X, 3 or 4)
    name : str
        What error sentences call it.
    how : How
    """

    pixels: np.ndarray
    name: str
    how: How

    def __call__(self, on_progress: OnProgress, cancel: CancelToken) -> np.ndarray:
        from napari_synth.masks.conversion import labels_of

        watch = Stopwatch(1, on_progress)
        labels = labels_of(self.pixels, f"The layer {self.name!r}", self.how)
        watch.report(1, "Done")
        return labels


@dataclass(frozen=True, eq=False)
class CheckMasksWork:
    """Look for faults in masks of the window."""

    masks: list[tuple[str, np.ndarray]]

    def __call__(self, on_progress: OnProgress, cancel: CancelToken) -> list[CheckedMask]:
        from napari_synth.evaluation.pair_check import check_masks

        return check_masks(self.masks, on_progress, cancel)


@dataclass(frozen=True, eq=False)
class CheckFolderWork:
    """Look for faults in a folder of pairs or masks."""

    folder: Path

    def __call__(self, on_progress: OnProgress, cancel: CancelToken) -> Report:
        from napari_synth.evaluation.pair_check import check_pairs

        return check_pairs(self.folder, on_progress, cancel)


@dataclass(frozen=True, eq=False)
class CureFolderWork:
    """Cure a copy of a folder."""

    report: Report
    copy: Path

    def __call__(self, on_progress: OnProgress, cancel: CancelToken) -> list[Path]:
        return self.report.repair(self.copy, None, on_progress, cancel)


@dataclass(frozen=True, eq=False)
class CureMaskWork:
    """Cure a copy of a mask."""

    labels: np.ndarray
    checked: CheckedMask

    def __call__(self, on_progress: OnProgress, cancel: CancelToken) -> np.ndarray:
        from napari_synth.evaluation.pair_check import cured_mask

        watch = Stopwatch(1, on_progress)
        labels = cured_mask(self.labels, self.checked.findings)
        watch.report(1, self.checked.name)
        return labels


@dataclass(frozen=True, eq=False)
class NoiseWork:
    """Make a pair from noise."""

    models: Models
    model: str
    option: str
    seed: int
    device: str

    def __call__(self, on_progress: OnProgress, cancel: CancelToken) -> Pair:
        watch = Stopwatch(STEPS, on_progress)
        watch.report(0, "Loading the model")
        model = self.models.pairs(self.model, self.device)
        cancel.raise_if_cancelled()
        watch.report(1, "Making image and mask")
        pair = model.sample(self.seed, self.option)
        watch.report(2, "Done")
        return pair


@dataclass(frozen=True, eq=False)
class NoiseWalk:
    """Pairs on the way from one to another.

    Attributes
    ----------
    images : ndarray, shape (step, Y, X) or (step, Y, X, 3), uint8
    labels : ndarray, shape (step, Y, X), uint16
    recipe : Recipe
        Of the first.
    """

    images: np.ndarray
    labels: np.ndarray
    recipe: Recipe


@dataclass(frozen=True, eq=False)
class NoiseWalkWork:
    """Walk from a pair to that of another seed; the grain stays that of the first."""

    pair: NoiseWork
    to_seed: int
    steps: int

    def __call__(self, on_progress: OnProgress, cancel: CancelToken) -> NoiseWalk:
        from napari_synth.masks.binary import binary_instances
        from napari_synth.synthesis.latents.paths import latent_path

        watch, asked = Stopwatch(self.steps, on_progress), self.pair
        model = asked.models.pairs(asked.model, asked.device)
        first = model.sample(asked.seed, asked.option)
        end = model.mask(model.source(self.to_seed, asked.option)).z
        images, labels = [], []
        for z in latent_path(first.z, end, self.steps):
            cancel.raise_if_cancelled()
            image, values = model.decode(z, asked.option, asked.seed)
            images.append(image)
            labels.append(binary_instances(values > 0).astype(np.uint16))
            watch.report(len(images))
        return NoiseWalk(np.stack(images), np.stack(labels), first.recipe)
