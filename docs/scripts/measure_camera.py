"""Measure whether planted cameras are found again, and whether images under the found one are like those of the camera.

python docs/scripts/measure_camera.py [IMAGES_DIR OPTION]

Prints Markdown tables and makes docs/pictures/camera.jpg. With a folder of unlabelled images
and a look, their camera is fitted instead, and the figures are printed alone.
"""

from __future__ import annotations

import sys
from pathlib import Path

import imageio.v3 as iio
import numpy as np

import napari_synth as ns
from napari_synth.core.recipe import CAMERA_FIELDS
from napari_synth.core.seeds import derived_seed
from napari_synth.evaluation.microscope import FittedCamera
from napari_synth.models.defaults import DEFAULT_GENERATOR
from napari_synth.synthesis.generator import Generator
from napari_synth.training.previews import picture_sheet

PICTURES = Path(__file__).parents[1] / "pictures"
IMAGES, SEED, STYLE, BORDER = 12, 99, 0, 32
FIELD = ns.field_settings(height=320, width=320, count_mean=28, count_sd=5, area_mean=520, area_sd=150)
PLANTED = {
    "fluorescence": ns.CameraSettings(
        blur=1.4, background_x=40, background_y=-30, background_bowl=35, gain=0.7, offset=15, gamma=0.85,
        shot_noise=0.6, read_noise=3,
    ),
    "he": ns.CameraSettings(
        blur=0.9, background_x=-30, background_y=25, background_bowl=-30, gain=0.8, offset=18,
        shot_noise=0.25, read_noise=5,
    ),
}  # fmt: skip


def photographs(model: Generator, option: str, camera: ns.CameraSettings | None) -> list[np.ndarray]:
    """Images of masks that the fit does not see: the middle of fields, which are thinner at their border."""
    return [
        model.render(
            made.labels[BORDER:-BORDER, BORDER:-BORDER],
            option,
            derived_seed(9, source.seed),
            style=STYLE,
            camera=camera,
        ).image
        for source, made in ns.compose_masks(FIELD, IMAGES, SEED)
    ]


def tell(found: FittedCamera) -> None:
    """The lines of the battery, and what is to be known."""
    print("\n| distance | z without the camera | z with it |\n|---|---|---|")
    for one in found.agreement:
        print(f"| {one.title} | {one.before:.1f} | {one.after:.1f} |")
    for remark in found.remarks:
        print(f"\n{remark}")


def main(*given: str) -> None:
    """Print the tables and make the pictures."""
    model = ns.load_model(DEFAULT_GENERATOR, "cpu")
    if given:
        tell(ns.fit_camera(given[0], model, given[1]))
        return
    rows = []
    for option, planted in PLANTED.items():
        real, bare = photographs(model, option, planted), photographs(model, option, None)
        found = ns.fit_camera(real, model, option, style=STYLE)
        seen = photographs(model, option, found.camera)
        print(f"\n{option}: {found.evaluations} evaluations\n\n| setting | planted | found | off |\n|---|---|---|---|")
        for name in CAMERA_FIELDS:
            was, now = getattr(planted, name), getattr(found.camera, name)
            print(f"| {name} | {was:g} | {now:.3g} | {100 * abs(now - was) / abs(was):.0f} % |")
        if found.field is not None:
            for name in ("count_mean", "area_mean"):
                was, now = getattr(FIELD, name), getattr(found.field, name)
                print(f"| {name} | {was:g} | {now:.3g} | {100 * abs(now - was) / abs(was):.0f} % |")
        tell(found)
        rows.append([bare[0], real[0], seen[1]])
    iio.imwrite(PICTURES / "camera.jpg", picture_sheet(rows), quality=90)


if __name__ == "__main__":
    main(*sys.argv[1:])
