"""Make the pictures of docs/looks.md with the bundled model of nuclei.

python docs/scripts/make_look_sheets.py [DATA_DIR [FAST]]

DATA_DIR holds option folders with images/ and masks/ and a dataset.yaml that says what is held out; without it the
sheets beside real images are left as they are. Which files are shown is chosen by number: evenly from all of them.
FAST is a model that `train optional-pix2pix DATA_DIR --preset fast` made; without it the sheet of that preset is left.
"""

from __future__ import annotations

import sys
from pathlib import Path

import imageio.v3 as iio
import numpy as np
import tifffile

from napari_synth.api import load_model
from napari_synth.datasets.pairs import LoadedPair, OptionPairs, find_options, load_pair
from napari_synth.models.defaults import DEFAULT_GENERATOR
from napari_synth.synthesis.generator import Generator
from napari_synth.synthesis.styles import bank_of
from napari_synth.synthesis.styles.from_image import style_from_image
from napari_synth.training.previews import label_picture, picture_sheet

ROOT = Path(__file__).parents[2]
PICTURES = ROOT / "docs" / "pictures"
SIDE = 192
STYLES, STEPS, SHOWN, MINE, OF_FAST = 5, 6, 4, 5, 2


def styles_sheet(model: Generator, labels: np.ndarray) -> list[list[np.ndarray]]:
    """One mask, four options, five styles of the bank, evenly from its 40."""
    members = np.linspace(0, model.card.styles - 1, STYLES).astype(int)
    return [
        [label_picture(labels), *(model.render(labels, option, 1, style=int(m)).image for m in members)]
        for option in model.card.options
    ]


def walk_sheet(model: Generator, labels: np.ndarray) -> list[list[np.ndarray]]:
    """Between the two styles of the bank that lie farthest apart, with the same noise."""
    rows = []
    for number, option in enumerate(model.card.options):
        bank, _ = bank_of(model.network_for("exact"), number)
        apart = np.linalg.norm(bank[:, None] - bank[None], axis=-1)
        one, other = np.unravel_index(int(apart.argmax()), apart.shape)
        codes = [bank[one] + share * (bank[other] - bank[one]) for share in np.linspace(0, 1, STEPS)]
        rows.append([model.render(labels, option, 1, style=code).image for code in codes])
    return rows


def even(files: OptionPairs, count: int) -> list[LoadedPair]:
    """So many held-out pairs with nuclei, evenly from all of them, cut to `SIDE`."""
    places = np.unique(np.linspace(0, len(files.held_out) - 1, count).astype(int))
    pairs = [load_pair(files.held_out[place]) for place in places]
    cut = np.s_[:SIDE, :SIDE]
    parts = [LoadedPair(pair.stem, pair.labels[cut], pair.image[cut], pair.rgb) for pair in pairs]
    return [part for part in parts if part.labels.any() and part.labels.shape == (SIDE, SIDE)]


def beside_sheet(model: Generator, files: OptionPairs, count: int = SHOWN) -> list[list[np.ndarray]]:
    """Mask, real image, three seeds."""
    name = files.source.name
    return [
        [label_picture(pair.labels), pair.image, *(model.render(pair.labels, name, seed).image for seed in (1, 2, 3))]
        for pair in even(files, count)
    ]


def mine_sheet(model: Generator, data: list[OptionPairs], labels: np.ndarray) -> list[list[np.ndarray]]:
    """An image that the model never saw, its mask in the style of it, another mask in that style."""
    rows = []
    for number in range(MINE):
        files = data[number % len(data)]
        pair = even(files, 6)[-1 - number // len(data)]
        found = style_from_image(model, pair.image, files.source.name, pair.labels)
        print(f"{files.source.name} {pair.stem}: {found.apart:.1f} grey levels apart, distance {found.distance:.2f}")
        images = [model.render(mask, files.source.name, 1, style=found.code).image for mask in (pair.labels, labels)]
        rows.append([label_picture(pair.labels), pair.image, *images])
    return rows


def opened(model: str) -> Generator:
    """A model by its id or file."""
    generator = load_model(model, "cpu")
    assert isinstance(generator, Generator)
    return generator


def main(data: str | None = None, fast: str | None = None) -> None:
    """Write the sheets."""
    labels = tifffile.imread(ROOT / "sample_data" / "nuclei_256.tif")[:SIDE, :SIDE]
    model = opened(DEFAULT_GENERATOR)
    sheets = {"styles": styles_sheet(model, labels), "style_walk": walk_sheet(model, labels)}
    if data is not None:
        options = find_options(data)
        sheets["style_of_images"] = mine_sheet(model, options, labels)
        sheets |= {f"beside_{files.source.name}": beside_sheet(model, files) for files in options}
        if fast is not None:
            two_cores = opened(fast)
            sheets["fast_preset"] = [row for files in options for row in beside_sheet(two_cores, files, OF_FAST)]
    for name, rows in sheets.items():
        target = PICTURES / f"{name}.jpg"
        iio.imwrite(target, picture_sheet(rows), quality=88)
        print(target)


if __name__ == "__main__":
    main(*sys.argv[1:])
