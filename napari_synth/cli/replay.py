"""``napari-synth replay``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from napari_synth.cli.export import export_recipe_to


def replay(
    source: Annotated[Path, typer.Argument(metavar="RECIPE.yaml|FILE", help="A recipe, or an exported TIFF.")],
    out_dir: Annotated[Path, typer.Option("--out", help="Folder for the result.")],
    device: Annotated[str, typer.Option(help="auto, cuda, mps or cpu.")] = "auto",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the pairs of another export.")] = False,
) -> None:
    """Make again exactly what a recipe, or the recipe in an exported file, describes."""
    from napari_synth.api import recipe_of

    export_recipe_to(recipe_of(source), out_dir, overwrite, device)
