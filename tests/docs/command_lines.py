"""Command lines of the docs: taken apart, checked against the program, and made small."""

from __future__ import annotations

import re
import shlex
from glob import glob
from typing import Any

import typer

from napari_synth.cli.groups import ITSELF
from napari_synth.cli.main import app
from napari_synth.training.objectives import objective_class
from tests.docs.markdown import ROOT

PROGRAM = "napari-synth"
SMALLEST = {"--n": 3, "--size": 64, "--steps": 2, "--workers": 2}
"""What the numbers of a command line are lowered to."""

SMALL_TRAINING = {
    "optional-pix2pix": ["crop=64", "ngf=4", "ndf=4", "levels=3"],
    "pix2pix": ["crop=32", "ngf=4", "ndf=4", "levels=3"],
    "capspix2pix": ["width=4"],
    "unet": ["crop=32", "width=4"],
    "dvae": ["batch_size=4"],
    "signal-segmentor": ["crop=32", "width=4"],
    "metgan": [
        *("batch_size=4", "crop=64", "width=0.05", "ngf=4", "ndf=4"),
        *("segmentor_steps=2", "segmentor_width=4", "segmentor_batch=2", "segmentor_crop=32"),
    ],
}
"""Settings of networks that train in a moment."""


def lines_of(text: str) -> list[list[str]]:
    """The words of each command line, without comments."""
    lines = (shlex.split(line, comments=True) for line in text.replace("\\\n", " ").splitlines())
    return [words for words in lines if words]


def check_words(words: list[str]) -> None:
    """Raise unless the program knows the command and its options, or the script or make target exists."""
    if words[0] == PROGRAM:
        check_arguments(words[1:])
    elif words[0] == "python" and words[1] == "-m":
        assert (ROOT / words[2].replace(".", "/")).exists() or (ROOT / f"{words[2].replace('.', '/')}.py").exists()
    elif words[0] == "python":
        assert (ROOT / words[1]).is_file(), words[1]
    elif words[0] == "make":
        assert re.search(rf"^{words[1]}:", (ROOT / "Makefile").read_text(), re.MULTILINE), words[1]


def check_arguments(arguments: list[str]) -> None:
    """Parse the arguments as the program does, and run nothing."""
    command, rest = _command_of(arguments)
    command.make_context(PROGRAM, rest)


def check_names(arguments: list[str]) -> None:
    """Raise unless command and options exist; for a sentence, which need not give all that the command needs."""
    command, rest = _command_of(arguments)
    known = {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}
    options = {word.partition("=")[0] for word in rest if word.startswith("-")} - {"--help"}
    assert options <= known, f"no {', '.join(sorted(options - known))} in {', '.join(sorted(known))}"


def _command_of(arguments: list[str]) -> tuple[Any, list[str]]:
    """The innermost command, and the arguments that are its own."""
    command: Any = typer.main.get_command(app)
    context = command.context_class(command)
    while hasattr(command, "commands") and arguments and not arguments[0].startswith("-"):
        _, command, arguments = command.resolve_command(context, arguments)
        context = command.context_class(command, parent=context)
    return getattr(command, "commands", {}).get(ITSELF, command), list(arguments)


def small(words: list[str]) -> list[str]:
    """The same command line with small numbers and networks, and file patterns filled in."""
    words = [found for word in words for found in (sorted(glob(word)) or [word])]
    looks = max(words.count("--option"), 1) if "--split" in words else 1  # each part of a split has a mask
    for place, word in enumerate(words[:-1]):
        if word in SMALLEST:
            words[place + 1] = str(min(int(words[place + 1]), SMALLEST[word] * (looks if word == "--n" else 1)))
    if words[1:2] == ["train"]:
        settings = [part for setting in _known(SMALL_TRAINING[words[2]], words) for part in ("--set", setting)]
        words += ["--steps", "2", "--device", "cpu", *settings]
    if words[1:2] == ["fine-tune"]:
        words += ["--minutes", "0.1", "--no-deep", "--device", "cpu"]
    if words[1:3] in (["evaluate", "help"], ["evaluate", "pairs"]):
        words += ["--steps", "2"]
    return words


def _known(settings: list[str], words: list[str]) -> list[str]:
    """Those of the settings that the preset of a training command has."""
    preset = words[words.index("--preset") + 1] if "--preset" in words else "fast"
    known = objective_class(words[2], preset).Settings.model_fields
    return [setting for setting in settings if setting.partition("=")[0] in known]
