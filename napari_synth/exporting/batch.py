"""Export a batch of pairs: resumable, never overwriting by itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_synth.core.errors import InputError
from napari_synth.core.files import write_error
from napari_synth.core.progress import CancelToken, OnProgress, Stopwatch, ignore_progress
from napari_synth.core.recipe import (
    RECIPE_NAME,
    FieldSource,
    FileSource,
    ImageFileSource,
    MaskSource,
    Recipe,
    RecombinedSource,
    image_hash,
    mask_hash,
    parse_recipe,
)
from napari_synth.exporting.formats import FORMATS
from napari_synth.exporting.formats.base import PairToWrite, PixelSize, Writer
from napari_synth.synthesis.generator import Generator
from napari_synth.synthesis.recipes import check_model, request_of
from napari_synth.synthesis.request import check_condition, check_option
from napari_synth.synthesis.styles import check_style

if TYPE_CHECKING:
    import numpy as np

    from napari_synth.masks.mask_reader import MaskReader
    from napari_synth.models.card import ModelCard


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
        A key of `exporting.formats.FORMATS`.
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
    recipe, card = request.recipe, generator.card
    check_model(recipe, generator)
    for option in recipe.options:
        check_option(card, option)
    check_style(card, recipe.style)
    recipe = recipe.model_copy(update={"model_sha256": generator.sha256})
    out = FORMATS[request.format]
    stored = portable(recipe, masks, out, card)
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
            labels = masks.labels(item.masks[0])
            beside = masks.image(item.conditions[0]) if item.conditions else None
            rendering = generator.run(request_of(item, labels, beside))
            image_path, mask_path = (Path("..") / path for path in out.files(Path(), stem))
            stored_here: dict[str, Any] = {"masks": [_stored_source(item.masks[0], labels, mask_path)]}
            if rendering.condition is not None:
                stored_here["conditions"] = [_stored_condition(rendering.condition, image_path)]
            text = item.model_copy(update=stored_here).to_yaml()
            channels = (*card.condition_channels, card.output_channel) if card.condition_channels else ()
            pair = PairToWrite(stem, rendering.image, labels, text, request.pixel_size, rendering.condition, channels)
            out.write(request.folder, pair)
            written += 1
        watch.report(index + 1, f"pair {index + 1} of {total}")
    return ExportResult(request.folder, total, written, kept)


def portable(recipe: Recipe, masks: MaskReader, out: Writer, card: ModelCard) -> Recipe:
    """The recipe as it is stored in the export folder: every mask is a field or a file in there.

    So is every image beside a mask: the first channel of what is exported.
    """
    files = [out.files(Path(), recipe.stem(number * recipe.per_mask)) for number in range(len(recipe.masks))]
    sources: list[MaskSource] = []
    for source, (_, path) in zip(recipe.masks, files, strict=True):
        labels = masks.labels(source)
        kept = isinstance(source, RecombinedSource)  # so that more pairs than masks are still new ones
        sources.append(
            source.model_copy(update={"sha256": _known_hash(source, labels)})
            if kept
            else _stored_source(source, labels, path)
        )
    conditions = []
    for position, beside in enumerate(recipe.conditions):
        shape = masks.labels(recipe.masks[position]).shape
        image = check_condition(card, masks.image(beside), shape)
        conditions += [] if image is None else [_stored_condition(image, files[position][0])]
    return recipe.model_copy(update={"masks": sources, "conditions": conditions})


def _stored_condition(image: np.ndarray, path: Path) -> ImageFileSource:
    return ImageFileSource(path=path.as_posix(), channel=0, dtype=image.dtype.name, sha256=image_hash(image))


def _stored_source(source: MaskSource, labels: np.ndarray, path: Path) -> MaskSource:
    sha256 = _known_hash(source, labels)
    if isinstance(source, FieldSource):
        return source.model_copy(update={"sha256": sha256})
    return FileSource(path=path.as_posix(), sha256=sha256)


def _known_hash(source: MaskSource, labels: np.ndarray) -> str:
    """The hash of labels that a `MaskReader` gave for a source, which it compared with the source's own."""
    return source.sha256 or mask_hash(labels)


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
