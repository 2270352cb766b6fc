"""A training step of each architecture as published, beside the plain arrangement.

Plain: contiguous memory, numbers too small for full precision computed in full, and for the capsule
network the published arrangement of the routing.
"""

from __future__ import annotations

import itertools
import tempfile
from functools import partial
from pathlib import Path
from unittest.mock import patch

import imageio.v3 as iio
import numpy as np
import tifffile
import torch
from lightning_fabric import Fabric

from benchmarks import plain_capsules
from benchmarks.models import sample_request
from benchmarks.timing import interleaved, line
from napari_synth import api
from napari_synth.core.recipe import DEFAULT_SHAPES
from napari_synth.models.defaults import DEFAULT_CAPSULES, DEFAULT_GENERATOR, DEFAULT_TWO_CHANNEL
from napari_synth.models.registry import model_card, resolve_model
from napari_synth.training.objectives import objective_class
from napari_synth.training.objectives.base import Objective

SIDE = 512
SHAPES = 400
PUBLISHED = {
    "capspix2pix": {"start": "balanced"},
    "pix2pix": {"batch_size": 1},
    "metgan": {"batch_size": 1},
    "dvae": {"turn": False},
}
"""Settings beside the defaults, which are the published ones. Capsules of the published start are next to nothing."""


def pairs(folder: Path, model: str) -> Path:
    """A pair made by a bundled generator."""
    request = sample_request(model, SIDE)
    for name, plane in (("images", api.load_model(model, "cpu").run(request).image), ("masks", request.mask)):
        (folder / name).mkdir(parents=True)
        iio.imwrite(folder / name / "one.png", plane.astype(np.uint8 if name == "images" else np.uint16))
    return folder


def triplet(folder: Path) -> Path:
    """An anatomy, the signal that the bundled generator puts into it, and the label."""
    request = sample_request(DEFAULT_TWO_CHANNEL, SIDE)
    signal = api.load_model(DEFAULT_TWO_CHANNEL, "cpu").run(request).image
    for name, plane in (("anatomy", request.condition), ("signal", signal), ("labels", request.mask)):
        (folder / name).mkdir(parents=True)
        tifffile.imwrite(folder / name / "one.tif", plane.astype(np.uint16))
    return folder


def shapes(folder: Path) -> Path:
    """Decoded shapes."""
    folder.mkdir(parents=True)
    codes = np.random.default_rng(0).standard_normal((SHAPES, 10)).astype(np.float32)
    decoded = api.load_shapes(DEFAULT_SHAPES, "cpu").decode(codes) > 0.5
    np.savez(folder / "decoded.npz", shapes=decoded.astype(np.uint8))
    return folder


DATA = {
    "capspix2pix": partial(pairs, model=DEFAULT_CAPSULES),
    "pix2pix": partial(pairs, model=DEFAULT_GENERATOR),
    "metgan": triplet,
    "dvae": shapes,
}


class Stepper:
    """One objective, stepped on."""

    def __init__(self, architecture: str, data: Path, precision: str, plain: bool):
        self._plain = plain
        self._steps = itertools.count()
        with self._arrangement():
            cls = objective_class(architecture)
            self._objective: Objective = cls(cls.Settings(**PUBLISHED[architecture]), data, 1)
            if self._objective.first() is not None:
                self._objective.use(resolve_model(model_card(DEFAULT_TWO_CHANNEL).segmentor))
            if plain and architecture == "capspix2pix":
                network = self._objective.networks["generator"]
                network.forward = partial(plain_capsules.forward, network)
            self._objective.set_up(Fabric(accelerator="cpu", devices=1, precision=precision))

    def _arrangement(self) -> patch:
        memory = torch.contiguous_format if self._plain else torch.channels_last
        return patch.object(torch, "channels_last", memory)

    def __call__(self) -> None:
        torch.set_flush_denormal(not self._plain)
        try:
            with self._arrangement():
                self._objective.step(next(self._steps))
        finally:
            torch.set_flush_denormal(False)


def main(rounds: int = 5) -> None:
    """Run all: ``python -m benchmarks.training``."""
    with tempfile.TemporaryDirectory() as folder:
        for architecture, make in DATA.items():
            data = make(Path(folder) / architecture)
            runs = {
                "ours": Stepper(architecture, data, "32-true", False),
                "plain": Stepper(architecture, data, "32-true", True),
                "bf16": Stepper(architecture, data, "bf16-mixed", False),
            }
            times = interleaved(runs, rounds)
            line(
                f"train-step-{architecture}",
                ms=times["ours"],
                plain_ms=times["plain"],
                speedup=times["plain"] / times["ours"],
                bf16_ms=times["bf16"],
            )


if __name__ == "__main__":
    main()
