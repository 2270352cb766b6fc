"""Write a set of masks with its recipe: resumable, never overwriting by itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from napari_synth.core.errors import Cancelled, InputError
from napari_synth.core.files import holds_other, write_error
from napari_synth.core.locks import LOCK_NAME, holding
from napari_synth.core.manifest import Manifest, State
from napari_synth.core.progress import CancelToken, OnProgress, Stopwatch, ignore_progress
from napari_synth.core.recipe import RECIPE_NAME, FieldSource, Recipe, RecombinedSource, mask_hash, parse_recipe
from napari_synth.datasets.image_files import check_not_edited, opens, read_labels
from napari_synth.exporting.formats.base import PixelSize
from napari_synth.exporting.formats.tiff import stored_labels, write_tiff

Made = FieldSource | RecombinedSource
"""Sources that are made rather than read."""


@dataclass(frozen=True, eq=False)
class MadeMask:
    """Labels of one mask, with the table of its nuclei where there is one."""

    labels: np.ndarray
    nuclei: dict[str, np.ndarray] = field(default_factory=dict)


@dataclass(frozen=True)
class MaskSet:
    """The files of a set, and how many of them were there before."""

    paths: list[Path]
    kept: int


def write_mask_set(
    folder: Path,
    plan: Recipe,
    make: Callable[[Made], MadeMask],
    *,
    overwrite: bool = False,
    on_progress: OnProgress = ignore_progress,
    cancel: CancelToken | None = None,
) -> MaskSet:
    """Make every mask of a recipe as ``mask_0001.tif`` … and the recipe of all of them.

    Masks that are there as they were written are kept, so a set that was cancelled or killed goes on
    where it stopped. One mask at a time is in memory.

    Parameters
    ----------
    folder : Path
    plan : Recipe
        Sources without hashes; one mask for each.
    make : callable
        From a source to its labels.
    overwrite : bool
        Replace masks of the same names.

    Raises
    ------
    InputError
        If the folder holds other masks.
    WorkError
        If the folder cannot be written, is in use, or the disk is full.
    Cancelled
        If the user stops; the same call goes on.
    """
    cancel = cancel or CancelToken()
    count = len(plan.masks)
    paths = [folder / f"mask_{index + 1:04d}.tif" for index in range(count)]
    with holding(folder / LOCK_NAME, f"The folder {folder}"):
        manifest = Manifest(folder)
        _prepare(folder, plan, paths, manifest, overwrite)
        watch = Stopwatch(count, on_progress)
        made: list[Made] = []
        kept = 0
        for path, source in zip(paths, planned(plan), strict=True):
            if cancel.cancelled:
                raise Cancelled(
                    f"Stopped with {len(made)} of {count} masks in {folder}.", "Start the same command again to go on."
                )
            state = manifest.state(path)
            if state is State.WHOLE or (state is State.UNLISTED and opens(path)):
                full = _hashed(source, read_labels(path))
                kept += 1
                manifest.add([] if state is State.WHOLE else [path])
            else:
                if state is State.CHANGED and not overwrite:
                    check_not_edited(path)
                mask = make(source)
                full = _hashed(source, mask.labels)
                one = plan.model_copy(update={"masks": [full]})
                write_tiff(path, stored_labels(mask.labels), one.to_yaml(), PixelSize(), mask.nuclei)
                manifest.add([path])
            made.append(full)
            watch.report(len(made))
        plan.model_copy(update={"masks": made}).save(folder / RECIPE_NAME)
        manifest.finish(paths)
    return MaskSet(paths, kept)


def _hashed(source: Made, labels: np.ndarray) -> Made:
    return source.model_copy(update={"sha256": mask_hash(labels)})


def planned(recipe: Recipe) -> Sequence[Made]:
    """The sources of a recipe that are made rather than read."""
    return [source for source in recipe.masks if isinstance(source, Made)]


def _prepare(folder: Path, plan: Recipe, paths: list[Path], manifest: Manifest, overwrite: bool) -> None:
    """Write the plan, so that a stopped set is known again; refuse a folder with anything else."""
    path = folder / RECIPE_NAME
    if path.is_file():
        try:
            old = parse_recipe(path.read_text(encoding="utf-8", errors="replace"), RECIPE_NAME)
        except InputError:
            old = None
        if old is not None and _without_hashes(old, plan) == plan:
            return
    if not overwrite and (path.exists() or any(other.exists() for other in paths)):
        raise holds_other(folder, "masks")
    manifest.clear()
    try:
        for other in paths:
            other.unlink(missing_ok=True)
    except OSError as error:
        raise write_error(other, error) from error
    plan.save(path)


def _without_hashes(recipe: Recipe, like: Recipe) -> Recipe:
    masks = [source.model_copy(update={"sha256": ""}) for source in recipe.masks]
    return recipe.model_copy(update={"masks": masks, "versions": like.versions})
