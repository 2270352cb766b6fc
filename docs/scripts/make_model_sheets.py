"""Make the pictures of models that no other script draws: shapes of nucleus-dvae, axons of pbam-axons.

python docs/scripts/make_model_sheets.py
"""

from __future__ import annotations

from pathlib import Path

import imageio.v3 as iio
import numpy as np
import tifffile

from napari_synth.api import load_model
from napari_synth.training.previews import picture_sheet

ROOT = Path(__file__).parents[2]
PICTURES = ROOT / "docs" / "pictures"
ROWS, STEPS = 4, 9


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


if __name__ == "__main__":
    for name, rows in (("nucleus-dvae", shapes()), ("pbam-axons", axons())):
        iio.imwrite(PICTURES / f"model_{name}.png", picture_sheet(rows))
        print(PICTURES / f"model_{name}.png")
