"""Measure an axon generator on held-out fields, print the table, and store the figures in its card.

python docs/scripts/measure_capsules.py MODEL.safetensors SEGMENTOR.safetensors DATA_DIR [PIX2PIX.safetensors]

The masks of the fields are computed by a ridge filter, not drawn: every agreement with them is optimistic.
"""

from __future__ import annotations

import sys

import numpy as np

from napari_synth.core.seeds import derived_seed
from napari_synth.datasets.pairs import find_options, load_pair
from napari_synth.evaluation.metrics.images import mean_absolute_error, similarity
from napari_synth.evaluation.metrics.masks import dice
from napari_synth.evaluation.metrics.spectra import grid_peaks
from napari_synth.evaluation.ranking import roc_auc
from napari_synth.evaluation.segmentor import Segmentor
from napari_synth.models.checkpoint import load_weights, read_card, save_model
from napari_synth.models.registry import load_trained
from napari_synth.nets.capsule_stages import STAGES
from napari_synth.synthesis.generator import Generator
from napari_synth.synthesis.recipes import load_generator

SEEDS = 20


def auc(image: np.ndarray, labels: np.ndarray) -> float:
    """ROC AUC of brightness against the mask."""
    inside = (labels > 0).ravel().astype(float)
    return roc_auc(image.ravel(), inside, 1 - inside)


def spread(generator: Generator, labels: np.ndarray) -> tuple[float, float]:
    """Grey levels by which a pixel varies over `SEEDS` seeds, inside and outside the mask."""
    images = np.stack([grey(generator.render(labels, seed=seed).image) for seed in range(SEEDS)]).astype(np.float32)
    deviation = images.std(0)
    return float(deviation[labels > 0].mean()), float(deviation[labels == 0].mean())


def grey(image: np.ndarray) -> np.ndarray:
    """One channel."""
    return image if image.ndim == 2 else image.mean(-1).round().astype(np.uint8)


def switched_off(generator: Generator, labels: np.ndarray) -> dict[str, tuple[float, float]]:
    """Grey levels by which the image changes without one capsule, inside and outside the mask: means of each layer."""
    plain, inside = generator.render(labels, seed=1).image.astype(np.float32), labels > 0
    found = {}
    for stage in STAGES[1:-1]:
        without = ({(stage.name, capsule): 0.0} for capsule in range(stage.capsules))
        images = [generator.render(labels, seed=1, set=change).image for change in without]
        change = np.abs(np.stack(images) - plain).mean(0)
        found[stage.name] = float(change[inside].mean()), float(change[~inside].mean())
    return found


def main(model: str, segmentor: str, data: str, baseline: str | None = None) -> None:
    """Print the figures and rewrite MODEL with them in its card."""
    generators = {"": load_generator(model, "cpu")}
    if baseline:
        generators["pix2pix_"] = load_generator(baseline, "cpu")
    generator = generators[""]
    judge = Segmentor(load_trained(segmentor, "cpu"))
    (option,) = find_options(data)
    rows, real_images, images = [], [], []
    for number, file in enumerate(option.held_out):
        pair = load_pair(file)
        real = pair.image[..., 0]
        made = generator.render(pair.labels, seed=derived_seed(1, "axons", number)).image
        real_images.append(real)
        images.append(made)
        row = {
            "mae": mean_absolute_error(real, made),
            "ssim": similarity(real, made),
            "auc_synthetic": auc(made, pair.labels),
            "auc_real": auc(real, pair.labels),
            "dice_synthetic": dice(judge.foreground(made), pair.labels),
            "dice_real": dice(judge.foreground(real), pair.labels),
        }
        for name, other in generators.items():
            row[f"{name}std_inside"], row[f"{name}std_outside"] = spread(other, pair.labels)
        rows.append(row)
    figures = {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}
    for kind, shown in (("synthetic", images), ("real", real_images)):
        figures[f"grid_{kind}"] = max(grid_peaks(shown).values())
    for layer, (inside, outside) in switched_off(generator, load_pair(option.held_out[0]).labels).items():
        print(f"| one capsule of {layer} switched off, inside / outside the mask | {inside:.1f} / {outside:.1f} |")
    for name, value in figures.items():
        print(f"| {name} | {value:.3f} |")
    card = read_card(model)
    stored = {name: round(value, 4) for name, value in figures.items()}
    save_model(model, card.model_copy(update={"figures": stored}), load_weights(model))


if __name__ == "__main__":
    main(*sys.argv[1:])
