"""Measure two-channel generators on held-out planes, print the tables, and store the figures in their cards.

python docs/scripts/measure_metgan.py DATA_DIR SEGMENTOR.safetensors JUDGE.safetensors MAPS.npz MODEL.safetensors...

SEGMENTOR is the one the generators were trained against, JUDGE one that none of them has met.
"""

from __future__ import annotations

import sys
from pathlib import Path

from napari_synth.evaluation.segmentor import Segmentor
from napari_synth.evaluation.signal_looks import signal_looks
from napari_synth.evaluation.two_channel import TwoChannelFigures, real_placement, two_channel_figures
from napari_synth.masks.recombine import read_maps
from napari_synth.models.checkpoint import load_weights, read_card, save_model
from napari_synth.models.registry import load_trained
from napari_synth.synthesis.recipes import load_generator

NOTES = (
    "Labels were computed from the signal, not drawn; figures are means over held-out planes. Dice and the output on "
)
NOTES += "an empty label are by the model's own segmentor, those named judge by one it has never met."


def row(name: str, steps: int, own: TwoChannelFigures, judged: TwoChannelFigures) -> str:
    """One line of the table; placement as: by the segmentor / by the judge."""
    both = [
        f"{getattr(own, field):.3f} / {getattr(judged, field):.3f}"
        for field in ("dice_original", "dice_moved", "dice_other", "empty")
    ]
    return " | ".join([f"| {name}", str(steps), f"{own.mae:.3f}", f"{own.msd:.3f}", f"{own.ssim:.3f}", *both]) + " |"


def main(data: str, segmentor: str, judge: str, maps: str, *models: str) -> None:
    """Print a Markdown table and rewrite each model with the figures in its card."""
    own, other = (Segmentor(load_trained(path, "cpu")) for path in (segmentor, judge))
    library = read_maps([Path(maps)])
    real = [real_placement(each, Path(data)) for each in (own, other)]
    print(f"Dice of the real signal against the computed labels: {real[0]:.3f} / {real[1]:.3f}")
    print("| model | steps | MAE | MSD | SSIM | Dice, own labels | Dice, moved labels | Dice, tumour labels | empty |")
    print("|---|---|---|---|---|---|---|---|---|")
    looks = []
    for path in models:
        generator = load_generator(path, "cpu")
        figures = two_channel_figures(generator, own, Path(data), library)
        judged = two_channel_figures(generator, other, Path(data), library)
        print(row(Path(path).stem, read_card(path).training.steps, figures, judged), flush=True)
        look = signal_looks(generator, Path(data))
        values = (look.grid, look.real_grid, look.grain, look.real_grain, look.objects, look.variety)
        looks.append(f"| {Path(path).stem} | " + " | ".join(f"{value:.2f}" for value in values) + " |")
        stored = (
            figures.as_figures()
            | look.as_figures()
            | {
                f"judge.{name}": value
                for name, value in judged.as_figures().items()
                if name.startswith(("dice", "empty"))
            }
        )
        card = read_card(path)
        save_model(path, card.model_copy(update={"figures": stored, "notes": NOTES}), load_weights(path))
    print("| model | grid | real | grain, distance of the spectra | real planes | spread of objects | variety |")
    print("|---|---|---|---|---|---|---|", *looks, sep="\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
