"""``napari-synth check``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from napari_synth.cli.console import out, watched


def check(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="images/ and masks/, one such folder per option, or masks alone.")
    ],
    repair: Annotated[Path | None, typer.Option(metavar="COPY", help="New folder for a copy with the cures.")] = None,
    only: Annotated[
        list[str], typer.Option(help="A fault to cure in the copy, such as shifted; may be given several times. All.")
    ] = [],  # noqa: B006
) -> None:
    """Look for faults in pairs before training: shifted, exchanged, empty, binary, noisy masks and more."""
    from napari_synth.evaluation.pair_check import FAULTS, check_pairs

    for kind in only:
        FAULTS[kind]
    with watched("Checking") as (on_progress, cancel):
        report = check_pairs(folder, on_progress, cancel)
    out.print(report.text)
    if repair is not None:
        changed = report.repair(repair, only or None)
        out.print(f"{len(changed)} files of the copy {repair} were cured or left out.")
