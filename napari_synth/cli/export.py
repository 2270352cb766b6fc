"""``napari-synth export``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from napari_synth.cli.console import Fast, err, out, watched, were_there
from napari_synth.cli.given_style import GivenStyle, StyleFrom, StyleMask, style_asked, style_for_recipe
from napari_synth.core.errors import Cancelled
from napari_synth.exporting.formats import FORMATS

if TYPE_CHECKING:
    from napari_synth.core.recipe import Recipe


def export(
    recipe: Annotated[Path, typer.Argument(metavar="RECIPE.yaml", help="A recipe, or an image that carries one.")],
    out_dir: Annotated[Path, typer.Option("--out", help="Folder for images/, masks/ and recipe.yaml.")],
    n: Annotated[int | None, typer.Option(min=1, help="Number of pairs; as the recipe says if not given.")] = None,
    format_: Annotated[str, typer.Option("--format", help=f"{FORMATS.choices}.")] = "tiff",
    option: Annotated[
        list[str], typer.Option(help="Look; may be given several times. As the recipe says if not given.")
    ] = [],  # noqa: B006
    variants: Annotated[int | None, typer.Option(min=1, help="Images per mask and option.")] = None,
    style: GivenStyle = None,
    style_from: StyleFrom = None,
    style_mask: StyleMask = None,
    device: Annotated[str, typer.Option(help="auto, cuda, mps or cpu.")] = "auto",
    fast: Fast = False,
    compile: Annotated[
        bool, typer.Option("--compile", help="Compile the network first; pays for hundreds of pairs of one size.")
    ] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the pairs of another export.")] = False,
) -> None:
    """Render and write image-label pairs. A stopped export goes on when started again."""
    from napari_synth.api import recipe_of
    from napari_synth.synthesis.recipes import altered

    found = recipe_of(recipe)
    found = altered(found, n=n, variants=variants, options=option, precision="fast" if fast else None)
    asked = style_asked(style, style_from, style_mask)
    if asked.asked:
        found = altered(found, style=style_for_recipe(asked, found, device))
    export_recipe_to(found, out_dir, format_, overwrite, device, compile=compile)


def export_recipe_to(
    recipe: Recipe, out_dir: Path, format: str, overwrite: bool, device: str, compile: bool = False
) -> None:
    """Export with a progress bar, and say what is in the folder."""
    from napari_synth import api

    with watched("Exporting") as (on_progress, cancel):
        result = api.export(
            recipe,
            out_dir,
            format=format,
            overwrite=overwrite,
            device=device,
            compile=compile,
            on_progress=on_progress,
            cancel=cancel,
        )
    if not result.complete:
        raise Cancelled(
            f"The export was stopped with {result.written + result.kept} of {result.total} pairs in {out_dir}.",
            "Start the same command again to go on.",
        )
    if result.made_again:
        names = ", ".join(path.name for path in result.made_again[:5])
        more = ", …" if len(result.made_again) > 5 else ""
        out.print(f"Made again, for they were damaged: {names}{more}")
    if recipe.variants > 1:
        _warn_if_alike(recipe, device)
    out.print(f"{result.total} pairs in {result.folder}{were_there(result.kept)}")


def _warn_if_alike(recipe: Recipe, device: str) -> None:
    """Say so where the variants of a mask are nearly the same image."""
    from napari_synth.api import mask_reader
    from napari_synth.evaluation.variety import batch_variety
    from napari_synth.models.registry import recipe_weights
    from napari_synth.synthesis.recipes import load_generator

    generator = load_generator(recipe_weights(recipe.model, recipe.model_sha256), device)
    found = batch_variety(recipe, generator, mask_reader())
    if found is not None and found.advice:
        err.print(f"Note: {found.advice}")
