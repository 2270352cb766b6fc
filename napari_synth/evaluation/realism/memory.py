"""Copies of real images, and synthetic images that are all alike: the nearest neighbour of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import fft

from napari_synth.core.progress import CancelToken
from napari_synth.core.seeds import numpy_rng
from napari_synth.evaluation.pair_check.alignment import thumbnail_of
from napari_synth.evaluation.pair_check.cures import EVERY_TURN
from napari_synth.evaluation.realism.sets import Picture

MOST = 200
"""Images of a set that are compared; more are drawn from."""
COPY = 0.9
"""Likeness, in [-1, 1], from which an image may be a copy, if no two real ones are as alike. A copy that is shifted by
half a pixel of its thumbnail keeps about as much; images of a single nucleus each can be as alike as 0.88."""
COLLAPSE = 2.0
"""Standard deviations by which synthetic images are more alike than real ones."""


@dataclass(frozen=True, eq=False)
class Neighbours:
    """The likeness of each image to its nearest neighbour.

    Likeness is the largest correlation of 64×64 thumbnails over all shifts, quarter turns and mirrors.

    Attributes
    ----------
    of_real, of_synthetic : ndarray
        Within each set.
    across : ndarray
        Of each synthetic image to the real ones.
    nearest : list of (Picture, Picture, float)
        Synthetic and real image, most alike first.
    """

    of_real: np.ndarray
    of_synthetic: np.ndarray
    across: np.ndarray
    nearest: list[tuple[Picture, Picture, float]]

    @property
    def copies(self) -> list[tuple[Picture, Picture, float]]:
        """Pairs that may be copies."""
        limit = max(COPY, float(np.quantile(self.of_real, 0.999)))
        return [found for found in self.nearest if found[2] > limit]

    @property
    def alike(self) -> bool:
        """Whether synthetic images are more alike than real ones."""
        limit = np.median(self.of_real) + COLLAPSE * self.of_real.std()
        return bool(np.median(self.of_synthetic) > limit)


def neighbours(real: Sequence[Picture], synthetic: Sequence[Picture], seed: int, cancel: CancelToken) -> Neighbours:
    """Compare all with all, at most `MOST` of each set."""
    real, synthetic = _some(real, seed), _some(synthetic, seed)
    ours, theirs = _spectra(real), _spectra(synthetic)
    across = _in_any_turn(theirs, ours[0], cancel)
    within = []
    for spectra in (ours, theirs):
        found = _in_any_turn(spectra, spectra[0], cancel)
        np.fill_diagonal(found, -1)
        within.append(found.max(1))
    best = across.argmax(1)
    order = np.argsort(-across.max(1))
    nearest = [(synthetic[i], real[best[i]], float(across[i, best[i]])) for i in order]
    return Neighbours(within[0], within[1], across.max(1), nearest)


def likeness(first: np.ndarray, second: np.ndarray, cancel: CancelToken) -> np.ndarray:
    """Largest correlation over cyclic shifts, (N, M), of the spectra of thumbnails."""
    found = np.zeros((len(first), len(second)), np.float32)
    for number, spectrum in enumerate(first):
        cancel.raise_if_cancelled()
        found[number] = fft.irfft2(spectrum[None] * second.conj()).max((1, 2))
    return found


def _in_any_turn(first: list[np.ndarray], second: np.ndarray, cancel: CancelToken) -> np.ndarray:
    found: np.ndarray = np.max([likeness(spectra, second, cancel) for spectra in first], axis=0)
    return found


def _spectra(pictures: Sequence[Picture]) -> list[np.ndarray]:
    """The spectra (N, 64, 33) of the thumbnails, in each of `EVERY_TURN`; the first as they lie."""
    thumbnails = [thumbnail_of(picture.pixels) for picture in pictures]
    return [fft.rfft2(np.stack([turn(one) for one in thumbnails]).astype(np.float32)) for turn in EVERY_TURN]


def _some(pictures: Sequence[Picture], seed: int) -> list[Picture]:
    if len(pictures) <= MOST:
        return list(pictures)
    chosen = numpy_rng(seed, "memory").permutation(len(pictures))[:MOST]
    return [pictures[number] for number in sorted(chosen)]
