"""``napari-synth export``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from napari_synth.cli import shards
from napari_synth.cli.console import Fast, err, out, watched, were_there
from napari_synth.cli.doctor import say_before_export, say_found, watch_for_part
from napari_synth.cli.given_camera import GivenCamera, camera_asked
from napari_synth.cli.given_style import GivenStyle, StyleFrom, StyleMask, style_asked, style_for_recipe
from napari_synth.core.errors import Cancelled, unknown_name
from napari_synth.core.files import user_path
from napari_synth.core.quantities import duration_text, size_text
from napari_synth.exporting.formats import FORMATS
from napari_synth.exporting.shard_plan import SHARDS

if TYPE_CHECKING:
    from napari_synth.core.recipe import Recipe
    from napari_synth.exporting.formats.base import Advice


def export(
    recipe: Annotated[Path, typer.Argument(metavar="RECIPE.yaml", help="A recipe, or an image that carries one.")],
    out_dir: Annotated[
        str, typer.Option("--out", metavar="DIR|URL", help="Folder for the pairs, recipe.yaml and TRAIN.md; or s3://….")
    ],
    n: Annotated[int | None, typer.Option(min=1, help="Number of pairs; as the recipe says if not given.")] = None,
    format_: Annotated[str, typer.Option("--format", help=f"{FORMATS.choices}. Or {SHARDS}: tar files.")] = "tiff",
    split: Annotated[
        str, typer.Option(help="Shares of train/val/test, such as 0.8/0.1/0.1; all pairs of a mask stay together.")
    ] = "",
    split_strict: Annotated[
        bool | None,
        typer.Option(
            "--split-strict/--no-split-strict",
            help="Split label maps and shape libraries too. Done where the recipe has such, if not given.",
        ),
    ] = None,
    with_real: Annotated[
        Path | None, typer.Option(help="Folder of real pairs to validate and test on; synthetic ones then all train.")
    ] = None,
    option: Annotated[
        list[str], typer.Option(help="Look; may be given several times. As the recipe says if not given.")
    ] = [],  # noqa: B006
    variants: Annotated[int | None, typer.Option(min=1, help="Images per mask and option.")] = None,
    style: GivenStyle = None,
    style_from: StyleFrom = None,
    style_mask: StyleMask = None,
    camera: GivenCamera = None,
    device: Annotated[str, typer.Option(help="auto, cuda, mps or cpu.")] = "auto",
    fast: Fast = False,
    compile: Annotated[
        bool, typer.Option("--compile", help="Compile the network first; pays for hundreds of pairs of one size.")
    ] = False,
    check: Annotated[
        str,
        typer.Option(help="A segmenter of real images: pairs whose image does not show their mask are drawn anew."),
    ] = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say how many files, bytes and seconds it would be; write nothing.")
    ] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the pairs of another export.")] = False,
    workers: shards.Processes = None,
    scheduler: shards.Scheduler = "",
    scheduler_file: shards.SchedulerFile = None,
    cluster: shards.Cluster = None,
    shard: shards.Part = "",
    shard_size: shards.ShardSize = 1000,
    endpoint: shards.Endpoint = "",
) -> None:
    """Render and write image-label pairs for a trainer. A stopped export goes on when started again.

    Sets of any size, by many processes: --format webdataset; then `export finish OUT` and `export verify OUT`.
    """
    from napari_synth.api import recipe_of
    from napari_synth.exporting.clusters import Workers
    from napari_synth.exporting.stores import is_url
    from napari_synth.synthesis.recipes import altered

    found = recipe_of(recipe)
    found = altered(
        found,
        n=n,
        variants=variants,
        options=option,
        precision="fast" if fast else None,
        camera=camera_asked(camera),
    )
    asked = style_asked(style, style_from, style_mask)
    if asked.asked:
        found = altered(found, style=style_for_recipe(asked, found, device))
    if format_ not in (*FORMATS, SHARDS):
        raise unknown_name("export format", format_, [*FORMATS, SHARDS])
    who = Workers(workers or 0, scheduler, scheduler_file, cluster)
    if format_ == SHARDS or who or shard or is_url(out_dir):
        shards.check_goes_in_shards(format_, overwrite, with_real)
        watch = watch_for_part(found) if shard else say_before_export(found, None, in_turn=not dry_run)
        told = {"split": split, "split_strict": split_strict, "device": device, "compile": compile}
        if dry_run:
            shards.estimate_to(found, out_dir, shard_size, **told)
            return
        try:
            shards.export_shards_to(
                found, out_dir, shard, endpoint=endpoint, shard_size=shard_size, workers=who, hear=watch.hear, **told
            )
        finally:
            say_found(watch)
        return
    watch = say_before_export(found, with_real, in_turn=not dry_run)
    folder = user_path(out_dir)
    settings = {"format": format_, "split": split, "split_strict": split_strict, "with_real": with_real}
    if dry_run:
        estimate_to(found, folder, device, settings)
        return
    try:
        export_recipe_to(
            found,
            folder,
            overwrite,
            device,
            compile=compile,
            check=check or None,
            on_mask=watch.look_at,
            **settings,
        )
    finally:
        say_found(watch)


def estimate_to(recipe: Recipe, out_dir: Path, device: str, settings: dict[str, Any]) -> None:
    """Say what an export would make."""
    from napari_synth.api import mask_reader
    from napari_synth.exporting.asked import export_request
    from napari_synth.exporting.estimate import estimate_export
    from napari_synth.models.registry import recipe_weights
    from napari_synth.synthesis.recipes import load_generator

    request = export_request(recipe, out_dir, **settings)
    generator = load_generator(recipe_weights(recipe.model, recipe.model_sha256), device)
    found = estimate_export(request, generator, mask_reader())
    show_advice(found.advice)
    roles = ", ".join(f"{count} {role}" for role, count in found.roles.items() if role)
    out.print(f"{found.pairs} pairs{f' ({roles})' if roles else ''} would be written to {out_dir}")
    out.print(f"{found.files} files, {size_text(found.bytes)}, about {duration_text(found.seconds)} on this machine")


def export_recipe_to(
    recipe: Recipe, out_dir: Path, overwrite: bool, device: str, compile: bool = False, **settings: Any
) -> None:
    """Export with a progress bar, and say what is in the folder."""
    from napari_synth import api

    with watched("Exporting") as (on_progress, cancel):
        result = api.export(
            recipe,
            out_dir,
            **settings,
            overwrite=overwrite,
            device=device,
            compile=compile,
            on_progress=on_progress,
            cancel=cancel,
            on_advice=show_advice,
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
    if result.redrawn:
        out.print(f"{result.redrawn} pairs were drawn anew: their images did not show their masks.")
    if result.refused:
        names = ", ".join(result.refused[:5])
        out.print(f"{len(result.refused)} pairs do not agree under any seed: {names}. Look at them.")
    if recipe.variants > 1:
        _warn_if_alike(recipe, device)
    out.print(f"{result.total} pairs in {result.folder}{were_there(result.kept)}")
    if trains := FORMATS[settings.get("format", "tiff")].trains:
        out.print(f"How to train {trains} on them: {result.folder / 'TRAIN.md'}")


def show_advice(advice: Sequence[Advice]) -> None:
    """Say what the trainer will do with the pairs, before the first."""
    for entry in advice:
        err.print(f"{'Lost' if entry.lost else 'Note'}: {entry.text}")


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
