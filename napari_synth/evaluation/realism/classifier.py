"""Whether a classifier tells two sets apart: the classifier two-sample test of Lopez-Paz & Oquab 2017."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from napari_synth.core.progress import CancelToken
from napari_synth.core.seeds import numpy_rng
from napari_synth.evaluation.metrics.masks import roc_auc
from napari_synth.evaluation.realism.features import FEATURES, filled
from napari_synth.evaluation.realism.logistic import held_out_scores

FOLDS = 5
PERMUTATIONS = 200
TOGETHER = 20
"""Permutations whose regressions are fitted at once."""
PENALTY = 0.1
TELLING = 0.3
"""Standard deviations of the real images from which a difference is worth words."""


@dataclass(frozen=True)
class Told:
    """How well a classifier tells synthetic from real samples.

    Attributes
    ----------
    auc : float
        0.5: not at all; 1: every one.
    p : float
        Share of exchanged labels with which it does as well.
    chance : float
        The AUC that 5 % of them exceed.
    trivial : float
        AUC with mean and standard deviation of grey values alone; high for a dull reason such as exposure.
    """

    auc: float
    p: float
    chance: float
    trivial: float


@dataclass(frozen=True)
class Difference:
    """A feature that differs, in words, and by how many standard deviations of the real images."""

    feature: str
    words: str
    by: float


def classified(
    real: np.ndarray,
    synthetic: np.ndarray,
    real_groups: np.ndarray,
    synthetic_groups: np.ndarray,
    seed: int,
    cancel: CancelToken,
    permutations: int = PERMUTATIONS,
) -> Told:
    """Logistic regression on features, five folds by group, labels of whole groups exchanged.

    Parameters
    ----------
    real, synthetic : ndarray, shape (N, 18) and (M, 18)
    real_groups, synthetic_groups : ndarray of str
    seed : int
    """
    ours, theirs, columns = filled(real, synthetic)
    x = np.clip(np.concatenate([ours, theirs]), -10, 10)
    y = np.repeat([0, 1], [len(ours), len(theirs)])
    groups = np.concatenate(
        [np.char.add("r ", real_groups.astype(str)), np.char.add("s ", synthetic_groups.astype(str))]
    )
    names, of = np.unique(groups, return_inverse=True)
    label_of = np.array([y[of == number][0] for number in range(len(names))])
    fold_of = _folds(label_of, numpy_rng(seed, "folds"))
    auc = float(_aucs(x, y[None], fold_of[None, of])[0])
    by_chance: list[float] = []
    for first in range(0, permutations, TOGETHER):
        cancel.raise_if_cancelled()
        rngs = [numpy_rng(seed, "permutation", number) for number in range(first, min(first + TOGETHER, permutations))]
        labels = [rng.permutation(label_of) for rng in rngs]
        folds = [_folds(kinds, rng) for kinds, rng in zip(labels, rngs, strict=True)]
        by_chance += _aucs(x, np.stack(labels)[:, of], np.stack(folds)[:, of]).tolist()
    simple = np.isin(columns, (0, 1))  # brightness and contrast
    trivial = float(_aucs(x[:, simple], y[None], fold_of[None, of])[0]) if simple.any() else 0.5
    p = (1 + sum(value >= auc for value in by_chance)) / (1 + permutations)
    return Told(auc, p, float(np.quantile(by_chance, 0.95)), trivial)


def differences(real: np.ndarray, synthetic: np.ndarray) -> list[Difference]:
    """What differs most between the means, in words, largest first."""
    ours, theirs, columns = filled(real, synthetic)
    found = []
    for place, column in enumerate(columns):
        by = float(np.mean(theirs[:, place]) - np.mean(ours[:, place]))
        feature = FEATURES[column]
        found.append(Difference(feature.name, feature.high if by > 0 else feature.low, by))
    return sorted((one for one in found if abs(one.by) >= TELLING), key=lambda one: -abs(one.by))


def in_words(found: Sequence[Difference], most: int = 3) -> str:
    """The most telling differences as a sentence; empty if nothing tells."""
    if not found:
        return ""
    text = "; ".join(one.words for one in found[:most])
    return f"{text[0].upper()}{text[1:]}."


def _folds(labels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A fold for each group, both kinds spread evenly."""
    folds = np.zeros(len(labels), int)
    for kind in (0, 1):
        members = rng.permutation(np.flatnonzero(labels == kind))
        folds[members] = np.arange(len(members)) % FOLDS
    return folds


def _aucs(x: np.ndarray, labels: np.ndarray, folds: np.ndarray) -> np.ndarray:
    """Of the held-out scores of all folds, for each row of labels and folds (P, N)."""
    scores = held_out_scores(x, labels, folds, PENALTY)
    return np.array([roc_auc(*row) for row in zip(labels, scores, strict=True)])
