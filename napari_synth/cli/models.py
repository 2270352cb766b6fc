"""``napari-synth models``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
import yaml
from rich.table import Column, Table

from napari_synth.cli.console import check_free, out
from napari_synth.cli.door import with_paths
from napari_synth.cli.given_style import GivenStyle, style_asked
from napari_synth.models.importers import IMPORTERS

app = typer.Typer(help="The models that can be loaded.", no_args_is_help=True)


@app.command("list")
@with_paths
def list_models() -> None:
    """List the bundled models."""
    from napari_synth.models.registry import bundled_cards

    table = Table(Column("id", no_wrap=True), "does", "options", "licence of the weights", box=None)
    roles = {
        "generator": "mask → image",
        "shapes": "latent → nucleus shape",
        "segmentor": "image → mask",
        "pairs": "noise → image and mask",
    }
    for name, card in bundled_cards().items():
        table.add_row(name, roles[card.role], ", ".join(card.options), card.licence)
    out.print(table)


@app.command("show")
@with_paths
def show(name: Annotated[str, typer.Argument(metavar="ID|FILE")]) -> None:
    """Print the card of a model: data, licence, training, figures."""
    from napari_synth.models.registry import model_card

    card = model_card(name).model_dump(mode="json")
    for look in card["looks"]:
        look.pop("thumbnail")
    out.print(yaml.safe_dump(card, sort_keys=False, allow_unicode=True), end="")


@app.command("export")
@with_paths
def export_model(
    name: Annotated[str, typer.Argument(metavar="ID|FILE")],
    bioimageio: Annotated[Path, typer.Option("--bioimageio", metavar="OUT.zip", help="The package to write.")],
    option: Annotated[str, typer.Option(help="The look of the package. The first one if not given.")] = "",
    seed: Annotated[int, typer.Option(min=0, help="Of noise and latent vector, which are fixed in it.")] = 1,
    no_noise: Annotated[bool, typer.Option("--no-noise", help="Switch the noise off.")] = False,
    style: GivenStyle = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the file.")] = False,
) -> None:
    """Write a model as a BioImage.IO package, which other programs run without this one."""
    from napari_synth.core.errors import InputError
    from napari_synth.synthesis.packaging.bioimageio import export_package
    from napari_synth.synthesis.packaging.programs import Fixed

    if bioimageio.suffix != ".zip":
        raise InputError(f"The output {bioimageio} is not a .zip file.", "Let its name end in .zip.")
    check_free([bioimageio], overwrite, "name")
    fixed = Fixed(option or None, None if no_noise else seed, style_asked(style, None, None).given)
    out.print(f"{export_package(name, bioimageio, fixed)}")


@app.command("import")
@with_paths
def import_model(
    files: Annotated[
        list[Path],
        typer.Argument(metavar="FILE...", help="A checkpoint of the program; for metgan net_G_A and net_SPADE_A."),
    ],
    source: Annotated[str, typer.Option("--from", help=f"{IMPORTERS.choices}.")],
    out_file: Annotated[Path, typer.Option("--out", help="The .safetensors file to write.")],
    mode: Annotated[
        str, typer.Option("--as", metavar="test|eval", help="Norms by the image, as published, or as trained.")
    ] = "",
    option: Annotated[list[str], typer.Option(help="Names of the options, in the order of their numbers.")] = [],  # noqa: B006
    part: Annotated[str, typer.Option(help="Which network, where the file holds several.")] = "",
    reads: Annotated[
        str, typer.Option(metavar="BACKGROUND,OBJECT", help="What a torchscript or bioimageio network reads.")
    ] = "0,1",
    gives: Annotated[str, typer.Option(metavar="BLACK,WHITE", help="What it gives.")] = "",
    multiple: Annotated[int, typer.Option(min=1, help="Of what its sides are multiples.")] = 1,
    axes: Annotated[str, typer.Option(help="Order of its axes.")] = "bcyx",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the file.")] = False,
) -> None:
    """Turn a checkpoint of a published program into a model of ours."""
    from napari_synth.core.errors import InputError
    from napari_synth.models.checkpoint import SUFFIX
    from napari_synth.models.importers.base import Wishes, mode_named
    from napari_synth.synthesis.importing import import_checkpoint

    if out_file.suffix != SUFFIX:
        raise InputError(f"The output {out_file} is not a {SUFFIX} file.", f"Let its name end in {SUFFIX}.")
    if mode and not IMPORTERS[source].has_modes:
        raise InputError(f"--as has no meaning for a {source} checkpoint.", "Leave it out.")
    check_free([out_file], overwrite, "name")
    wishes = Wishes(
        out_file.stem,
        tuple(option),
        mode_named(mode or "test"),
        part,
        _pair(reads, "--reads"),
        _pair(gives, "--gives") if gives else None,
        multiple,
        axes,
    )
    card = import_checkpoint(files, source, out_file, wishes)
    out.print(f"{out_file}: {card.architecture}")


def _pair(text: str, option: str) -> tuple[float, float]:
    """Two different numbers, such as 0,255."""
    from napari_synth.core.errors import InputError

    try:
        first, second = (float(number) for number in text.split(","))
    except ValueError:
        first = second = 0.0
    if not abs(first - second) > 0:
        raise InputError(f"{option} {text} is not two different numbers.", f"Write them like {option} -1,1.")
    return first, second
