"""``napari-synth pairs``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from napari_synth.cli.export import export_recipe_to
from napari_synth.exporting.formats import FORMATS


def pairs(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="A model that makes pairs from noise: id or file.")],
    out_dir: Annotated[Path, typer.Option("--out", help="Folder for the pairs, recipe.yaml and TRAIN.md.")],
    n: Annotated[int, typer.Option(min=1, help="Number of pairs, shared out among the looks.")] = 1,
    option: Annotated[
        list[str], typer.Option(help="Look; may be given several times. The first one if not given.")
    ] = [],  # noqa: B006
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same pairs.")] = 1,
    format_: Annotated[str, typer.Option("--format", help=f"{FORMATS.choices}.")] = "tiff",
    split: Annotated[str, typer.Option(help="Shares of train/val/test, such as 0.8/0.1/0.1.")] = "",
    device: Annotated[str, typer.Option(help="auto, cuda, mps or cpu.")] = "auto",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the pairs of another export.")] = False,
) -> None:
    """Make images and their masks together, from noise alone. A stopped export goes on when started again."""
    from napari_synth.core.files import user_path
    from napari_synth.synthesis.pairs import pairs_recipe

    recipe = pairs_recipe(model, list(option), n, seed)
    export_recipe_to(recipe, user_path(out_dir), overwrite, device, format=format_, split=split)
