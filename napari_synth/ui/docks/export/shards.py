"""Exports in shards from the window: masks in layers become files first, which every shard is made from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from napari_synth.core.errors import WorkError
from napari_synth.core.progress import CancelToken, OnProgress
from napari_synth.core.recipe import FileSource, ImageFileSource, LayerSource, MaskSource, Recipe
from napari_synth.exporting.parts import SOURCES

if TYPE_CHECKING:
    import numpy as np

    from napari_synth.core.recipe import ConditionSource
    from napari_synth.exporting.batch import ExportRequest, ExportResult
    from napari_synth.masks.mask_reader import MaskReader
    from napari_synth.synthesis.request import Renderer


def export_in_shards(
    wanted: ExportRequest, generator: Renderer, masks: MaskReader, on_progress: OnProgress, cancel: CancelToken
) -> ExportResult:
    """Make the shards of a request, and what is about the whole set once they are there.

    Raises
    ------
    InputError
        If the folder holds something else, or the recipe cannot be made.
    WorkError
        If the folder cannot be written, or a shard could not be made.
    """
    from napari_synth.exporting.batch import ExportResult
    from napari_synth.exporting.finish import finish_export, reader_of
    from napari_synth.exporting.formats.base import Guide
    from napari_synth.exporting.sharded import ShardRequest, export_shards

    def look(path: Path, labels: np.ndarray) -> tuple[()]:
        wanted.look_at(path, labels)
        return ()

    request = ShardRequest(
        in_files(wanted.recipe, masks, wanted.folder),
        str(wanted.folder),
        wanted.split,
        device=generator.device,
        pixel_size=wanted.pixel_size,
        look=look,
    )
    result = export_shards(request, generator, masks, None, on_progress, cancel)
    if result.failed:
        raise WorkError(f"A shard could not be made: {result.failed[0].problem}", "Press Export again.")
    guide = None
    if result.complete:
        finish_export(str(wanted.folder))
        guide = Guide(reader_of(str(wanted.folder)), "webdataset 1.0.2 (WebDataset)")
    return ExportResult(wanted.folder, result.pairs, result.made, result.kept, guide=guide)


def in_files(recipe: Recipe, masks: MaskReader, folder: Path) -> Recipe:
    """The recipe with masks and images of layers as files below the folder, named by what is in them."""
    sources: list[MaskSource] = []
    for source in recipe.masks:
        if isinstance(source, LayerSource):
            path = _kept(folder, "mask", source.sha256, masks.labels(source))
            sources.append(FileSource(path=str(path), sha256=source.sha256))
        else:
            sources.append(source)
    beside: list[ConditionSource] = []
    for image in recipe.conditions:
        if isinstance(image, LayerSource):
            pixels = masks.image(image)
            path = _kept(folder, "image", image.sha256, pixels)
            beside.append(ImageFileSource(path=str(path), sha256=image.sha256))
        else:
            beside.append(image)
    return recipe.model_copy(update={"masks": sources, "conditions": beside})


def _kept(folder: Path, kind: str, sha256: str, pixels: np.ndarray) -> Path:
    from napari_synth.exporting.formats.base import PixelSize
    from napari_synth.exporting.formats.tiff import stored_labels, write_tiff

    path = (folder / SOURCES / f"{kind}_{sha256[:16]}.tif").resolve()
    if not path.is_file():
        write_tiff(path, stored_labels(pixels) if kind == "mask" else pixels, "", PixelSize())
    return path
