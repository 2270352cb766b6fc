"""What a metric is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Takes = Literal[
    "two images",
    "two masks",
    "two label images",
    "a mask and probabilities",
    "two sets of images",
    "two sets of features",
]


@dataclass(frozen=True)
class Metric:
    """A number that says how alike two things are.

    Attributes
    ----------
    title : str
        What it is, for a table.
    takes : str
        What it compares, the real one first; one of `Takes`.
    better : {'lower', 'higher', 'zero'}
    function : callable
        Of the two, to a float; NaN where it is not defined.
    """

    title: str
    takes: Takes
    better: Literal["lower", "higher", "zero"]
    function: Callable[..., float]
