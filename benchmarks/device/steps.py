"""Training steps and the rate of an export."""

from __future__ import annotations

import itertools
import tempfile
import time
from functools import partial
from pathlib import Path

import torch
from lightning_fabric import Fabric

from benchmarks.device import clock
from benchmarks.timing import line
from benchmarks.training import pairs, triplet
from napari_synth import api
from napari_synth.core.recipe import FieldSettings, FieldSource
from napari_synth.exporting.batch import ExportRequest, export_pairs
from napari_synth.models.defaults import DEFAULT_CAPSULES, DEFAULT_GENERATOR, DEFAULT_TWO_CHANNEL
from napari_synth.models.registry import model_card, resolve_model
from napari_synth.synthesis.recipes import altered, masks_recipe
from napari_synth.training.objectives import objective_class
from napari_synth.training.objectives.base import Objective

CASES = {
    "capspix2pix-b1": ("capspix2pix", "paper", {"start": "balanced"}),
    "capspix2pix-b4": ("capspix2pix", "paper", {"start": "balanced", "batch_size": 4}),
    "styled-256-b8": ("optional-pix2pix", "gpu", {"batch_size": 8}),
    "metgan-b1": ("metgan", "paper", {"batch_size": 1}),
    "metgan-hinge-b8": ("metgan", "gpu", {}),
    "pix2pix-b1": ("pix2pix", "paper", {"batch_size": 1}),
}
SHORT = ("capspix2pix-b1", "styled-256-b8", "metgan-b1")
DATA = {
    "capspix2pix": partial(pairs, model=DEFAULT_CAPSULES),
    "optional-pix2pix": partial(pairs, model=DEFAULT_GENERATOR),
    "pix2pix": partial(pairs, model=DEFAULT_GENERATOR),
    "metgan": triplet,
}


def stepper(case: str, data: Path, device: str, precision: str) -> Objective:
    """An objective, ready to step."""
    architecture, preset, settings = CASES[case]
    cls = objective_class(architecture, preset)
    chosen = {key: value for key, value in cls.presets[preset].items() if key in cls.Settings.model_fields}
    objective: Objective = cls(cls.Settings(**chosen | settings), data, 1)
    if objective.first() is not None:
        objective.use(resolve_model(model_card(DEFAULT_TWO_CHANNEL).segmentor))
    objective.set_up(Fabric(accelerator=device, devices=1, precision=precision or objective.gpu_precision))
    return objective


def training(device: str, short: bool) -> None:
    """Milliseconds of a step, waited for every tenth time as a run does."""
    torch.backends.cudnn.benchmark = True
    with tempfile.TemporaryDirectory() as folder:
        made: dict[str, Path] = {}
        for case, (architecture, _, _) in CASES.items():
            if short and case not in SHORT:
                continue
            if architecture not in made:
                made[architecture] = DATA[architecture](Path(folder) / architecture)
            for precision in ("",) if short else ("", "bf16-mixed"):
                try:
                    _steps(case, made[architecture], device, precision, short)
                except Exception as error:  # of one case; the others go on
                    line(f"train-step-{case}-{precision or 'usual'}", failed=str(error).splitlines()[0][:200])


def _steps(case: str, data: Path, device: str, precision: str, short: bool) -> None:
    objective, numbers = stepper(case, data, device, precision), itertools.count()
    clock.forget_peak(device)
    start = time.perf_counter()
    for _ in range(8):
        objective.step(next(numbers))
    clock.wait(device)
    begun = time.perf_counter() - start
    taken = clock.in_a_row(lambda: objective.step(next(numbers)), device, 10 if short else 20)
    line(f"train-step-{case}-{precision or 'usual'}", ms=taken, first_8_s=begun, peak_gb=clock.peak_gb(device))


def export(device: str, short: bool) -> None:
    """Pairs per second of an export at 256²: masks made, rendered, written."""
    pairs_made = 200 if short else 600
    masks = [FieldSource(settings=FieldSettings(), seed=1)]
    recipe = altered(masks_recipe(DEFAULT_GENERATOR, masks, options=["he"]), n=pairs_made)
    generator, reader = api.load_model(DEFAULT_GENERATOR, device), api.mask_reader()
    for name in ("tiff",):
        with tempfile.TemporaryDirectory() as folder:
            warm = altered(recipe, n=3)
            export_pairs(ExportRequest(warm, Path(folder) / "warm", format=name), generator, reader)
            start = time.perf_counter()
            export_pairs(ExportRequest(recipe, Path(folder) / "all", format=name), generator, reader)
            rate = pairs_made / (time.perf_counter() - start)
        line(f"export-256-{name}", pairs_per_second=rate, pairs=pairs_made)
