"""Figures of a generator on held-out pairs: error, similarity, mask agreement, grid."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from napari_synth.core.progress import OnProgress, Stopwatch, ignore_progress
from napari_synth.core.seeds import derived_seed
from napari_synth.datasets.pairs import LoadedPair, find_options, load_pair
from napari_synth.evaluation.metrics import METRICS
from napari_synth.evaluation.segmentor import Segmentor
from napari_synth.synthesis.generator import Generator
from napari_synth.synthesis.request import MAX_SIDE


@dataclass(frozen=True)
class OptionFigures:
    """Means over the held-out files of one option.

    Attributes
    ----------
    files : int
        Held-out files with at least one nucleus.
    mae : float
        Mean absolute error against the real image, part of the range.
    ssim : float
    dice_synthetic, dice_real : float
        Dice of the mask and the segmentation of the synthetic and of the real image.
    agreement : float
        Their ratio.
    grid : float
        Largest ratio, over periods of 2, 4 and 8 pixels, of the synthetic to the real spectral peak; a
        real peak below 1 (none) counts as 1.
    """

    files: int
    mae: float
    ssim: float
    dice_synthetic: float
    dice_real: float
    agreement: float
    grid: float

    def as_figures(self, option: str) -> dict[str, float]:
        """Entries for a model card."""
        return {f"{option}.{name}": round(float(value), 4) for name, value in asdict(self).items()}


def held_out_figures(
    generator: Generator, segmentor: Segmentor, data: Path, seed: int = 1, on_progress: OnProgress = ignore_progress
) -> dict[str, OptionFigures]:
    """Render every held-out mask of a data folder with its own option, and compare.

    Real images are brought to the terms the generator was trained in (`to_uint8_rgb`).
    """
    options = {option.source.name: option.held_out for option in find_options(data)}
    watch = Stopwatch(sum(len(pairs) for pairs in options.values()), on_progress)
    figures, done = {}, 0
    for name, files in options.items():
        rows, real_images, synthetic_images = [], [], []
        for number, file in enumerate(files):
            pair = load_pair(file)
            done += 1
            watch.report(done, name)
            if not pair.labels.any() or max(pair.labels.shape) > MAX_SIDE:
                continue
            rendering = generator.render(pair.labels, name, derived_seed(seed, name, number))
            synthetic = rendering.image
            real = pair.image if synthetic.ndim == 3 else pair.image[..., 0]
            rows.append(_row(real, synthetic, pair, segmentor))
            real_images.append(real)
            synthetic_images.append(synthetic)
        means = np.mean(rows, axis=0)
        figures[name] = OptionFigures(
            files=len(rows),
            mae=means[0],
            ssim=means[1],
            dice_synthetic=means[2],
            dice_real=means[3],
            agreement=means[2] / means[3],
            grid=METRICS["grid"].function(real_images, synthetic_images),
        )
    return figures


def _row(
    real: np.ndarray, synthetic: np.ndarray, pair: LoadedPair, segmentor: Segmentor
) -> tuple[float, float, float, float]:
    mae, ssim, dice = (METRICS[name].function for name in ("mae", "ssim", "dice"))
    return (
        mae(real, synthetic),
        ssim(real, synthetic),
        dice(pair.labels, segmentor.foreground(synthetic)),
        dice(pair.labels, segmentor.foreground(real)),
    )
