"""Every failure a user can meet: one sentence on what is wrong, one on what to do."""

from __future__ import annotations

import re

LONGEST = 1000
"""Characters of a sentence; what libraries say can be far longer."""
LONGEST_REASON = 200
"""Characters of what another program says, within a sentence."""

_BREAK = re.compile(r"\s*[\r\n]\s*")


class SynthError(Exception):
    """Base of all errors meant for the user.

    Parameters
    ----------
    problem : str
        One sentence: what is wrong with which input.
    action : str
        One sentence: what to do about it.
    """

    exit_status = 1

    def __init__(self, problem: str, action: str):
        self.problem = one_line(problem)
        self.action = one_line(action)
        super().__init__(f"{self.problem} {self.action}")

    def __reduce__(self) -> tuple[object, tuple[str, str]]:
        """Come whole out of another process."""
        return type(self), (self.problem, self.action)


class InputError(SynthError):
    """An input of the user is unusable: wrong shape, dtype, path, name or file."""

    exit_status = 2


class WorkError(SynthError):
    """The input was fine but the work failed: out of memory, disk full, device lost."""


class Cancelled(SynthError):
    """The user asked to stop; what was finished before is kept."""

    def __init__(self, problem: str = "The job was cancelled.", action: str = "What was finished is kept."):
        super().__init__(problem, action)


def one_line(text: object, longest: int = LONGEST) -> str:
    """A text in one line of at most ``longest`` characters, without what a terminal would act on."""
    start = str(text)[: 4 * longest].strip()
    joined = "".join(letter if letter.isprintable() else " " for letter in _BREAK.sub(" ", start))
    return joined if len(joined) <= longest else f"{joined[: longest - 1]}…"


def brief(reason: object) -> str:
    """What another program says of an error, cut where it is long."""
    return one_line(reason, LONGEST_REASON)


def unknown_name(what: str, name: str, known: list[str]) -> InputError:
    """An `InputError` for a name that is not among `known`."""
    choices = ", ".join(known) if known else "none"
    return InputError(f"There is no {what} called {name!r}.", f"Choose one of: {choices}.")
