from __future__ import annotations

import resource

import numpy as np
import pytest

from tests.fuzz.effort import INPUTS, tallies
from tests.helpers import nuclei, small_generator, small_metgan, small_shapes


@pytest.fixture(scope="session")
def models(tmp_path_factory):
    """A small file of each role."""
    folder = tmp_path_factory.mktemp("fuzzed-models")
    small_shapes(folder / "shapes.safetensors")
    return {
        "generator": small_generator(folder / "cells.safetensors"),
        "metgan": small_metgan(folder / "brain.safetensors"),
        "shapes": folder / "shapes.safetensors",
    }


@pytest.fixture(scope="session")
def mask():
    return nuclei((40, 33), 3)


@pytest.fixture(scope="session")
def anatomy():
    return np.random.default_rng(0).integers(100, 600, (40, 33)).astype(np.uint16)


def pytest_terminal_summary(terminalreporter):
    if not INPUTS or not tallies:
        return
    line = "{:24} {:>8} {:>8} {:>8} {:>12}".format
    terminalreporter.write_line(line("inputs", "tried", "refused", "failed", "longest, s"))
    for kind, tally in sorted(tallies.items()):
        terminalreporter.write_line(line(kind, tally.tried, tally.refused, tally.failed, f"{tally.longest:.2f}"))
    tried, refused, failed = (sum(getattr(t, n) for t in tallies.values()) for n in ("tried", "refused", "failed"))
    terminalreporter.write_line(line("all", tried, refused, failed, ""))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    terminalreporter.write_line(f"Largest memory of the process: {peak / 2**20:.1f} GB")
