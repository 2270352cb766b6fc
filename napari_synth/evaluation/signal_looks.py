"""How far a made signal looks like a real one, beside where its objects lie: grid, grain, brightness, variety."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from scipy import ndimage

from napari_synth.datasets.triplets import load_triplets
from napari_synth.evaluation.metrics.spectra import grid_peaks, power_spectrum
from napari_synth.synthesis.generator import Generator


@dataclass(frozen=True)
class SignalLooks:
    """Means over the held-out planes, each rendered with its own labels.

    Attributes
    ----------
    grid, real_grid : float
        Largest peak of the spectrum at periods of 2, 4 and 8 pixels; 1 means no grid.
    grain, real_grain : float
        Mean absolute difference of the logarithms (base 10) of the power spectra, of the made and the real
        plane, and of the real plane and the training planes.
    objects : float
        Spread of the mean brightness of objects, made divided by real: 1 as different, 0 all alike.
    variety : float
        Mean absolute difference of two seeds, divided by that of two real planes.
    """

    grid: float
    real_grid: float
    grain: float
    real_grain: float
    objects: float
    variety: float

    def as_figures(self, prefix: str = "look.") -> dict[str, float]:
        """Entries for a model card."""
        return {prefix + name: round(float(value), 4) for name, value in asdict(self).items()}


def signal_looks(generator: Generator, data: Path, seeds: tuple[int, int] = (1, 2)) -> SignalLooks:
    """Render every held-out plane twice.

    Parameters
    ----------
    generator : Generator
    data : Path
        ``anatomy/``, ``signal/``, ``labels/``; planes have at least 128 pixels on a side.
    seeds : tuple of int
    """
    planes = load_triplets(data)
    held_out = planes.held_out or planes.training
    scale = generator.card.intensities[generator.card.output_channel]
    real = [scale.to_network(plane.signal) for plane in held_out]
    others = [scale.to_network(plane.signal) for plane in planes.training]
    made = [
        [scale.to_network(generator.render(p.labels, condition=p.anatomy, seed=seed).image) for p in held_out]
        for seed in seeds
    ]
    first, second = made
    spreads = [
        [object_spread(image, plane.labels) for image, plane in zip(images, held_out, strict=True)]
        for images in (first, real)
    ]
    apart = [np.abs(a - b).mean() for a, b in zip(first, second, strict=True)]
    between = [np.abs(a - b).mean() for a, b in zip(real, (*real[1:], others[0]), strict=True) if a.shape == b.shape]
    return SignalLooks(
        grid=max(grid_peaks(first).values()),
        real_grid=max(grid_peaks(real).values()),
        grain=float(np.mean([spectra_apart(a, b) for a, b in zip(first, real, strict=True)])),
        real_grain=float(np.mean([spectra_apart(a, b) for a in real for b in others])),
        objects=float(np.mean(spreads[0]) / max(float(np.mean(spreads[1])), 1e-9)),
        variety=float(np.mean(apart) / max(float(np.mean(between)), 1e-9)) if between else float("nan"),
    )


def object_spread(image: np.ndarray, labels: np.ndarray) -> float:
    """Standard deviation of the mean brightness of the connected objects of a label."""
    objects, count = ndimage.label(labels > 0)
    return float(np.std(ndimage.mean(image, objects, np.arange(1, count + 1)))) if count else 0.0


def spectra_apart(one: np.ndarray, other: np.ndarray) -> float:
    """Mean absolute difference of the logarithms of two power spectra."""
    return float(np.abs(np.log10(power_spectrum(one) + 1e-9) - np.log10(power_spectrum(other) + 1e-9)).mean())
