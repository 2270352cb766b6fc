"""Masks made from noise: the first code of a seed that gives a usable one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import numpy as np

from napari_synth.core.errors import InputError, WorkError
from napari_synth.core.seeds import numpy_rng
from napari_synth.masks.binary import binary_instances, why_unusable

if TYPE_CHECKING:
    from napari_synth.core.recipe import PairSource

TRIES = 50
"""Codes drawn for one mask until it is usable."""


@dataclass(frozen=True, eq=False)
class NoiseMask:
    """Labels of one code.

    Attributes
    ----------
    labels : ndarray, shape (Y, X), int32
        See `masks.binary.binary_instances`.
    values : ndarray, shape (Y, X), float32
        The network's mask, -1 to 1; the labels lie where it is above 0.
    z : ndarray, shape (latent size,), float32
    rejected : mapping
        Codes drawn before and why their masks were no good; see `masks.binary.why_unusable`.
    """

    labels: np.ndarray
    values: np.ndarray
    z: np.ndarray
    rejected: Mapping[str, int] = field(default_factory=dict)


class MaskMaker(Protocol):
    """What makes the masks of a `PairSource`: a model of pairs."""

    def mask(self, source: PairSource) -> NoiseMask: ...


def mask_of_seed(seed: int, size: int, values_of: Callable[[np.ndarray], np.ndarray], rise: float) -> NoiseMask:
    """The mask of the first code of a seed that is usable.

    Parameters
    ----------
    seed : int
    size : int
        Length of a code; its numbers are uniform in [-1, 1].
    values_of : callable
        Of a code, mask values ``(Y, X)`` in [-1, 1].
    rise : float
        See `masks.binary.binary_instances`.

    Raises
    ------
    WorkError
        If `TRIES` codes give none.
    """
    rng, rejected = numpy_rng(seed, "z"), Counter[str]()
    for _ in range(TRIES):
        z = rng.uniform(-1, 1, size).astype(np.float32)
        values = values_of(z)
        labels = binary_instances(values > 0, rise)
        reason = why_unusable(values, labels)
        if not reason:
            return NoiseMask(labels, values, z, dict(rejected))
        rejected[reason] += 1
    why = ", ".join(f"{count} {reason}" for reason, count in rejected.most_common())
    raise WorkError(f"The seed {seed} gave no usable mask in {TRIES} tries ({why}).", "Use another seed or look.")


def mask_of_code(z: np.ndarray, values: np.ndarray, rise: float) -> NoiseMask:
    """The mask of a code that was given.

    Raises
    ------
    InputError
        If nothing is in it.
    """
    labels = binary_instances(values > 0, rise)
    if not labels.any():
        raise InputError("The mask of this z is empty.", "Use another z, or a seed.")
    return NoiseMask(labels, values, z)
