"""Memory, threads and open files come back to where they were."""

import gc
import os
import threading
from pathlib import Path

import pytest

from napari_synth.core.recipe import LayerSource, Recipe, mask_hash
from napari_synth.exporting.batch import ExportRequest, export_pairs
from napari_synth.masks.mask_reader import MaskReader
from napari_synth.synthesis.recipes import load_generator
from tests.helpers import nuclei, small_generator

PROC = Path("/proc/self")
pytestmark = pytest.mark.skipif(not PROC.is_dir(), reason="counts in /proc")


def resident() -> float:
    """Resident memory in MiB."""
    gc.collect()
    return int((PROC / "statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE") / 2**20


def descriptors() -> int:
    return len(list((PROC / "fd").iterdir()))


@pytest.fixture(scope="module")
def generator(tmp_path_factory):
    return load_generator(small_generator(tmp_path_factory.mktemp("model") / "small.safetensors"), "cpu")


def live(generator, tmp_path, rounds):
    """Render, export, and load models, over and over."""
    for round_ in range(rounds):
        mask = nuclei((96, 96), seed=round_)
        generator.render(mask, "he", round_)
        if round_ % 10 == 0:
            recipe = Recipe(
                model=str(generator.path), masks=[LayerSource(name="m", sha256=mask_hash(mask))], options=["he"]
            )
            reader = MaskReader(lambda name: pytest.fail(name), {mask_hash(mask): mask})
            export_pairs(ExportRequest(recipe, tmp_path / str(round_)), generator, reader)
            load_generator(generator.path, "cpu")


def check(generator, tmp_path, rounds, growth):
    live(generator, tmp_path / "warm", 20)
    before = resident(), threading.active_count(), descriptors()
    live(generator, tmp_path / "long", rounds)
    assert descriptors() <= before[2]
    assert threading.active_count() <= before[1]
    assert resident() - before[0] < growth


def test_rendering_and_exporting_leave_nothing_behind(generator, tmp_path):
    check(generator, tmp_path, 30, 40)


@pytest.mark.slow
def test_thousands_of_masks_leave_nothing_behind(generator, tmp_path):
    check(generator, tmp_path, 4000, 60)
