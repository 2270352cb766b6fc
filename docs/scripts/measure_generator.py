"""Measure a generator on held-out pairs, print the table, and store the figures in its card.

python docs/scripts/measure_generator.py MODEL.safetensors SEGMENTOR.safetensors DATA_DIR
"""

from __future__ import annotations

import sys
from pathlib import Path

from napari_synth.evaluation.held_out import held_out_figures
from napari_synth.evaluation.segmentor import Segmentor
from napari_synth.models.checkpoint import load_weights, read_card, save_model
from napari_synth.models.registry import load_trained
from napari_synth.synthesis.recipes import load_generator


def main(model: str, segmentor: str, data: str) -> None:
    """Print a Markdown table and rewrite MODEL with the figures in its card."""
    figures = held_out_figures(load_generator(model, "cpu"), Segmentor(load_trained(segmentor, "cpu")), Path(data))
    print("| option | files | MAE | SSIM | Dice, synthetic | Dice, real | agreement | grid |")
    print("|---|---|---|---|---|---|---|---|")
    stored: dict[str, float] = {}
    for name, row in figures.items():
        stored |= row.as_figures(name)
        print(
            f"| {name} | {row.files} | {row.mae:.3f} | {row.ssim:.3f} | {row.dice_synthetic:.3f} "
            f"| {row.dice_real:.3f} | {row.agreement:.3f} | {row.grid:.2f} |"
        )
    card = read_card(model).model_copy(update={"figures": stored})
    save_model(model, card, load_weights(model))


if __name__ == "__main__":
    main(*sys.argv[1:])
