"""Figures of a two-channel generator on held-out planes: error, similarity, objects where they were asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from napari_synth.core.intensity import Intensity
from napari_synth.core.progress import OnProgress, Stopwatch, ignore_progress
from napari_synth.core.recipe import RecombineSettings
from napari_synth.core.seeds import derived_seed
from napari_synth.datasets.triplets import Triplet, load_triplets
from napari_synth.evaluation.metrics import METRICS
from napari_synth.evaluation.segmentor import Segmentor
from napari_synth.masks.recombine import recombine
from napari_synth.synthesis.generator import Generator


@dataclass(frozen=True)
class TwoChannelFigures:
    """Means over the held-out planes; all grey values are scaled to [-1, 1] as the network has them.

    Attributes
    ----------
    planes : int
    mae, msd, ssim : float
        Mean absolute difference, mean squared difference and SSIM against the real signal.
    dice_original : float
        Dice of the segmented synthetic signal and the plane's own labels.
    dice_moved : float
        The same for labels of another plane.
    dice_other : float
        The same for label maps of other data put at random places; NaN where there are none.
    empty : float
        Mean output of the segmentor where no object was asked for, 0 to 1.
    """

    planes: int
    mae: float
    msd: float
    ssim: float
    dice_original: float
    dice_moved: float
    dice_other: float
    empty: float

    def as_figures(self, prefix: str = "") -> dict[str, float]:
        """Entries for a model card."""
        values = {name: float(value) for name, value in asdict(self).items()}
        return {prefix + name: round(value, 4) for name, value in values.items() if np.isfinite(value)}


def differences(real: np.ndarray, made: np.ndarray, scale: Intensity) -> tuple[float, float, float]:
    """MAE, MSD and SSIM of two signals in [-1, 1]."""
    a, b = (scale.to_network(image).astype(np.float64) for image in (real, made))
    mae, msd, ssim = (METRICS[name].function for name in ("mae", "msd", "ssim"))
    return mae(a, b, value_range=1), msd(a, b, value_range=1), ssim(a, b, value_range=2)


def moved_labels(planes: Sequence[Triplet], others: Sequence[Triplet]) -> list[np.ndarray]:
    """For each plane the labels of another one, spread evenly over the others and mirrored.

    Neighbouring planes share most of their objects; far ones, mirrored, share few.
    """
    chosen = [others[(number * len(others)) // len(planes)] for number in range(len(planes))]
    return [np.ascontiguousarray(other.labels[:, ::-1]) for other in chosen]


def two_channel_figures(
    generator: Generator,
    segmentor: Segmentor,
    data: Path,
    maps: Sequence[np.ndarray] = (),
    seed: int = 1,
    on_progress: OnProgress = ignore_progress,
) -> TwoChannelFigures:
    """Render every held-out plane with its own labels, with moved ones, and with none.

    Parameters
    ----------
    generator : Generator
    segmentor : Segmentor
        Of the signal channel.
    data : Path
        ``anatomy/``, ``signal/``, ``labels/``; only what is held out is used, beside the labels of others.
    maps : sequence of ndarray
        Label maps of other data; each goes to a random place of one plane, unscaled.
    seed : int
    """
    planes = load_triplets(data)
    held_out = planes.held_out or planes.training
    dice = METRICS["dice"].function
    scale = generator.card.intensities[generator.card.output_channel]
    noise = seed if generator.card.hyper.get("noise") else None  # where the signal is made of it
    watch = Stopwatch(3 * len(held_out) + len(maps), on_progress)
    done = 0

    def rendered(plane: Triplet, labels: np.ndarray) -> np.ndarray:
        nonlocal done
        done += 1
        watch.report(done, plane.stem)
        return generator.render(labels, condition=plane.anatomy, seed=noise).image

    def placed(plane: Triplet, labels: np.ndarray) -> float:
        return dice(segmentor.foreground(rendered(plane, labels)), labels)

    rows, original, empty = [], [], []
    for plane in held_out:
        made = rendered(plane, plane.labels)
        rows.append(differences(plane.signal, made, scale))
        original.append(dice(segmentor.foreground(made), plane.labels))
        empty.append(segmentor.probability(rendered(plane, np.zeros_like(plane.labels))).mean())
    pairs = zip(held_out, moved_labels(held_out, planes.training), strict=True)
    moved = [placed(plane, labels) for plane, labels in pairs if plane.labels.shape == labels.shape]
    other = []
    for number, labels in enumerate(maps):
        plane = held_out[number % len(held_out)]
        height, width = plane.labels.shape
        still = RecombineSettings(height=height, width=width, merge=0, rotate=0, scale_low=1, scale_high=1)
        other.append(placed(plane, recombine([labels], still, derived_seed(seed, "other", number))))
    mae, msd, ssim = np.mean(rows, axis=0)
    return TwoChannelFigures(
        planes=len(held_out),
        mae=mae,
        msd=msd,
        ssim=ssim,
        dice_original=_mean(original),
        dice_moved=_mean(moved),
        dice_other=_mean(other),
        empty=float(np.mean(empty)),
    )


def real_placement(segmentor: Segmentor, data: Path) -> float:
    """Mean Dice of the segmented real signal and its labels, over the held-out planes."""
    planes, dice = load_triplets(data), METRICS["dice"].function
    return _mean([dice(segmentor.foreground(plane.signal), plane.labels) for plane in planes.held_out])


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if len(values) else float("nan")
