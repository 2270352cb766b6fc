"""A command that has commands of its own beside what it does itself."""

from __future__ import annotations

from typing import Any

from typer.core import TyperGroup

ITSELF = "itself"
"""Name under which the command is entered in its own group."""


class WithItself(TyperGroup):
    """A group whose first word need not be one of its commands: then it is an argument of the command itself."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        return super().parse_args(ctx, args if args and args[0] in self.commands else [ITSELF, *args])

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        found = args if args and args[0] in self.commands else [ITSELF, *args]
        name, command, rest = super().resolve_command(ctx, found)
        return "" if name == ITSELF else name, command, rest
