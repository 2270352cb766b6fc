"""How well a shape model reconstructs nuclei, and what its samplers draw."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.stats import ks_2samp

from napari_synth.datasets.instances import moments, solidity
from napari_synth.datasets.shape_library import training_shapes
from napari_synth.masks.outlines import SHAPE_THRESHOLD
from napari_synth.masks.samplers import SAMPLERS
from napari_synth.masks.shape_codes import Latents
from napari_synth.masks.shape_model import ShapeModel

CHUNK = 512


@dataclass(frozen=True)
class Reconstruction:
    """Mean number of wrong pixels, of 4096, between shapes and their reconstructions from the posterior mean.

    Attributes
    ----------
    name : str
        The shape file.
    training, held_out : float
        NaN where a file has no held-out shapes.
    shapes : tuple of int
        Numbers of training and held-out shapes.
    """

    name: str
    training: float
    held_out: float
    shapes: tuple[int, int]


def reconstruction(model: ShapeModel, data: Path) -> list[Reconstruction]:
    """`Reconstruction` of each shape file of ``data``, over all of its shapes, at a threshold of 0.5."""
    rows = []
    for source, training, held_out in training_shapes(data):
        shown, unseen = (wrong_pixels(model, library.shapes) for library in (training, held_out))
        rows.append(Reconstruction(source.name, shown, unseen, (len(training), len(held_out))))
    return rows


def wrong_pixels(model: ShapeModel, shapes: np.ndarray) -> float:
    """Mean number of pixels in which shapes ``(N, 64, 64)`` and their reconstructions differ."""
    wrong = []
    for first in range(0, len(shapes), CHUNK):
        part = shapes[first : first + CHUNK]
        again = model.decode(model.encode(part)) > SHAPE_THRESHOLD
        wrong.append((again != (part > 0)).sum((1, 2)))
    return float(np.concatenate(wrong).mean()) if wrong else float("nan")


@dataclass(frozen=True)
class SamplerFigures:
    """What a sampler draws, beside real shapes it has not seen.

    Attributes
    ----------
    diversity : float
        Mean distance (1 - intersection over union) between two of its shapes, divided by that of real ones.
    nearest : float
        Median distance of a shape to the nearest library shape; small next to that of real ones: copied.
    area, eccentricity, solidity : float
        Kolmogorov-Smirnov distances to real shapes.
    softness : float
        Share of pixels that the decoder leaves undecided, between 0.1 and 0.9; 0 for real shapes.
    """

    diversity: float
    nearest: float
    area: float
    eccentricity: float
    solidity: float
    softness: float

    @property
    def worst(self) -> float:
        """The largest of the three Kolmogorov-Smirnov distances."""
        return max(self.area, self.eccentricity, self.solidity)

    @property
    def mean(self) -> float:
        """The mean of the three Kolmogorov-Smirnov distances."""
        return (self.area + self.eccentricity + self.solidity) / 3


def sampler_figures(
    name: str,
    spread: float,
    model: ShapeModel,
    latents: Latents,
    real: np.ndarray,
    count: int,
    rng: np.random.Generator,
) -> SamplerFigures:
    """`SamplerFigures` of ``count`` shapes of a sampler beside ``real`` (N, 64, 64) held-out shapes."""
    draw = SAMPLERS[name](model.card.latent_size, spread, lambda: latents).draw(rng, count)
    soft = model.decode(draw.codes) if (draw.members < 0).all() else latents.shapes[draw.members].astype(np.float32)
    return figures_of(soft, latents.shapes, real)


def figures_of(soft: np.ndarray, library: np.ndarray, real: np.ndarray) -> SamplerFigures:
    """`SamplerFigures` of decoded shapes ``(N, 64, 64)``, a library and real shapes it does not hold."""
    binary = soft > SHAPE_THRESHOLD
    binary = binary[binary.any((1, 2))]
    ours, theirs = _measures(binary), _measures(real > 0)
    distance = {key: float(ks_2samp(ours[key], theirs[key]).statistic) for key in ours}
    return SamplerFigures(
        diversity=_spread(binary) / _spread(real > 0),
        nearest=float(np.median(jaccard(binary, library > 0).min(1))),
        softness=float(((soft > 0.1) & (soft < 0.9)).mean()),
        **distance,
    )


def _measures(shapes: np.ndarray) -> dict[str, np.ndarray]:
    found = moments(shapes)
    filled = np.array([solidity(shape) for shape in shapes])
    return {"area": found.area, "eccentricity": found.eccentricity, "solidity": filled}


def jaccard(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """1 - intersection over union of each shape of ``a`` with each of ``b``, shape (len(a), len(b))."""
    first, second = (shapes.reshape(len(shapes), -1).astype(np.float32) for shapes in (a, b))
    both = first @ second.T
    either = first.sum(1)[:, None] + second.sum(1) - both
    distance: np.ndarray = 1 - both / np.maximum(either, 1)
    return distance


def _spread(shapes: np.ndarray) -> float:
    distance = jaccard(shapes, shapes)
    return float(distance[~np.eye(len(shapes), dtype=bool)].mean())
