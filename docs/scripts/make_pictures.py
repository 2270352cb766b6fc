"""Make the pictures of the README with the bundled models.

python docs/scripts/make_pictures.py
"""

from __future__ import annotations

from pathlib import Path

import imageio.v3 as iio
import tifffile

from napari_synth.api import load_model
from napari_synth.models.defaults import DEFAULT_GENERATOR
from napari_synth.training.previews import label_picture, picture_sheet

ROOT = Path(__file__).parents[2]


def main() -> None:
    """``docs/pictures/looks.png``: one mask and its four looks, two seeds each."""
    labels = tifffile.imread(ROOT / "sample_data" / "nuclei_256.tif")
    model = load_model(DEFAULT_GENERATOR, "cpu")
    rows = [
        [label_picture(labels), *(model.render(labels, option, seed).image for option in model.card.options)]
        for seed in (1, 2)
    ]
    target = ROOT / "docs" / "pictures" / "looks.png"
    target.parent.mkdir(exist_ok=True)
    iio.imwrite(target, picture_sheet(rows))
    print(target)


if __name__ == "__main__":
    main()
