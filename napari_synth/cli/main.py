"""The program ``napari-synth``.

Exit status: 0 done, 1 the work failed or was stopped, 2 the command line or an input is wrong.
"""

from __future__ import annotations

import sys
from typing import NoReturn

import typer

from napari_synth import __version__
from napari_synth.cli import (
    check,
    convert,
    evaluate,
    export,
    fine_tune,
    fit_camera,
    inspect,
    looks,
    masks,
    models,
    pairs,
    recombine,
    replay,
    shards,
    synthesize,
    train,
    window,
)
from napari_synth.cli.console import err, out
from napari_synth.cli.door import check_arguments, check_streams, with_paths
from napari_synth.cli.groups import ITSELF, WithItself
from napari_synth.cli.signals import Stopped, stoppable
from napari_synth.core.errors import Cancelled, SynthError, WorkError
from napari_synth.core.heap import keep_freed_memory

NO_DOCSTRINGS = WorkError(
    "A library that this command needs does not load without docstrings (python -OO).",
    "Start the program with python -O, or with neither.",
)
NO_MEMORY = WorkError("There is not enough memory for this.", "Use a smaller size, or close other programs.")

app = typer.Typer(
    name="napari-synth",
    help="Paint or sample nuclei, pick a look, see the image, export the pairs. Without a command: open the window.",
    no_args_is_help=False,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.command("masks")(with_paths(masks.masks))
app.command("library")(with_paths(masks.library))
app.command("recombine")(with_paths(recombine.recombine))
app.command("synthesize")(with_paths(synthesize.synthesize))
app.command("walk")(with_paths(inspect.walk))
app.command("activations")(with_paths(inspect.activations))
app.command("pairs")(with_paths(pairs.pairs))
app.command("convert")(with_paths(convert.convert))
app.command("check")(with_paths(check.check))
app.command("looks")(with_paths(looks.looks))
app.command("fit-camera")(with_paths(fit_camera.fit_camera))
app.command("train")(with_paths(train.train))
app.command("fine-tune")(with_paths(fine_tune.fine_tune))
export_app = typer.Typer(cls=WithItself)
export_app.command(ITSELF)(with_paths(export.export))
export_app.command("finish")(with_paths(shards.finish))
export_app.command("verify")(with_paths(shards.verify))
app.add_typer(export_app, name="export", help="Render and write image-label pairs for a trainer.")
app.command("replay")(with_paths(replay.replay))
app.add_typer(evaluate.app, name="evaluate")
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
    check_streams()
    keep_freed_memory()
    try:
        with stoppable():
            check_arguments(sys.argv[1:])
            app()
    except SynthError as error:
        _leave(error)
    except Stopped:
        _leave(Cancelled("Stopped.", "What was finished is kept."))
    except MemoryError:
        _leave(NO_MEMORY)
    except ImportError as error:
        if "map segment" in str(error) or "allocate memory" in str(error):
            _leave(NO_MEMORY)  # not even for the libraries
        if sys.flags.optimize < 2:
            raise
        _leave(NO_DOCSTRINGS)
    except OSError as error:
        what = error.filename if isinstance(error.filename, str) else "A file"
        _leave(WorkError(f"{what} cannot be used ({error.strerror or error}).", "Check the path and the disk."))


def _leave(error: SynthError) -> NoReturn:
    err.print(f"{error.problem}\n{error.action}")
    sys.exit(error.exit_status)
