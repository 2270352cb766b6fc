"""Export a batch of pairs: resumable, never overwriting by itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from napari_synth.core.errors import InputError
from napari_synth.core.files import write_error
from napari_synth.core.progress import CancelToken, OnProgress, Stopwatch, ignore_progress
from napari_synth.core.recipe import RECIPE_NAME, FieldSource, FileSource, MaskSource, Recipe, mask_hash, parse_recipe
from napari_synth.export.base import PairToWrite, PixelSize, Writer, writer
from napari_synth.synthesis.generator import Generator, check_mask, check_option
from napari_synth.synthesis.make import check_model, request_of

if TYPE_CHECKING:
    import numpy as np

    from napari_synth.masks.sources import MaskReader


@dataclass(frozen=True)
class ExportRequest:
    """What to export, and where to.

    Attributes
    ----------
    recipe : Recipe
        One image or a batch.
    folder : Path
        Target; made when missing.
    format : str
        A key of `export.base.formats`.
    overwrite : bool
        Replace the pairs of another export in the folder.
    pixel_size : PixelSize
    """

    recipe: Recipe
    folder: Path
    format: str = "tiff"
    overwrite: bool = False
    pixel_size: PixelSize = field(default_factory=PixelSize)


@dataclass(frozen=True)
class ExportResult:
    """How many pairs the folder holds, and how many of them are new."""

    folder: Path
    total: int
    written: int
    kept: int

    @property
    def complete(self) -> bool:
        return self.written + self.kept == self.total


def export_pairs(
    request: ExportRequest,
    generator: Generator,
    masks: MaskReader,
    on_progress: OnProgress = ignore_progress,
    cancel: CancelToken | None = None,
) -> ExportResult:
    """Render and write every pair of a recipe.

    Pairs that are already there are kept, so an export that was cancelled or killed goes on where
    it stopped. Cancelling keeps what is written.

    Raises
    ------
    InputError
        If the folder holds other pairs, or the recipe cannot be made.
    WorkError
        If the folder cannot be written or the disk is full.
    """
    cancel = cancel or CancelToken()
    recipe = request.recipe
    check_model(recipe, generator)
    for option in recipe.options:
        check_option(generator.card, option)
    recipe = recipe.model_copy(update={"model_sha256": generator.sha256})
    out = writer(request.format)
    stored = portable(recipe, masks, out)
    _prepare(request, stored, out)
    total = recipe.count()
    watch = Stopwatch(total, on_progress)
    written = kept = 0
    for index in range(total):
        if cancel.cancelled:
            break
        stem = recipe.stem(index)
        if all(path.is_file() for path in out.files(request.folder, stem)):
            kept += 1
        else:
            item = recipe.item(index)
            labels = check_mask(masks.labels(item.masks[0]))
            rendering = generator.run(request_of(item, labels))
            source = _stored_source(item.masks[0], labels, Path("..") / out.files(Path(), stem)[1])
            text = item.model_copy(update={"masks": [source]}).to_yaml()
            out.write(request.folder, PairToWrite(stem, rendering.image, labels, text, request.pixel_size))
            written += 1
        watch.report(index + 1, f"pair {index + 1} of {total}")
    return ExportResult(request.folder, total, written, kept)


def portable(recipe: Recipe, masks: MaskReader, out: Writer) -> Recipe:
    """The recipe as it is stored in the export folder: every mask is a field or a file in there."""
    sources = [
        _stored_source(source, masks.labels(source), out.files(Path(), recipe.stem(number * recipe.per_mask))[1])
        for number, source in enumerate(recipe.masks)
    ]
    return recipe.model_copy(update={"masks": sources})


def _stored_source(source: MaskSource, labels: np.ndarray, path: Path) -> MaskSource:
    if isinstance(source, FieldSource):
        return source.model_copy(update={"sha256": mask_hash(labels)})
    return FileSource(path=path.as_posix(), sha256=mask_hash(labels))


def _prepare(request: ExportRequest, stored: Recipe, out: Writer) -> None:
    """Make the folder ready, or refuse it when it holds something else."""
    folder, path = request.folder, request.folder / RECIPE_NAME
    try:
        present = path.read_text(encoding="utf-8") if path.is_file() else None
        others = folder.is_dir() and any(folder.iterdir())
    except OSError as error:
        raise write_error(path, error) from error
    if present is not None:
        try:
            old = parse_recipe(present, RECIPE_NAME)
        except InputError:
            old = None
        if old is not None and old.model_copy(update={"versions": stored.versions}) == stored:
            return
        if request.overwrite and old is not None:
            _remove_pairs(folder, old, out)
    elif others and not request.overwrite and any(p.exists() for p in _all_files(folder, stored, out)):
        present = ""
    if present is not None and not request.overwrite:
        raise InputError(
            f"The folder {folder} already holds other pairs.", "Choose an empty folder, or allow overwriting."
        )
    stored.save(path)


def _all_files(folder: Path, recipe: Recipe, out: Writer) -> list[Path]:
    return [path for index in range(recipe.count()) for path in out.files(folder, recipe.stem(index))]


def _remove_pairs(folder: Path, recipe: Recipe, out: Writer) -> None:
    """Remove the files an earlier recipe made, and nothing else."""
    try:
        for path in _all_files(folder, recipe, out):
            path.unlink(missing_ok=True)
    except OSError as error:
        raise write_error(path, error) from error
