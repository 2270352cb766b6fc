"""The program ``napari-synth``.

Exit status: 0 done, 1 the work failed or was stopped, 2 the command line or an input is wrong.
"""

from __future__ import annotations

import sys

import typer

from napari_synth import __version__
from napari_synth.cli import (
    check,
    convert,
    export,
    inspect,
    masks,
    models,
    recombine,
    replay,
    synthesize,
    train,
    window,
)
from napari_synth.cli.console import err, out
from napari_synth.core.errors import SynthError

app = typer.Typer(
    name="napari-synth",
    help="Paint or sample nuclei, pick a look, see the image, export the pairs. Without a command: open the window.",
    no_args_is_help=False,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.command("masks")(masks.masks)
app.command("library")(masks.library)
app.command("recombine")(recombine.recombine)
app.command("synthesize")(synthesize.synthesize)
app.command("walk")(inspect.walk)
app.command("activations")(inspect.activations)
app.command("convert")(convert.convert)
app.command("check")(check.check)
app.command("train")(train.train)
app.command("export")(export.export)
app.command("replay")(replay.replay)
app.add_typer(models.app, name="models")


@app.callback(invoke_without_command=True)
def main(
    context: typer.Context,
    version: bool = typer.Option(False, "--version", help="Print the version and stop."),
) -> None:
    """Paint or sample nuclei, pick a look, see the image, export the pairs."""
    if version:
        out.print(__version__)
    elif context.invoked_subcommand is None:
        window.window()


def run() -> None:
    """Entry point: errors meant for the user become two sentences and an exit status."""
    try:
        app()
    except SynthError as error:
        err.print(f"{error.problem}\n{error.action}", markup=False)
        sys.exit(error.exit_status)
