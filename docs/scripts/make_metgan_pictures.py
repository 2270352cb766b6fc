"""Make the picture of the two-channel model: anatomy, label, synthetic signal of two seeds, real signal.

python docs/scripts/make_metgan_pictures.py DATA_DIR [MODEL]
"""

from __future__ import annotations

import sys
from pathlib import Path

import imageio.v3 as iio
import numpy as np

from napari_synth.api import load_model
from napari_synth.core.intensity import Intensity
from napari_synth.datasets.mask_encoding import from_network
from napari_synth.datasets.triplets import Triplet, load_triplets
from napari_synth.evaluation.two_channel import moved_labels
from napari_synth.models.defaults import DEFAULT_TWO_CHANNEL
from napari_synth.training.previews import picture_sheet

TARGET = Path(__file__).parents[2] / "docs" / "pictures" / "metgan.png"
PART = np.s_[180:436, 40:296]


def picture(image: np.ndarray, scale: Intensity) -> np.ndarray:
    """The shown part of a channel as uint8."""
    return from_network(scale.to_network(image[PART]))


def main(data: str, model: str = DEFAULT_TWO_CHANNEL) -> None:
    """``docs/pictures/metgan.png``: two held-out planes, each with its own and with moved labels, two seeds."""
    generator = load_model(model, "cpu")
    anatomy, signal = (generator.card.intensities[name] for name in ("anatomy", "signal"))
    planes = load_triplets(Path(data))
    shown = planes.held_out[:2]

    def row(plane: Triplet, labels: np.ndarray) -> list[np.ndarray]:
        made = [generator.render(labels, condition=plane.anatomy, seed=seed).image for seed in (1, 2)]
        label = (255 * (labels[PART] > 0)).astype(np.uint8)
        images = [picture(image, signal) for image in (*made, plane.signal)]
        return [picture(plane.anatomy, anatomy), label, *images]

    moved = moved_labels(shown, planes.training)
    rows = [row(plane, plane.labels) for plane in shown]
    rows += [row(plane, labels) for plane, labels in zip(shown, moved, strict=True)]
    TARGET.parent.mkdir(exist_ok=True)
    iio.imwrite(TARGET, picture_sheet(rows))
    print(TARGET)


if __name__ == "__main__":
    main(*sys.argv[1:])
