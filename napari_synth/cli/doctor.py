"""What the label doctor says by itself on the command line; what was asked for goes on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from napari_synth.cli.console import err, watched

if TYPE_CHECKING:
    from napari_synth.core.recipe import Recipe
    from napari_synth.evaluation.pair_check import Finding


def say_before_training(data: Path) -> None:
    """Say what is serious in a folder of pairs."""
    from napari_synth.evaluation.pair_check import faults_before_training

    with watched("Checking") as (on_progress, cancel):
        _say(faults_before_training(data, on_progress, cancel), data)


def say_before_export(recipe: Recipe, with_real: Path | None) -> None:
    """Say what is serious in the masks of the user that a recipe is made of, and in those of real pairs beside."""
    from napari_synth.evaluation.pair_check import faults_before_export

    files = mask_files(recipe)
    if with_real is not None:
        from napari_synth.datasets.pairs import find_options

        files += [pair.mask for option in find_options(with_real) for pair in (*option.training, *option.held_out)]
    if files:
        with watched("Checking") as (on_progress, cancel):
            _say(faults_before_export([(path.name, path) for path in files], on_progress, cancel), files[0].parent)


def mask_files(recipe: Recipe) -> list[Path]:
    """The files of masks, and of label maps that masks are made of; none for a mask of sampled nuclei."""
    from napari_synth.core.recipe import FileSource, RecombinedSource

    found: dict[str, None] = {}
    for source in recipe.masks:
        if isinstance(source, FileSource):
            found[source.path] = None
        elif isinstance(source, RecombinedSource):
            found |= dict.fromkeys(source.maps)
    return [Path(path) for path in found]


def _say(findings: Sequence[Finding], folder: Path) -> None:
    for finding in findings:
        err.print(finding.sentence)
    if findings:
        err.print(f"For a copy with the cures: napari-synth check {folder} --repair COPY")
