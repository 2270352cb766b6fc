"""Make the pictures of the capsule microscope with the bundled model.

python docs/scripts/make_capsule_pictures.py
"""

from __future__ import annotations

from pathlib import Path

import imageio.v3 as iio
import numpy as np
import tifffile

from napari_synth.api import load_model
from napari_synth.evaluation.ranking import rank_units
from napari_synth.models.defaults import DEFAULT_CAPSULES
from napari_synth.synthesis.latents.paths import latent_path
from napari_synth.synthesis.latents.vectors import latent_of
from napari_synth.training.previews import picture_sheet

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs" / "pictures"
LAYER = "convcaps4"


def stretched(values: np.ndarray) -> np.ndarray:
    """Any map as uint8, from its 1 to its 99 percentile."""
    low, high = np.percentile(values, (1, 99))
    return (255 * np.clip((values - low) / max(high - low, 1e-9), 0, 1)).astype(np.uint8)


def signed(values: np.ndarray) -> np.ndarray:
    """A difference: red above 0, blue below, white at 0."""
    part = np.clip(values / max(np.percentile(np.abs(values), 99.5), 1e-9), -1, 1)[..., None]
    red, blue, white = np.array([178, 24, 43.0]), np.array([33, 102, 172.0]), np.full(3, 247.0)
    return (white + np.abs(part) * (np.where(part > 0, red, blue) - white)).astype(np.uint8)


def main() -> None:
    """Write ``capsules_*.png`` into ``docs/pictures``."""
    labels = tifffile.imread(ROOT / "sample_data" / "axons_256.tif")
    mask = (255 * (labels > 0)).astype(np.uint8)
    model = load_model(DEFAULT_CAPSULES, "cpu")
    pictures = {}

    pictures["seeds"] = [[mask, *(model.render(labels, seed=seed).image for seed in range(1, 6))]]

    last = model.render(labels, seed=1, capture=["convcaps10"]).activations["convcaps10"][0]
    pictures["features"] = [[stretched(channel) for channel in last[k : k + 8]] for k in (0, 8)]

    path = latent_path(*(latent_of(seed, model.card.latent_size) for seed in (1, 2)), 6)
    pictures["walk"] = [[model.render(labels, z=z).image for z in path]]

    plain = model.render(labels, seed=1, capture=[LAYER])
    scores = rank_units(LAYER, plain.activations[LAYER], labels > 0, labels == 0)
    best = next(score for score in scores if score.channel is None)
    changed = model.render(labels, seed=1, set={(LAYER, best.capsule): 0.0}).image
    lengths = np.linalg.norm(plain.activations[LAYER][best.capsule], axis=0)
    shown = stretched(np.kron(lengths, np.ones((4, 4))))
    difference = signed(changed.astype(float) - plain.image)
    pictures["switched_off"] = [[plain.image, shown, changed, difference]]
    print(f"capsule {best.capsule} of {LAYER}: AUC {best.auc:.3f} against the mask")

    FOLDER.mkdir(exist_ok=True)
    for name, rows in pictures.items():
        iio.imwrite(FOLDER / f"capsules_{name}.png", picture_sheet(rows))
        print(FOLDER / f"capsules_{name}.png")


if __name__ == "__main__":
    main()
