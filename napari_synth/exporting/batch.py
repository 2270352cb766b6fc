"""Export a batch of pairs: resumable, never overwriting by itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_synth.core.errors import InputError
from napari_synth.core.files import holds_other, write_error
from napari_synth.core.locks import LOCK_NAME, holding
from napari_synth.core.manifest import Manifest, State
from napari_synth.core.names import check_inside
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
from napari_synth.datasets.image_files import check_not_edited, opens
from napari_synth.exporting.formats import FORMATS
from napari_synth.exporting.formats.base import PairToWrite, PixelSize, Writer
from napari_synth.synthesis.recipes import check_model, request_of
from napari_synth.synthesis.request import Renderer, check_condition, check_option
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
    """How many pairs the folder holds, how many of them are new, and which files were found damaged."""

    folder: Path
    total: int
    written: int
    kept: int
    made_again: tuple[Path, ...] = ()

    @property
    def complete(self) -> bool:
        return self.written + self.kept == self.total


def export_pairs(
    request: ExportRequest,
    generator: Renderer,
    masks: MaskReader,
    on_progress: OnProgress = ignore_progress,
    cancel: CancelToken | None = None,
) -> ExportResult:
    """Render and write every pair of a recipe.

    Pairs that are there as they were written, by the hashes in `Manifest`, are kept, so an export that
    was cancelled or killed goes on where it stopped; what a power cut left damaged is made again.
    Cancelling keeps what is written. The folder is locked meanwhile.

    Raises
    ------
    InputError
        If the folder holds other pairs or somebody changed one, or the recipe cannot be made.
    WorkError
        If the folder cannot be written, is in use by another export, or the disk is full.
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
    with holding(request.folder / LOCK_NAME, f"The folder {request.folder}"):
        return _export(request, recipe, stored, generator, masks, out, on_progress, cancel)


def _export(
    request: ExportRequest,
    recipe: Recipe,
    stored: Recipe,
    generator: Renderer,
    masks: MaskReader,
    out: Writer,
    on_progress: OnProgress,
    cancel: CancelToken,
) -> ExportResult:
    manifest = Manifest(request.folder)
    _prepare(request, stored, out, manifest)
    total = recipe.count()
    watch = Stopwatch(total, on_progress)
    written = kept = 0
    damaged: list[Path] = []
    for index in range(total):
        if cancel.cancelled:
            break
        stem = recipe.stem(index)
        files = out.files(request.folder, stem)
        states = {path: manifest.state(path) for path in files}
        unlisted = [path for path, state in states.items() if state is State.UNLISTED]
        if all(state in (State.WHOLE, State.UNLISTED) for state in states.values()) and all(map(opens, unlisted)):
            kept += 1
            manifest.add(unlisted)
        else:
            changed = [path for path, state in states.items() if state is State.CHANGED]
            for path in () if request.overwrite else changed:
                check_not_edited(path)
            damaged += changed
            out.write(request.folder, _rendered(request, recipe.item(index), stem, generator, masks, out))
            manifest.add(files)
            written += 1
        watch.report(index + 1, f"pair {index + 1} of {total}")
    if not (request.folder / RECIPE_NAME).is_file():  # somebody removed the folder meanwhile
        stored.save(request.folder / RECIPE_NAME)
    if written + kept == total:
        manifest.finish(path for index in range(total) for path in out.files(request.folder, recipe.stem(index)))
    return ExportResult(request.folder, total, written, kept, tuple(damaged))


def _rendered(
    request: ExportRequest, item: Recipe, stem: str, generator: Renderer, masks: MaskReader, out: Writer
) -> PairToWrite:
    """One pair, with a recipe that finds its files beside it."""
    card = generator.card
    labels = masks.labels(item.masks[0])
    beside = masks.image(item.conditions[0]) if item.conditions else None
    rendering = generator.run(request_of(item, labels, beside))
    image_path, mask_path = (Path("..") / path for path in out.files(Path(), stem))
    stored_here: dict[str, Any] = {"masks": [_stored_source(item.masks[0], labels, mask_path)]}
    if rendering.condition is not None:
        stored_here["conditions"] = [_stored_condition(rendering.condition, image_path)]
    text = item.model_copy(update=stored_here).to_yaml()
    channels = (*card.condition_channels, card.output_channel) if card.condition_channels else ()
    return PairToWrite(stem, rendering.image, labels, text, request.pixel_size, rendering.condition, channels)


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


def _prepare(request: ExportRequest, stored: Recipe, out: Writer, manifest: Manifest) -> None:
    """Make the folder ready, or refuse it when it holds something else."""
    folder, path = request.folder, request.folder / RECIPE_NAME
    try:
        present = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else None
    except OSError as error:
        raise write_error(path, error) from error
    old = None
    if present is not None:
        try:
            old = parse_recipe(present, RECIPE_NAME)
        except InputError:
            old = None
        if old is not None and old.model_copy(update={"versions": stored.versions}) == stored:
            return
    if not request.overwrite and (present is not None or any(_present_files(folder, stored, out))):
        raise holds_other(folder, "pairs")
    manifest.clear()
    for recipe in filter(None, (old, stored)):
        _remove_pairs(folder, recipe, out)
    stored.save(path)


def _present_files(folder: Path, recipe: Recipe, out: Writer) -> Iterator[Path]:
    """The files in the folder that bear the names of a recipe's pairs; found there, however many pairs it has."""
    for place in {path.parent for path in out.files(folder, "x")}:
        for found in sorted(place.iterdir()) if place.is_dir() else ():
            number = found.name.partition("_")[0].partition(".")[0]
            if number.isdecimal() and 0 < int(number) <= recipe.count():
                expected = out.files(folder, recipe.stem(int(number) - 1))
                if found in expected:
                    yield check_inside(folder, found)


def _remove_pairs(folder: Path, recipe: Recipe, out: Writer) -> None:
    """Remove the files an earlier recipe made, and nothing else."""
    for path in list(_present_files(folder, recipe, out)):
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise write_error(path, error) from error
