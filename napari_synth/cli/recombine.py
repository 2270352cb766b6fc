"""``napari-synth recombine``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from napari_synth.cli.console import out, watched, were_there
from napari_synth.cli.masks import MOST, parse_size
from napari_synth.core.errors import InputError
from napari_synth.core.recipe import RecombineSettings
from napari_synth.models.defaults import DEFAULT_TWO_CHANNEL

RECOMBINED = RecombineSettings()


def recombine(
    maps: Annotated[list[Path], typer.Argument(metavar="LABELS...", help="Real label maps: images, .npz, or folders.")],
    out_dir: Annotated[Path, typer.Option("--out", help="Folder for the masks.")],
    n: Annotated[int, typer.Option(min=1, max=MOST, help="Number of variants.")] = 1,
    size: Annotated[str, typer.Option(help="Side in pixels, or WIDTHxHEIGHT; that of the condition if given.")] = "256",
    condition: Annotated[Path | None, typer.Option(help="Image the objects are put into, for the recipe.")] = None,
    model: Annotated[str, typer.Option(help="Model of the recipe.")] = DEFAULT_TWO_CHANNEL,
    merge: Annotated[
        float, typer.Option(min=0, max=1, help="Probability that two maps are merged.")
    ] = RECOMBINED.merge,
    flip: Annotated[bool, typer.Option(help="Whether maps are flipped.")] = RECOMBINED.flip,
    rotate: Annotated[float, typer.Option(min=0, max=180, help="Largest turn in degrees.")] = RECOMBINED.rotate,
    scale: Annotated[str, typer.Option(help="Smallest and largest factor of size, LOW,HIGH.")] = "0.8,1.25",
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same masks.")] = 1,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace masks of the same name.")] = False,
) -> None:
    """Make new labels of real ones: OUT/mask_0001.tif and OUT/recipe.yaml to export pairs from.

    A stopped set goes on when started again.
    """
    from napari_synth.datasets.image_files import read_channel
    from napari_synth.exporting.mask_sets import MadeMask, write_mask_set
    from napari_synth.masks.recombine import LabelMaps, recombined_sources
    from napari_synth.masks.recombine import recombine as drawn
    from napari_synth.synthesis.recipes import image_file, masks_recipe

    width, height = parse_size(size)
    conditions = []
    if condition is not None:
        image = read_channel(condition)
        height, width = image.shape
        conditions = [image_file(condition, image)]
    low, high = parse_range(scale)
    settings = RecombineSettings(
        height=height, width=width, merge=merge, flip=flip, rotate=rotate, scale_low=low, scale_high=high
    )
    real = LabelMaps.read(maps)
    sources = list(recombined_sources(real, settings, n, seed))
    plan = masks_recipe(model, sources, conditions=conditions, seed=seed)
    with watched("Combining label maps") as (on_progress, cancel):
        made = write_mask_set(
            out_dir,
            plan,
            lambda source: MadeMask(drawn(real.maps, settings, source.seed)),
            overwrite=overwrite,
            on_progress=on_progress,
            cancel=cancel,
        )
    out.print(f"{n} masks of {len(real.maps)} label maps in {out_dir}{were_there(made.kept)}")


def parse_range(text: str) -> tuple[float, float]:
    """``"0.8,1.25"`` as two numbers."""
    try:
        low, high = (float(part) for part in text.split(","))
    except ValueError as error:
        raise InputError(f"The range {text!r} is not understood.", "Write LOW,HIGH, for example 0.8,1.25.") from error
    if not 0 < low <= high <= 10:
        raise InputError(f"The range {text} is out of bounds.", "Use 0 < LOW <= HIGH <= 10.")
    return low, high
