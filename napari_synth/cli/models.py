"""``napari-synth models``."""

from __future__ import annotations

from typing import Annotated

import typer
import yaml
from rich.table import Column, Table

from napari_synth.cli.console import out

app = typer.Typer(help="The models that can be loaded.", no_args_is_help=True)


@app.command("list")
def list_models() -> None:
    """List the bundled models."""
    from napari_synth.models.registry import bundled_cards

    table = Table(Column("id", no_wrap=True), "does", "options", "licence of the weights", box=None)
    roles = {"generator": "mask → image", "shapes": "latent → nucleus shape", "segmentor": "image → mask"}
    for name, card in bundled_cards().items():
        table.add_row(name, roles[card.role], ", ".join(card.options), card.licence)
    out.print(table)


@app.command("show")
def show(name: Annotated[str, typer.Argument(metavar="ID|FILE")]) -> None:
    """Print the card of a model: data, licence, training, figures."""
    from napari_synth.models.registry import model_card

    card = model_card(name).model_dump(mode="json")
    for look in card["looks"]:
        look.pop("thumbnail")
    out.print(yaml.safe_dump(card, sort_keys=False, allow_unicode=True), markup=False, end="")
