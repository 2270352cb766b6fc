"""Measure a shape model on held-out shapes, print the table, and store the figures in its card.

python docs/scripts/measure_shapes.py MODEL.safetensors DATA_DIR
"""

from __future__ import annotations

import sys
from pathlib import Path

from napari_synth.api import load_shapes
from napari_synth.datasets.shapes import find_shape_files, is_held_out_shape, read_shapes
from napari_synth.models.checkpoint import load_weights, read_card, save_model


def main(model: str, data: str) -> None:
    """Print wrong pixels per 64×64 shape (codes: posterior means; threshold 0.5) and rewrite MODEL."""
    shapes_model = load_shapes(model, "cpu")
    figures: dict[str, float] = {}
    print("| library | held-out shapes | wrong pixels, held out | wrong pixels, training |")
    print("|---|---|---|---|")
    for path in find_shape_files(Path(data)):
        shapes = read_shapes(path).shapes
        held_out = is_held_out_shape(len(shapes))
        wrong = [
            float(((shapes_model.decode(shapes_model.encode(part)) > 0.5) != (part > 0)).sum((1, 2)).mean())
            for part in (shapes[held_out], shapes[~held_out][:2000])
        ]
        figures[f"{path.stem}.wrong_px_held_out"], figures[f"{path.stem}.wrong_px_training"] = wrong
        print(f"| {path.stem} | {held_out.sum()} | {wrong[0]:.1f} | {wrong[1]:.1f} |")
    rounded = {name: round(value, 2) for name, value in figures.items()}
    card = read_card(model).model_copy(update={"figures": rounded})
    save_model(model, card, load_weights(model))


if __name__ == "__main__":
    main(*sys.argv[1:])
