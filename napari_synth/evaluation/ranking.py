"""Which capsules and channels answer to a structure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from napari_synth.core.errors import InputError
from napari_synth.evaluation.metrics.masks import auc_of_counts

LIKE, UNLIKE = 0.75, 0.25


@dataclass(frozen=True)
class UnitScore:
    """How one capsule or pose channel answers to a structure.

    Attributes
    ----------
    layer : str
    capsule : int
    channel : int, optional
        None: the length of the capsule.
    auc : float
        Area under the ROC curve of the unit against the structure, 0 to 1; 0.5 tells nothing.
    """

    layer: str
    capsule: int
    channel: int | None
    auc: float

    @property
    def kind(self) -> Literal["structure", "background", "neither"]:
        """High on the structure, high on the rest, or telling little about either."""
        return "structure" if self.auc >= LIKE else "background" if self.auc <= UNLIKE else "neither"

    def name(self, structure: str = "axon") -> str:
        """Such as ``axon-like``, ``background-like`` or ``unspecific``."""
        names = {"structure": f"{structure}-like", "background": "background-like", "neither": "unspecific"}
        return names[self.kind]


def capsule_lengths(activation: np.ndarray) -> np.ndarray:
    """Length of each capsule, ``(capsule, channel, y, x)`` to ``(capsule, y, x)``; its presence, below 1."""
    lengths: np.ndarray = np.sqrt(np.square(activation, dtype=np.float32).sum(1))
    return lengths


def rank_units(layer: str, activation: np.ndarray, structure: np.ndarray, rest: np.ndarray) -> list[UnitScore]:
    """Capsules (by length) and their channels, those that tell the structure best first.

    Parameters
    ----------
    layer : str
    activation : ndarray, shape (capsule, channel, y, x)
        At the size of the image or a whole fraction of it.
    structure, rest : ndarray, shape (Y, X), bool
        Pixels to be high on, and pixels to compare with; others do not count.

    Raises
    ------
    InputError
        If either is empty or has another size than the image of the activation.
    """
    height, width = activation.shape[-2:]
    factor = round(structure.shape[0] / height)
    if -(-structure.shape[0] // factor) != height or -(-structure.shape[1] // factor) != width:
        raise InputError("The label has another size than the image of these capsules.", "Render its mask first.")
    if not structure.any() or not rest.any():
        raise InputError(
            "The ranking needs pixels in the structure and pixels outside it.", "Choose a place in a mask with both."
        )
    positives, negatives = (_counts(pixels, factor) for pixels in (structure, rest))
    lengths = capsule_lengths(activation)
    scores = []
    for capsule, channels in enumerate(activation):
        units = [(None, lengths[capsule]), *enumerate(channels)]
        scores += [
            UnitScore(layer, capsule, channel, roc_auc(values.ravel(), positives, negatives))
            for channel, values in units
        ]
    return sorted(scores, key=lambda score: -abs(score.auc - 0.5))


def roc_auc(values: np.ndarray, positives: np.ndarray, negatives: np.ndarray) -> float:
    """Area under the ROC curve of values against counts of positive and negative pixels.

    Equal values count half (Mann-Whitney). Counts rather than labels let a coarse value stand for
    all pixels it covers.

    Parameters
    ----------
    values, positives, negatives : ndarray, shape (N,)

    Returns
    -------
    float
        0.5 where one of the two kinds is missing.
    """
    _, place = np.unique(values, return_inverse=True)
    auc = auc_of_counts(np.bincount(place, positives), np.bincount(place, negatives))
    return 0.5 if np.isnan(auc) else auc


def _counts(pixels: np.ndarray, factor: int) -> np.ndarray:
    """How many of the pixels lie under each value of a map coarser by ``factor``."""
    padded = np.pad(pixels, [(0, -side % factor) for side in pixels.shape])
    rows, columns = (side // factor for side in padded.shape)
    counts: np.ndarray = padded.reshape(rows, factor, columns, factor).sum((1, 3))
    return counts.ravel().astype(np.float64)


def structure_at(labels: np.ndarray, y: int, x: int) -> tuple[np.ndarray, np.ndarray, bool]:
    """The structure under a pixel and what to compare it with.

    On an instance: its pixels against the background. On the background: all background against
    all instances.

    Returns
    -------
    structure, rest : ndarray, shape (Y, X), bool
    foreground : bool
        Whether the pixel lies on an instance.
    """
    label = labels[y, x]
    return (labels == label, labels == 0, True) if label else (labels == 0, labels > 0, False)


def structure_of(
    labels: np.ndarray, place: tuple[int, int] | None, label: int | None
) -> tuple[np.ndarray, np.ndarray, bool]:
    """Pixels of a structure, pixels to compare it with, and whether the background was meant.

    Parameters
    ----------
    labels : ndarray, shape (Y, X)
    place : tuple of int, optional
        Row and column of a pixel.
    label : int, optional
        The number of a structure instead.

    Raises
    ------
    InputError
        If the place lies beside the mask or there is no such label.
    """
    if place is not None:
        y, x = place
        if not (0 <= y < labels.shape[0] and 0 <= x < labels.shape[1]):
            raise InputError("There is no structure under the cursor: it is beside the mask.", "Click on the mask.")
        structure, rest, foreground = structure_at(labels, y, x)
        return (structure, rest, False) if foreground else (rest, structure, True)
    if not label:
        raise InputError("The selected label is 0, the background.", "Select the label of a structure.")
    if not (labels == label).any():
        raise InputError(f"There is no structure with label {label} in the mask.", "Select a label that is painted.")
    return labels == label, labels == 0, False
