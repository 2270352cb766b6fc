"""Measure how far apart real images of each option are, and how far apart the variants that a model makes.

python docs/scripts/measure_variety.py MODEL DATA_DIR [--store]

Prints a Markdown table. With --store the distances between real images go into the card of MODEL, or, where it is a
bundled one, into evaluation/real_distances.yaml.
"""

from __future__ import annotations

import sys

import numpy as np
import yaml

from napari_synth.datasets.pairs import LoadedPair, Pair, find_options, load_pair
from napari_synth.evaluation.variety import FIGURE, REFERENCES, Variety, real_distance, variety_of
from napari_synth.models.checkpoint import load_weights, read_card, save_model
from napari_synth.models.registry import bundled_paths
from napari_synth.synthesis.recipes import load_generator
from napari_synth.synthesis.request import RenderRequest

MOST_IMAGES, MASKS = 40, 6


def spread(files: list[Pair], most: int) -> list[LoadedPair]:
    """At most so many of the files, evenly from all of them."""
    places = np.unique(np.linspace(0, len(files) - 1, most).astype(int))
    return [load_pair(files[place]) for place in places]


def main(model: str, data: str, *flags: str) -> None:
    """Print the table; the masks whose variants are made are those of held-out files."""
    generator = load_generator(model, "cpu")
    found: dict[str, float] = {}
    print("| option | real images | real distance | distance of variants | ratio | one style | ratio |")
    print("|---|---|---|---|---|---|---|")
    for files in find_options(data):
        option = files.source.name if generator.card.looks else ""
        rgb = next((look.rgb for look in generator.card.looks if look.name == option), False)
        real = spread([*files.training, *files.held_out], MOST_IMAGES)
        found[option] = round(real_distance(real, rgb), 1)
        masks = [pair.labels for pair in spread(list(files.held_out or files.training), MASKS) if pair.labels.any()]
        columns = []
        for style in (None, 0) if generator.card.styles else (None,):
            requests = [RenderRequest(mask, option or None, 1, style=style) for mask in masks]
            distance = float(np.mean([variety_of(generator, request).distance for request in requests]))
            columns.append(f"{distance:.1f} | {Variety(distance, found[option]).ratio:.2f}")
        print(f"| {option or generator.card.id} | {len(real)} | {found[option]} | {' | '.join(columns)} |", flush=True)
    if "--store" in flags:
        store(model, found)


def store(model: str, found: dict[str, float]) -> None:
    """Keep the distances between real images."""
    if model in bundled_paths():
        table = yaml.safe_load(REFERENCES.read_text(encoding="utf-8")) if REFERENCES.is_file() else {}
        entries = {option or FIGURE: value for option, value in found.items()}
        REFERENCES.write_text(yaml.safe_dump(table | {model: entries}), encoding="utf-8")
        return
    figures = {f"{option}.{FIGURE}" if option else FIGURE: value for option, value in found.items()}
    card = read_card(model)
    save_model(model, card.model_copy(update={"figures": card.figures | figures}), load_weights(model))


if __name__ == "__main__":
    main(*sys.argv[1:])
