"""Make the pictures of models that no other script draws.

Shapes of nucleus-dvae, axons of pbam-axons, pairs of ising-nuclei, and what metgan-brain-segmentor finds.

python docs/scripts/make_model_sheets.py
"""

from __future__ import annotations

from pathlib import Path

import imageio.v3 as iio
import numpy as np
import tifffile
from skimage.color import gray2rgb

from napari_synth.api import load_model
from napari_synth.core.seeds import numpy_rng
from napari_synth.evaluation.segmentor import Segmentor
from napari_synth.models.registry import load_trained
from napari_synth.training.previews import picture_sheet

ROOT = Path(__file__).parents[2]
PICTURES = ROOT / "docs" / "pictures"
ROWS, STEPS = 4, 9
PAIRS, PAIRS_IN_A_ROW = 12, 6


def shapes() -> list[list[np.ndarray]]:
    """Rows from one shape of the library to another, evenly by number, in equal steps of the latent vector."""
    model = load_model("nucleus-dvae", "cpu")
    codes = model.latents().codes
    ends = codes[np.linspace(0, len(codes) - 1, 2 * ROWS).astype(int)]
    shares = np.linspace(0, 1, STEPS)[:, None]
    rows = [model.decode(a + shares * (b - a)) for a, b in zip(ends[::2], ends[1::2], strict=True)]
    return [[(255 * shape).round().astype(np.uint8) for shape in row] for row in rows]


def axons() -> list[list[np.ndarray]]:
    """The sample mask and four seeds."""
    labels = tifffile.imread(ROOT / "sample_data" / "axons_256.tif")
    model = load_model("pbam-axons", "cpu")
    return [[(255 * (labels > 0)).astype(np.uint8), *(model.render(labels, seed=seed).image for seed in (1, 2, 3, 4))]]


def pairs() -> list[list[np.ndarray]]:
    """The seeds 1 to 12 of each look: rows of images, and of their labels below them."""
    model, rows = load_model("ising-nuclei", "cpu"), []
    for look in model.card.options:
        made = [model.sample(seed, look) for seed in range(1, PAIRS + 1)]
        for start in range(0, PAIRS, PAIRS_IN_A_ROW):
            shown = made[start : start + PAIRS_IN_A_ROW]
            rows.append([pair.image if pair.image.ndim == 3 else gray2rgb(pair.image) for pair in shown])
            rows.append([_painted(pair.labels) for pair in shown])
    return rows


def _painted(labels: np.ndarray) -> np.ndarray:
    """Labels in colours of their own, (Y, X, 3)."""
    colours = numpy_rng(0, "colours").integers(70, 256, (int(labels.max()) + 1, 3)).astype(np.uint8)
    colours[0] = 0
    painted: np.ndarray = colours[labels]
    return painted


def found_neurons() -> list[list[np.ndarray]]:
    """The signal of the sample brain, its labels, and what the segmentor finds in the signal."""
    _, signal = tifffile.imread(ROOT / "sample_data" / "brain_256.tif")
    labels = tifffile.imread(ROOT / "sample_data" / "brain_256_labels.tif")
    segmentor = Segmentor(load_trained("metgan-brain-segmentor", "cpu"))
    found = segmentor.foreground(signal)
    dice = 2 * (found & (labels > 0)).sum() / (found.sum() + (labels > 0).sum())
    print(f"Dice of labels and found neurons: {dice:.2f}")
    low, high = np.percentile(signal, (0.1, 99.9))
    grey = (255 * np.clip((signal - low) / (high - low), 0, 1)).round().astype(np.uint8)
    return [[grey, *((255 * mask).astype(np.uint8) for mask in (labels > 0, found))]]


if __name__ == "__main__":
    sheets = {
        "model_nucleus-dvae.png": shapes,
        "model_pbam-axons.png": axons,
        "ising-pairs.jpg": pairs,
        "model_metgan-brain-segmentor.png": found_neurons,
    }
    for name, sheet in sheets.items():
        iio.imwrite(PICTURES / name, picture_sheet(sheet()), **({"quality": 88} if name.endswith("jpg") else {}))
        print(PICTURES / name)
