"""Two reports whose answer is known, for `docs/evaluate.md`: a blur is told as one, and shifted masks hurt.

python docs/scripts/make_example_report.py [OUT]

"Real" pairs are sampled masks rendered by the bundled generator. The pairs that are compared with them are made of
other masks in the same way; their images are blurred by one pixel, their masks shifted by six. OUT is docs/examples if
not given.
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


def main(out: Path) -> None:
    """Write ``realism.html`` and ``help.html``."""
    with tempfile.TemporaryDirectory() as temporary:
        work = Path(temporary)
        real = render(work / "real", REAL, 1)
        blurred, shifted = (
            render(work / name, MADE, 1000, **change)
            for name, change in (("blurred", {"blur": BLUR}), ("shifted", {"shift": SHIFT}))
        )
        looks = ns.evaluate_realism(real, blurred, work / "realism", device="cpu")
        print(looks.text)
        asked = HelpRequest(real, shifted, work / "help", endpoint="synthetic", metric="dice", **TINY)
        helps = does_it_help(asked)
        print(helps.text)
        out.mkdir(exist_ok=True)
        for report, name in ((looks, "realism.html"), (helps, "help.html")):
            shutil.copy(report.folder / "report.html", out / name)
            print(f"{out / name}: {(out / name).stat().st_size / 1024:.0f} kB")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parents[1] / "examples")
