"""What arguments of the Python functions must be: an `InputError` that names the argument, else the plain value."""

from __future__ import annotations

import math
import operator
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from napari_synth.core.errors import InputError, brief
from napari_synth.core.files import user_path

MOST_NUMBERS = 2**30


def whole_number(value: Any, name: str, low: int = 0, high: int | None = None) -> int:
    """An int from ``low`` on, up to ``high`` where there is one."""
    bounds = f"from {low} on" if high is None else f"from {low} to {high}"
    try:
        number = operator.index(value)
    except TypeError:
        number = low - 1
    if isinstance(value, bool) or number < low or (high is not None and number > high):
        raise _wrong(name, value, f"Give a whole number {bounds}.")
    return number


def finite_number(value: Any, name: str) -> float:
    """A float, neither NaN nor infinite; a text is none."""
    try:
        number = math.nan if isinstance(value, str | bytes | bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number):
        raise _wrong(name, value, "Give a finite number.")
    return number


def text(value: Any, name: str) -> str:
    """A str."""
    if not isinstance(value, str):
        raise _wrong(name, value, "Give a text.")
    return value


def texts(value: Any, name: str) -> tuple[str, ...]:
    """Several, from a list or a tuple of them."""
    if not isinstance(value, list | tuple | set | frozenset) or not all(isinstance(part, str) for part in value):
        raise _wrong(name, value, "Give a list of texts.")
    return tuple(value)


def table(value: Any, name: str) -> Mapping[Any, Any]:
    """A mapping; empty for None."""
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise _wrong(name, value, "Give a dictionary.")
    return value


def place(value: Any, name: str) -> Path:
    """A path that a system call can be given, with ``~`` put in."""
    if not isinstance(value, str | os.PathLike):
        raise _wrong(name, value, "Give a path.")
    return user_path(value, f"argument {name}")


def numbers(value: Any, name: str) -> np.ndarray:
    """An array of real numbers, of any shape."""
    try:
        array = np.asarray(value)
    except Exception as error:  # whatever an object does that is asked to be an array
        raise _wrong(name, value, "Give an array of numbers.") from error
    if array.dtype.kind not in "biuf":
        raise _wrong(name, value, "Give an array of numbers.")
    if array.size > MOST_NUMBERS:
        raise InputError(f"The argument {name} holds {array.size} numbers.", f"Give at most {MOST_NUMBERS}.")
    return array


def plane_of(value: Any, name: str, longest: int, what: str = "") -> np.ndarray:
    """Any array of at most ``longest`` pixels a side, which is found out before it is computed or read.

    ``what`` is the subject of the sentence on its size; by default the name of the argument.
    """
    shape = getattr(value, "shape", ())
    if isinstance(shape, tuple) and len(shape) == 2 and max(shape) > longest:
        raise InputError(
            f"{what or f'The {name}'} is {shape[1]}×{shape[0]} pixels; "
            f"the largest that can be rendered is {longest}×{longest}.",
            "Crop it into smaller pieces.",
        )
    try:
        return np.asarray(value)
    except Exception as error:  # whatever an object does that is asked to be an array
        raise _wrong(name, value, "Give an array of numbers.") from error


def _wrong(name: str, value: Any, action: str) -> InputError:
    kind = type(value).__name__
    shown = f"{value!r:.60}" if isinstance(value, str | int | float | None.__class__) else f"a {kind}"
    return InputError(f"The argument {name} cannot be {brief(shown)}.", action)
