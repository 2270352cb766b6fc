"""A window that is killed, and one that ends as it should."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

from napari_synth.ui.autosave.banner import RecoveryBanner
from napari_synth.ui.autosave.store import autosave_root
from tests.e2e.hands import click, steps

PAINT = """
import sys
import napari
from napari_synth.ui.napari_bridge.window import open_column
from napari_synth.ui.napari_bridge.preferences import Preferences
from napari_synth.ui.session import Session
viewer = napari.Viewer()
session = Session(viewer, preferences=lambda: Preferences(autosave_seconds=0.1))
viewer.open_sample("napari-synth", "nuclei_256")
open_column(viewer)
layer = viewer.layers[0]
layer.paint((20, 30), 77)
layer.scale = (0.5, 0.5)
{end}
"""
GOES_ON = "napari.run()"
IS_LEFT = """
from qtpy.QtTest import QTest
from napari_synth.ui.autosave.banner import RecoveryBanner
from napari_synth.ui.autosave.store import autosave_root
while not list(autosave_root().glob("*/*.tif")):
    QTest.qWait(20)
viewer.close()
"""


def paint(end):
    """A window of another process."""
    return subprocess.Popen([sys.executable, "-c", PAINT.format(end=end)], stderr=subprocess.PIPE, text=True)


@pytest.mark.slow
def test_what_was_painted_outlives_the_window(make_napari_viewer, qtbot):
    process = paint(GOES_ON)
    try:
        qtbot.waitUntil(lambda: bool(list(autosave_root().glob("*/*.tif"))), timeout=60_000)
        qtbot.wait(500)
    finally:
        process.kill()
        process.communicate(timeout=20)
    viewer = make_napari_viewer(show=True)
    banner = steps(viewer)[0].findChild(RecoveryBanner)
    qtbot.waitUntil(banner.isVisible)
    assert banner.text.text().endswith(": 1 layer.")
    click(qtbot, banner.back)
    qtbot.waitUntil(banner.isHidden)
    (layer,) = viewer.layers
    assert layer.name == "nuclei_256"
    assert layer.data[20, 30] == 77
    assert len(np.unique(layer.data)) > 10
    assert tuple(layer.scale) == (0.5, 0.5)
    viewer.close()
    qtbot.waitUntil(lambda: not os.listdir(autosave_root()))


@pytest.mark.slow
def test_a_script_that_closes_its_viewer_ends_well_and_leaves_nothing():
    process = paint(IS_LEFT)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    assert "Traceback" not in errors
    assert os.listdir(autosave_root()) == []
