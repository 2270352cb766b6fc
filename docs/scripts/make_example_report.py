"""The two example reports of `docs/evaluate.md`, of pairs that differ in a way that is known.

python docs/scripts/make_example_report.py [realism] [help]

"Real" pairs are sampled masks rendered by the bundled generator; those that are compared with them are made of other
masks in the same way. ``realism``: their images are blurred by a pixel, and that is what the report says. ``help``:
their masks are shifted by six pixels. That does no measurable harm in so small a run: crops are turned at random, so
the shift averages out, and the report says how large a difference it could have seen.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

import imageio.v3 as iio
import numpy as np

import napari_synth as ns
from napari_synth.core.recipe import CameraSettings
from napari_synth.evaluation.usefulness import HelpRequest, does_it_help

EXAMPLES = Path(__file__).parents[1] / "examples"
MODEL, LOOK, SIDE = "optional-pix2pix-nuclei", "fluorescence", 96
REAL, MADE = 28, 20
BLUR, SHIFT = 1.0, 6
TINY = {"steps": 120, "crop": 64, "width": 8, "repeats": 3, "device": "cpu"}


def render(folder: Path, count: int, seed: int, blur: float = 0.0, shift: int = 0) -> Path:
    """Pairs of sampled masks, their images blurred, their masks shifted."""
    generator = ns.load_model(MODEL, "cpu")
    settings = ns.field_settings(height=SIDE, width=SIDE)
    camera = CameraSettings(blur=blur) if blur else None
    for kind in ("images", "masks"):
        (folder / kind).mkdir(parents=True)
    for number, (source, field) in enumerate(ns.compose_masks(settings, count, seed)):
        image = generator.render(field.labels, LOOK, source.seed, camera=camera).image
        iio.imwrite(folder / "images" / f"{number:02d}.png", image)
        iio.imwrite(folder / "masks" / f"{number:02d}.png", np.roll(field.labels, shift, 1).astype(np.uint16))
    return folder


def main(names: list[str]) -> None:
    """Write the reports of these names."""
    EXAMPLES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary:
        work = Path(temporary)
        real = render(work / "real", REAL, 1)
        for name in names:
            if name == "realism":
                made = render(work / "blurred", MADE, 1000, blur=BLUR)
                report = ns.evaluate_realism(real, made, work / name, device="cpu")
            else:
                made = render(work / "shifted", MADE, 1000, shift=SHIFT)
                report = does_it_help(HelpRequest(real, made, work / name, endpoint="synthetic", metric="dice", **TINY))
            print(report.text)
            shutil.copy(report.folder / "report.html", EXAMPLES / f"{name}.html")


if __name__ == "__main__":
    main(sys.argv[1:] or ["realism", "help"])
