"""Measure a shape model on held-out shapes, print the table, and store the figures in its card.

python docs/scripts/measure_shapes.py MODEL.safetensors DATA_DIR
"""

from __future__ import annotations

import sys
from pathlib import Path

from napari_synth.api import load_shapes
from napari_synth.evaluation.shapes import reconstruction
from napari_synth.models.checkpoint import load_weights, read_card, save_model


def main(model: str, data: str) -> None:
    """Print wrong pixels per 64×64 shape (codes: posterior means; threshold 0.5) and rewrite MODEL."""
    figures: dict[str, float] = {}
    print("| library | held-out shapes | wrong pixels, held out | wrong pixels, training |")
    print("|---|---|---|---|")
    for row in reconstruction(load_shapes(model, "cpu"), Path(data)):
        figures[f"{row.name}.wrong_px_held_out"] = round(row.held_out, 2)
        figures[f"{row.name}.wrong_px_training"] = round(row.training, 2)
        print(f"| {row.name} | {row.shapes[1]} | {row.held_out:.1f} | {row.training:.1f} |")
    card = read_card(model).model_copy(update={"figures": figures})
    save_model(model, card, load_weights(model))


if __name__ == "__main__":
    main(*sys.argv[1:])
