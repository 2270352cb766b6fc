"""Make the picture of the looks with the bundled models.

python docs/scripts/make_pictures.py
"""

from __future__ import annotations

from pathlib import Path

import imageio.v3 as iio
import numpy as np
import tifffile

from napari_synth.api import load_model
from napari_synth.models.defaults import DEFAULT_GENERATOR
from napari_synth.training.previews import label_picture, picture_sheet

ROOT = Path(__file__).parents[2]
ICON = ROOT / "napari_synth" / "icon.png"


def main() -> None:
    """``docs/pictures/looks.png``: one mask and its four looks, two seeds each; and the icon of the plugin."""
    labels = tifffile.imread(ROOT / "sample_data" / "nuclei_256.tif")
    model = load_model(DEFAULT_GENERATOR, "cpu")
    rows = [
        [label_picture(labels), *(model.render(labels, option, seed).image for option in model.card.options)]
        for seed in (1, 2)
    ]
    target = ROOT / "docs" / "pictures" / "looks.png"
    target.parent.mkdir(exist_ok=True)
    iio.imwrite(target, picture_sheet(rows))
    iio.imwrite(ICON, icon(*rows[0][:2]))
    print(target, ICON)


def icon(mask: np.ndarray, image: np.ndarray) -> np.ndarray:
    """The mask on the left and above, its image on the right and below, ``(256, 256, 3)`` uint8."""
    rows, columns = np.indices(mask.shape[:2])
    return np.where((columns + rows < 256)[..., None], mask, image)


if __name__ == "__main__":
    main()
