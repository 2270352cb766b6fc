"""``napari-synth models``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
import yaml
from rich.table import Column, Table

from napari_synth.cli.console import check_free, out
from napari_synth.cli.door import with_paths
from napari_synth.models.importers import IMPORTERS, import_checkpoint

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


@app.command("import")
@with_paths
def import_model(
    file: Annotated[Path, typer.Argument(help="A checkpoint saved by the published program.")],
    source: Annotated[str, typer.Option("--from", help=f"{IMPORTERS.choices}.")],
    out_file: Annotated[Path, typer.Option("--out", help="The .safetensors file to write.")],
    option: Annotated[list[str], typer.Option(help="Names of the options, in the order of their numbers.")] = [],  # noqa: B006
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the file.")] = False,
) -> None:
    """Turn a checkpoint of a published program into a model of ours."""
    from napari_synth.core.errors import InputError
    from napari_synth.models.checkpoint import SUFFIX

    if out_file.suffix != SUFFIX:
        raise InputError(f"The output {out_file} is not a {SUFFIX} file.", f"Let its name end in {SUFFIX}.")
    check_free([out_file], overwrite, "name")
    card = import_checkpoint(file, source, out_file, list(option))
    out.print(f"{out_file}: {card.architecture}")
