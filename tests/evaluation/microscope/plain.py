"""A generator without a network: nuclei of uneven brightness on an even background."""

from pathlib import Path

import numpy as np
from scipy import ndimage

from napari_synth.core.recipe import CameraSettings
from napari_synth.core.seeds import numpy_rng
from napari_synth.models.card import Look, ModelCard
from napari_synth.synthesis.camera import photograph
from napari_synth.synthesis.request import Rendering


def discs(side, seed, count=None):
    """Labels of discs of 6 to 12 pixels radius."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:side, :side]
    labels = np.zeros((side, side), np.int32)
    for label in range(1, 1 + (count or max(2, round(14 * side**2 / 128**2)))):
        cy, cx = rng.integers(0, side, 2)
        radius = rng.uniform(6, 12)
        labels[(y - cy) ** 2 + (x - cx) ** 2 <= radius**2] = label
    return labels


class Plain:
    """Renders nuclei by their number and the seed alone.

    Parameters
    ----------
    colour : bool
        Pink nuclei on white instead of bright ones on black.
    """

    sha256, path, device, stages = "0" * 64, Path("plain.safetensors"), "cpu", ()

    def __init__(self, colour=False):
        self.colour = colour
        looks = [Look(name="pink"), Look(name="bright", rgb=False)]
        self.card = ModelCard(id="plain", architecture="plain", role="generator", structure="nucleus", looks=looks)

    def run(self, request, steering=None):
        labels, rng = request.labels, numpy_rng(request.seed or 0, "plain")
        levels = rng.permutation(np.linspace(70, 200, labels.max() + 1))
        rough = ndimage.gaussian_filter(rng.standard_normal(labels.shape), 1.0) * 12 * 3.5
        image = np.where(labels > 0, levels[labels] + rough, 12 + rough / 6)
        image = ndimage.gaussian_filter(image, 0.6)
        if request.option != "bright":
            image = 240 - np.stack([0.5 * image, image, 0.6 * image], -1)
        image = np.clip(image.round(), 0, 255).astype(np.uint8)
        if request.camera is not None:
            image = photograph(image, request.camera, request.seed)
        return Rendering(image, 0.0, request.option or "pink", request.seed)


def off(found: CameraSettings, planted: CameraSettings) -> dict[str, float]:
    """How far each planted setting was missed, as a part of it."""
    return {name: abs(getattr(found, name) - value) / abs(value) for name, value in planted.changed.items()}
