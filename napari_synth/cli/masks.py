"""``napari-synth masks``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from napari_synth.cli.console import out, watched
from napari_synth.core.errors import InputError
from napari_synth.core.progress import Stopwatch
from napari_synth.core.recipe import RECIPE_NAME, FieldSettings, Recipe, versions
from napari_synth.core.settings import DEFAULT_GENERATOR, DEFAULT_SHAPES

DEFAULTS = FieldSettings()


def masks(
    out_dir: Annotated[Path, typer.Option("--out", help="Folder for the masks.")],
    n: Annotated[int, typer.Option(min=1, help="Number of masks.")] = 1,
    size: Annotated[str, typer.Option(help="Side in pixels, or WIDTHxHEIGHT.")] = "256",
    nuclei: Annotated[
        float, typer.Option(min=0, max=5000, help="Mean number of nuclei per 256×256 pixels.")
    ] = DEFAULTS.count_mean,
    nuclei_sd: Annotated[float, typer.Option(min=0, max=5000, help="Its standard deviation.")] = DEFAULTS.count_sd,
    area: Annotated[float, typer.Option(min=1, help="Mean area of a nucleus in square pixels.")] = DEFAULTS.area_mean,
    area_sd: Annotated[float, typer.Option(min=0, help="Its standard deviation.")] = DEFAULTS.area_sd,
    touching: Annotated[bool, typer.Option(help="Whether nuclei may touch.")] = DEFAULTS.touching,
    sampler: Annotated[str, typer.Option(help="How shapes are drawn.")] = DEFAULTS.sampler,
    spread: Annotated[
        float, typer.Option(min=0, max=3, help="Variety of the shapes: 0 mean shape, 1 prior.")
    ] = DEFAULTS.spread,
    shapes: Annotated[str, typer.Option(help="Shape model: id or file.")] = DEFAULT_SHAPES,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same masks.")] = 1,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace masks of the same name.")] = False,
) -> None:
    """Compose masks of nuclei: OUT/mask_0001.tif (uint16 labels) and OUT/recipe.yaml to export pairs from."""
    from napari_synth.api import compose_masks
    from napari_synth.export.base import PixelSize
    from napari_synth.export.tiff import uint16_labels, write_tiff

    width, height = parse_size(size)
    settings = FieldSettings(
        height=height, width=width, count_mean=nuclei, count_sd=nuclei_sd, area_mean=area, area_sd=area_sd,
        touching=touching, sampler=sampler, spread=spread, shapes=shapes,
    )  # fmt: skip
    paths = [out_dir / f"mask_{index + 1:04d}.tif" for index in range(n)]
    present = [path for path in [*paths, out_dir / RECIPE_NAME] if path.exists()]
    if present and not overwrite:
        raise InputError(f"{present[0]} already exists.", "Choose another folder, or give --overwrite.")
    sources, placed = [], 0
    with watched("Composing masks") as (on_progress, cancel):
        watch = Stopwatch(n, on_progress)
        for path, (source, field) in zip(paths, compose_masks(settings, n, seed), strict=True):
            cancel.raise_if_cancelled()
            recipe = Recipe(model=DEFAULT_GENERATOR, masks=[source], seed=seed, versions=versions())
            write_tiff(path, uint16_labels(field.labels), recipe.to_yaml(), PixelSize())
            sources.append(source)
            placed += field.placed
            watch.report(len(sources))
    Recipe(model=DEFAULT_GENERATOR, masks=sources, seed=seed, versions=versions()).save(out_dir / RECIPE_NAME)
    out.print(f"{n} masks with {placed} nuclei in {out_dir}")


def parse_size(size: str) -> tuple[int, int]:
    """``"256"`` or ``"320x256"`` as (width, height)."""
    parts = size.lower().split("x")
    if len(parts) > 2 or not all(part.isdigit() for part in parts):
        raise InputError(f"The size {size!r} is not understood.", "Write 256, or 320x256 for width and height.")
    width, height = int(parts[0]), int(parts[-1])
    if not all(16 <= side <= 8192 for side in (width, height)):
        raise InputError(f"The size {size} is out of range.", "Use 16 to 8192 pixels.")
    return width, height
