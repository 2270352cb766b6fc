"""What the label doctor says by itself on the command line; what was asked for goes on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from napari_synth.cli.console import err, watched

if TYPE_CHECKING:
    from napari_synth.core.recipe import Recipe
    from napari_synth.evaluation.pair_check import Finding, MaskWatch


def say_before_training(data: Path) -> None:
    """Say what is serious in a folder of pairs."""
    from napari_synth.evaluation.pair_check import faults_before_training

    with watched("Checking") as (on_progress, cancel):
        _say(faults_before_training(data, on_progress, cancel), data)


def say_before_export(recipe: Recipe, with_real: Path | None, in_turn: bool) -> MaskWatch:
    """Say what is serious in the masks of the user that a recipe is made of, and in those of real pairs beside.

    Of many files some are looked at; the watch that comes back is for the others, if they are looked at ``in_turn``.
    """
    from napari_synth.evaluation.pair_check import MaskWatch, faults_before_export

    files = mask_files(recipe)
    if with_real is not None:
        from napari_synth.datasets.pairs import find_options

        files += [pair.mask for option in find_options(with_real) for pair in (*option.training, *option.held_out)]
    watch = MaskWatch(files)
    first = list(dict.fromkeys([*watch.first, *label_maps(recipe)]))
    if first:
        with watched("Checking") as (on_progress, cancel):
            _say(
                faults_before_export([(path.name, path) for path in first], on_progress, cancel), _data_folder(first[0])
            )
    if len(watch.files) > len(watch.first):
        others = "the others are looked at when their turn comes." if in_turn else "napari-synth check looks at all."
        err.print(f"Looked at {len(watch.first)} of {len(watch.files)} masks; {others}")
    return watch


def watch_for_part(recipe: Recipe) -> MaskWatch:
    """The watch of an export that others share: each looks at masks in their turn, and at none before."""
    from napari_synth.evaluation.pair_check import MaskWatch

    return MaskWatch(mask_files(recipe), at_first=0)


def say_found(watch: MaskWatch) -> None:
    """Say what is serious in masks that were looked at in their turn."""
    if watch.found:
        _say(watch.found, _data_folder(watch.files[0]))


def mask_files(recipe: Recipe) -> list[Path]:
    """The files of masks; none for a mask that is made."""
    from napari_synth.core.recipe import FileSource

    return [Path(source.path) for source in recipe.masks if isinstance(source, FileSource)]


def label_maps(recipe: Recipe) -> list[Path]:
    """The files of label maps that masks are made of."""
    from napari_synth.core.recipe import RecombinedSource

    return [Path(path) for source in recipe.masks if isinstance(source, RecombinedSource) for path in source.maps]


def _data_folder(mask: Path) -> Path:
    """The folder that `check` takes: that of the pairs where images lie beside the masks."""
    folder = mask.parent
    return folder.parent if any((folder.parent / name).is_dir() for name in ("images", "signal")) else folder


def _say(findings: Sequence[Finding], folder: Path) -> None:
    for finding in findings:
        err.print(finding.sentence)
    if findings:
        err.print(f"For a copy with the cures: napari-synth check {folder} --repair COPY")
