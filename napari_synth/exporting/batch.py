"""Export a batch of pairs: resumable, never overwriting by itself."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_synth.core.errors import InputError
from napari_synth.core.locks import LOCK_NAME, holding
from napari_synth.core.manifest import Manifest, State
from napari_synth.core.progress import CancelToken, OnProgress, Stopwatch, ignore_progress
from napari_synth.core.recipe import (
    RECIPE_NAME,
    FieldSource,
    FileSource,
    MaskSource,
    PairSource,
    Recipe,
    RecombinedSource,
    mask_hash,
)
from napari_synth.core.seeds import derived_seed
from napari_synth.datasets.image_files import check_not_edited, opens
from napari_synth.exporting.formats import FORMATS
from napari_synth.exporting.formats.base import Advice, Guide, Item, PairToWrite, PixelSize, Survey, Writer
from napari_synth.exporting.parts import Parts
from napari_synth.exporting.plan import Plan
from napari_synth.exporting.prepared import (
    Settings,
    image_source,
    places,
    portable,
    prepare,
    read_settings,
    stored_condition,
    surveyed,
    write_sources,
)
from napari_synth.exporting.real_pairs import find_real_pairs
from napari_synth.exporting.split import Split
from napari_synth.exporting.tables import PairRow, PairTable, count_and_median, read_split, save_split
from napari_synth.exporting.train_md import save_guide
from napari_synth.synthesis.recipes import check_model, read_request
from napari_synth.synthesis.request import Renderer, Rendering, RenderRequest, check_option
from napari_synth.synthesis.styles import check_style

if TYPE_CHECKING:
    import numpy as np

    from napari_synth.masks.mask_reader import MaskReader

OnAdvice = Callable[[Sequence[Advice]], None]
Accept = Callable[["np.ndarray", "np.ndarray"], bool]
REDRAWS = 8
"""Other seeds that are tried for a pair that is refused."""
LookAt = Callable[[Path, "np.ndarray"], None]


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
    split : Split, optional
        Shares of train, val and test; all pairs train when not given.
    with_real : Path, optional
        A folder of real pairs, which are split; the synthetic ones all train then.
    told_names : bool
        Whether names of files tell mask and seed beside number and option.
    accept : callable, optional
        Of an image and its labels, whether the pair may be written; one that may not is rendered under other seeds,
        up to `REDRAWS` of them. Pairs that are there already are not looked at.
    look_at : callable
        Told each mask that comes from a file, by its path and labels, before a pair of it is rendered or copied.
    """

    recipe: Recipe
    folder: Path
    format: str = "tiff"
    overwrite: bool = False
    pixel_size: PixelSize = field(default_factory=PixelSize)
    split: Split | None = None
    with_real: Path | None = None
    told_names: bool = False
    accept: Accept | None = None
    look_at: LookAt = lambda path, labels: None


@dataclass(frozen=True)
class ExportResult:
    """How many pairs the folder holds, how many of them are new, and which files were found damaged.

    With what its trainer will make of them, and how that is started; how many pairs were drawn anew because they
    were refused, and which were written though every seed was.
    """

    folder: Path
    total: int
    written: int
    kept: int
    made_again: tuple[Path, ...] = ()
    guide: Guide | None = None
    advice: tuple[Advice, ...] = ()
    redrawn: int = 0
    refused: tuple[str, ...] = ()

    @property
    def complete(self) -> bool:
        return self.written + self.kept == self.total


def export_pairs(
    request: ExportRequest,
    generator: Renderer,
    masks: MaskReader,
    on_progress: OnProgress = ignore_progress,
    cancel: CancelToken | None = None,
    on_advice: OnAdvice = lambda _: None,
) -> ExportResult:
    """Render and write every pair of a recipe.

    Pairs that are there as they were written, by the hashes in `Manifest`, are kept, so an export that
    was cancelled or killed goes on where it stopped; what a power cut left damaged is made again. A recipe
    that goes on where the one in the folder ends adds pairs. Cancelling keeps what is written. The folder is
    locked meanwhile. What the trainer will do with such pairs is told before the first.

    Raises
    ------
    InputError
        If the folder holds other pairs or somebody changed one, the recipe cannot be made, a role of the split
        stays empty, or the format cannot hold such images.
    WorkError
        If the folder cannot be written, is in use by another export, or the disk is full.
    Cancelled
        If ``cancel`` is set while the masks are read, before the first pair.
    """
    cancel = cancel or CancelToken()
    recipe, card = request.recipe, generator.card
    check_model(recipe, generator)
    for option in recipe.options:
        check_option(card, option)
    check_style(card, recipe.style)
    out = FORMATS[request.format]
    if card.condition_channels and not out.two_channels:
        able = ", ".join(name for name, writer in FORMATS.items() if writer.two_channels)
        raise InputError(
            f"Images of {card.id} have two channels, which the format {request.format} cannot hold.",
            f"Choose one of: {able}.",
        )
    recipe = recipe.model_copy(update={"model_sha256": generator.sha256})
    hashed, survey = surveyed(recipe, masks, card, cancel)
    real = find_real_pairs(request.with_real) if request.with_real is not None else []
    known = read_split(request.folder) if read_settings(request.folder) == settings_of(request) else {}
    plan = Plan(hashed, request.split, real, known, out.plain_names, request.told_names)
    made, found = plan.counts
    survey = replace(survey, roles=made, real=found)
    with holding(request.folder / LOCK_NAME, f"The folder {request.folder}"):
        return _Export(request, recipe, plan, survey, generator, masks, out).run(on_progress, cancel, on_advice)


def settings_of(request: ExportRequest) -> Settings:
    """What tells this export from others of the same recipe."""
    split = request.split
    return Settings(
        request.format,
        str(split) if split else "",
        bool(split and split.strict),
        split.seed if split else 0,
        "" if request.with_real is None else str(request.with_real.resolve()),
        request.told_names,
    )


class _Export:
    """One run in one folder."""

    def __init__(
        self,
        request: ExportRequest,
        recipe: Recipe,
        plan: Plan,
        survey: Survey,
        generator: Renderer,
        masks: MaskReader,
        out: Writer,
    ):
        self.request, self.recipe, self.plan, self.survey = request, recipe, plan, survey
        self.generator, self.masks, self.out = generator, masks, out
        self.folder = request.folder
        self.stored = portable(plan.recipe, plan, out)
        self.manifest = Manifest(self.folder)
        self.table = PairTable(self.folder)
        self.parts: Parts | None = None
        self.redrawn, self.refused = 0, list[str]()

    def run(self, on_progress: OnProgress, cancel: CancelToken, on_advice: OnAdvice) -> ExportResult:
        advice = tuple(self.out.check(self.survey))
        kept_sources = self._begin()
        on_advice(advice)
        guide = self.out.guide(self.folder, self.survey)
        watch = Stopwatch(len(self.plan), on_progress)
        written = kept = 0
        damaged: list[Path] = []
        for index in range(len(self.plan)):
            if cancel.cancelled:
                break
            item = self.plan.item(index)
            if self._is_there(item):
                kept += 1
                self._keep(item)
            else:
                damaged += self._check_replaceable(item)
                self._write(item)
                written += 1
            watch.report(index + 1, f"pair {index + 1} of {len(self.plan)}")
        if not (self.folder / RECIPE_NAME).is_file():  # somebody removed the folder meanwhile
            self.stored.save(self.folder / RECIPE_NAME)
        if written + kept == len(self.plan):
            self._finish(kept_sources, guide, advice)
        refused = tuple(self.refused)
        return ExportResult(
            self.folder, len(self.plan), written, kept, tuple(damaged), guide, advice, self.redrawn, refused
        )

    def _begin(self) -> list[Path]:
        """Make the folder ready; the files that keep what the masks were."""
        request, split = self.request, self.request.split
        prepare(
            self.folder, self.stored, self.plan, settings_of(request), self.out, self.manifest, self.table,
            request.overwrite,
        )  # fmt: skip
        if split is not None:
            save_split(self.folder, self.plan.roles)
            if split.strict:
                self.parts = Parts(self.folder, self.recipe, split)
        if self.out.exact:
            return []
        return write_sources(
            self.folder, self.recipe, self.stored, self.masks, self.generator.card, self.manifest, self.out
        )

    def _is_there(self, item: Item) -> bool:
        files = self.out.files(self.folder, item)
        states = {path: self.manifest.state(path) for path in files}
        unlisted = [path for path, state in states.items() if state is State.UNLISTED]
        whole = all(state in (State.WHOLE, State.UNLISTED) for state in states.values())
        if whole and all(path.is_dir() or opens(path) for path in unlisted):
            self.manifest.add(unlisted)
            return True
        return False

    def _check_replaceable(self, item: Item) -> list[Path]:
        """The files of a pair that were damaged; refuse to replace those that somebody edited."""
        changed = []
        for path in self.out.files(self.folder, item):
            inside = self.manifest.listed(path) if path.is_dir() else [path]
            changed += [file for file in inside if self.manifest.state(file) is State.CHANGED]
        for path in () if self.request.overwrite else changed:
            check_not_edited(path)
        return changed

    def _write(self, item: Item) -> None:
        pair, recipe = self._real(item) if item.index >= self.plan.synthetic else self._rendered(item)
        self.out.write(self.folder, pair)
        self.manifest.add(self.out.files(self.folder, item))
        self._list(item, pair.labels, recipe)

    def _keep(self, item: Item) -> None:
        """List a pair that is there and was not listed, as after a kill."""
        if item.stem not in self.table:
            real = item.index >= self.plan.synthetic
            recipe = None if real else self._recipe(item)
            labels = self.masks.labels(recipe.masks[0]) if recipe else self._real_pair(item).labels()
            self._list(item, labels, recipe)

    def _list(self, item: Item, labels: np.ndarray, recipe: Recipe | None) -> None:
        count, median = count_and_median(labels)
        image = self.out.files(self.folder, item)[0]
        first = next(iter(self.manifest.listed(image)), image) if image.is_dir() else image
        self.table.add(
            PairRow(
                stem=item.stem,
                index=item.index,
                role=item.role or "train",
                group=self.plan.group(item.index),
                option=next(iter(recipe.options), "") if recipe else "",
                seed="" if recipe is None or recipe.seed is None else str(recipe.seed),
                model_sha256=self.generator.sha256 if recipe else "",
                mask_sha256=mask_hash(labels),
                image_sha256=self.manifest.sha256(first),
                n_nuclei=count,
                area_median=median,
                synthetic=int(recipe is not None),
            )
        )

    def _recipe(self, item: Item) -> Recipe:
        """The recipe of a pair, made from what its role has."""
        recipe = self.recipe.item(item.index)
        if self.parts is None:
            return recipe
        return recipe.model_copy(update={"masks": [self.parts.of(recipe.masks[0], item.role)]})

    def _rendered(self, item: Item) -> tuple[PairToWrite, Recipe]:
        """One pair, with a recipe that finds its files beside it."""
        card, recipe = self.generator.card, self._recipe(item)
        request = read_request(recipe, self.masks)
        labels = request.labels
        if isinstance(source := recipe.masks[0], FileSource):
            self.request.look_at(Path(source.path), labels)
        recipe, rendering = self._accepted(item, recipe, request)
        position = self.recipe.mask_number(item.index) % len(self.recipe.masks)
        start = self.out.files(Path(), item)[0].parent
        image, mask = (Path(os.path.relpath(path, start)) for path in places(item, position, self.out))
        stored: dict[str, Any] = {"masks": [_stored_source(recipe.masks[0], labels, mask, self.out)]}
        if rendering.condition is not None:
            stored["conditions"] = [stored_condition(image_source(rendering.condition), image, self.out)]
        text = recipe.model_copy(update=stored).to_yaml()
        channels = (*card.condition_channels, card.output_channel) if card.condition_channels else ()
        size = self.request.pixel_size
        return PairToWrite(item, rendering.image, labels, text, size, rendering.condition, channels), recipe

    def _accepted(self, item: Item, recipe: Recipe, request: RenderRequest) -> tuple[Recipe, Rendering]:
        """A pair under its own seed or, where that is refused, under one derived from it; the recipe has the seed."""
        accept, own = self.request.accept, recipe.seed
        rendering = self.generator.run(request)
        if accept is None or accept(rendering.image, request.labels):
            return recipe, rendering
        for number in range(1, REDRAWS + 1):
            if own is None:  # without noise every image of the mask is this one
                break
            other = recipe.model_copy(update={"seed": derived_seed(own, "drawn anew", number)})
            drawn = self.generator.run(replace(request, seed=other.seed))
            if accept(drawn.image, request.labels):
                self.redrawn += 1
                return other, drawn
        self.refused.append(item.stem)
        return recipe, rendering

    def _real_pair(self, item: Item) -> Any:
        return self.plan.real[item.index - self.plan.synthetic]

    def _real(self, item: Item) -> tuple[PairToWrite, None]:
        pair = self._real_pair(item)
        labels = pair.labels()
        self.request.look_at(pair.files.mask, labels)
        return PairToWrite(item, pair.image(), labels), None

    def _finish(self, sources: list[Path], guide: Guide | None, advice: Sequence[Advice]) -> None:
        """Write what is about the whole set, and list everything in order."""
        items = [self.plan.item(index) for index in range(len(self.plan))]
        about = [path for path in self.out.finish(self.folder, items) if path.is_file()]
        self.manifest.add(about)
        pairs = [path for item in items for path in self.out.files(self.folder, item)]
        self.manifest.finish([*pairs, *sources, *about])
        self.table.finish(item.stem for item in items)
        if guide is not None:
            save_guide(self.folder, self.out, guide, self.survey, advice)


def _stored_source(source: MaskSource, labels: np.ndarray, path: Path, out: Writer) -> MaskSource:
    sha256 = source.sha256 or mask_hash(labels)
    if isinstance(source, FieldSource | PairSource) or (isinstance(source, RecombinedSource) and not out.exact):
        return source.model_copy(update={"sha256": sha256})
    return FileSource(path=path.as_posix(), sha256=sha256)
