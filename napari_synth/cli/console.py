"""Progress bars, Ctrl+C and parsing shared by the commands."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from napari_synth.cli.signals import on_stop_signals, put_back
from napari_synth.core.errors import InputError
from napari_synth.core.files import already_there
from napari_synth.core.progress import CancelToken, OnProgress, Progress
from napari_synth.core.untrusted import load_yaml

# What is printed holds names of files and of layers: never markup.
out = Console(soft_wrap=True, highlight=False, markup=False, emoji=False)
err = Console(stderr=True, soft_wrap=True, highlight=False, markup=False, emoji=False)
LOG_SECONDS = 30.0

Fast = Annotated[
    bool,
    typer.Option("--fast", help="Compute in 16 bit: faster, some grey levels off. Kept in the recipe."),
]


@contextmanager
def watched(title: str) -> Iterator[tuple[OnProgress, CancelToken]]:
    """A progress bar on stderr, and a token that the first Ctrl+C or SIGTERM sets; the second one kills."""
    cancel = CancelToken()

    def stop(*_: Any) -> None:
        cancel.cancel()
        put_back(previous)
        with suppress(RuntimeError):  # the signal may have come in the middle of a print
            err.print("Stopping after this step; press Ctrl+C again to kill.")

    previous = on_stop_signals(stop)
    try:
        if sys.stderr.isatty():
            with _bar(title) as show:
                yield show, cancel
        else:
            yield _log(title), cancel
    finally:
        put_back(previous)


@contextmanager
def _bar(title: str) -> Iterator[OnProgress]:
    """Show progress as a bar that moves."""
    counts = (MofNCompleteColumn(), TimeRemainingColumn(), TextColumn("{task.description}", markup=False))
    with Bar(TextColumn(title, markup=False), BarColumn(), *counts, console=err) as bar:
        task = bar.add_task("", total=None)

        def show(progress: Progress) -> None:
            bar.update(task, completed=progress.done, total=progress.total, description=progress.message)

        yield show


def _log(title: str) -> OnProgress:
    """Show progress as a line every `LOG_SECONDS`, for output that goes to a file."""
    due = [LOG_SECONDS]

    def show(progress: Progress) -> None:
        if progress.seconds >= due[0]:
            due[0] = progress.seconds + LOG_SECONDS
            err.print(f"{title} {progress.done}/{progress.total} {progress.rate:.2f}/s {progress.message}")

    return show


def check_free(paths: Iterable[Path], overwrite: bool, another: str = "folder") -> None:
    """Raise `InputError` when one of the files exists and must not be replaced."""
    if overwrite:
        return
    for path in paths:
        if path.exists():
            raise already_there(path, f"Choose another {another}")


def were_there(kept: int) -> str:
    """What a command that went on adds to its last sentence."""
    return f" ({kept} were there already)" if kept else ""


def parse_settings(pairs: list[str]) -> dict[str, Any]:
    """``["ngf=48", "upsampling=resize"]`` as a dictionary; values are read as YAML scalars."""
    settings = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name:
            raise InputError(f"The setting {pair!r} is not understood.", "Write it as name=value.")
        settings[name] = load_yaml(value, f"The value of the setting {name}", "Write a number, a word, true or false.")
    return settings
