"""Every failure a user can meet: one sentence on what is wrong, one on what to do."""

from __future__ import annotations


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
        super().__init__(f"{problem} {action}")
        self.problem = problem
        self.action = action


class InputError(SynthError):
    """An input of the user is unusable: wrong shape, dtype, path, name or file."""

    exit_status = 2


class WorkError(SynthError):
    """The input was fine but the work failed: out of memory, disk full, device lost."""


class Cancelled(SynthError):
    """The user asked to stop; what was finished before is kept."""

    def __init__(self, problem: str = "The job was cancelled.", action: str = "What was finished is kept."):
        super().__init__(problem, action)


def unknown_name(what: str, name: str, known: list[str]) -> InputError:
    """An `InputError` for a name that is not among `known`."""
    choices = ", ".join(known) if known else "none"
    return InputError(f"There is no {what} called {name!r}.", f"Choose one of: {choices}.")
