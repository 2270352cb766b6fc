"""Write docs/reference/command-line.md from the program itself.

python docs/scripts/make_command_line.py
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from napari_synth.cli.groups import ITSELF
from napari_synth.cli.main import app

PROGRAM = "napari-synth"
PAGE = Path(__file__).parents[1] / "reference" / "command-line.md"
HEAD = """# Command line

Every command with all that it takes; the program prints the same with `--help` behind a command. Exit status: 0 done,
1 the work failed or was stopped, 2 the command line or an input is wrong. An error is two sentences: what is wrong with
which input, and what to do. [What is chosen by name](../choices.md) lists formats, samplers, architectures, metrics.
"""


def page() -> str:
    """The page as Markdown."""
    return HEAD + "".join(f"\n## {name}\n\n{described(command, name)}" for name, command in commands())


def commands() -> Iterator[tuple[str, Any]]:
    """Each command under the words that call it, in the order of the program's help."""
    yield from _within(typer.main.get_command(app), PROGRAM)


def _within(command: Any, name: str) -> Iterator[tuple[str, Any]]:
    inner = getattr(command, "commands", None)
    if inner is None:
        yield name, command
        return
    for word, one in inner.items():
        yield from _within(one, name if word == ITSELF else f"{name} {word}")


def described(command: Any, name: str) -> str:
    """Help, call and parameters of one command."""
    arguments = [parameter for parameter in command.params if parameter.param_type_name == "argument"]
    options = [parameter for parameter in command.params if parameter.param_type_name == "option"]
    required = [f"{option.opts[0]} …" for option in options if option.required]
    call = " ".join([name, *map(_argument, arguments), *required, *(["[OPTIONS]"] if options else [])])
    rows = [(_argument(argument), argument.help or "") for argument in arguments]
    rows += [(_option(option), (option.help or "") + _default(option)) for option in options]
    return f"{_paragraphs(command.help)}\n\n```text\n{call}\n```\n\n{_table(rows)}"


def _paragraphs(text: str | None) -> str:
    return "\n\n".join(" ".join(part.split()) for part in (text or "").split("\n\n"))


def _argument(argument: Any) -> str:
    return argument.metavar or argument.name.upper()


def _option(option: Any) -> str:
    return " ".join([", ".join((*option.opts, *option.secondary_opts)), *filter(None, [option.metavar])])


def _default(option: Any) -> str:
    """What it is unless given, where the help does not say so."""
    value = option.default
    if option.required:
        return " Required."
    shown = isinstance(value, int | float | str) and not isinstance(value, bool) and value != ""
    return f" [{value}]" if shown and not option.is_flag else ""


def _table(rows: list[tuple[str, str]]) -> str:
    lines = [("takes", "which is"), ("---", "---"), *((f"`{written}`", help_) for written, help_ in rows)]
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |\n" for line in lines)


if __name__ == "__main__":
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(page(), encoding="utf-8")
