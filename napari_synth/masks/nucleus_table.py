"""The nuclei of a field and the table about them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class NucleusField:
    """A composed mask.

    Attributes
    ----------
    labels : ndarray, shape (Y, X), int32
        0 = background, 1…n = nuclei.
    features : dict of str to ndarray
        One entry per nucleus and name: ``index`` (the label), ``area``, ``angle`` (degrees, by which
        the decoded shape was turned counter-clockwise), ``scale``, ``y`` and ``x`` (its centre),
        ``member`` (the library shape that it is, or -1 where it is decoded), ``z0``, ``z1``, …
    wanted : int
        Nuclei asked for; fewer are placed when the canvas is full.
    """

    labels: np.ndarray
    features: dict[str, np.ndarray]
    wanted: int

    @property
    def placed(self) -> int:
        return len(self.features["index"])

    @property
    def left_out(self) -> int:
        """Nuclei that found no place."""
        return self.wanted - self.placed


WHOLE = ("index", "area", "member")


def feature_names(latent_size: int) -> list[str]:
    """Columns of the table of a field."""
    return ["index", "area", "angle", "scale", "y", "x", "member", *(f"z{i}" for i in range(latent_size))]


def features_of(rows: list[tuple[float, ...]], latent_size: int) -> dict[str, np.ndarray]:
    """The table from one tuple per nucleus, in the order of `feature_names`."""
    names = feature_names(latent_size)
    table = np.array(rows, np.float64).reshape(len(rows), len(names))
    return {name: table[:, i].astype(np.int64 if name in WHOLE else np.float64) for i, name in enumerate(names)}
