"""What a metric is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Takes = Literal["two images", "two masks", "two sets of images"]


@dataclass(frozen=True)
class Metric:
    """A number that says how alike two things are.

    Attributes
    ----------
    title : str
        What it is, for a table.
    takes : {'two images', 'two masks', 'two sets of images'}
        What it compares, the real one first.
    better : {'lower', 'higher'}
    function : callable
        Of the two, to a float.
    """

    title: str
    takes: Takes
    better: Literal["lower", "higher"]
    function: Callable[..., float]
