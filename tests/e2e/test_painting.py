from __future__ import annotations

import threading

import numpy as np
import pytest
from qtpy.QtCore import QPoint, Qt

from napari_synth.core.recipe import METADATA_KEY, mask_hash
from napari_synth.synthesis.recipes import load_generator
from napari_synth.ui.docks.synthesize import following as live_module
from napari_synth.ui.docks.synthesize.actions import SynthesizeActions
from napari_synth.ui.napari_bridge.preferences import LivePreferences
from napari_synth.ui.napari_bridge.window import dock_panels
from napari_synth.ui.session import session_for
from tests.e2e.hands import HeartBeat
from tests.helpers import nuclei, small_capsules

LONGEST_GAP_MS = 50


@pytest.fixture
def axons(tmp_path):
    return load_generator(small_capsules(tmp_path / "axons.safetensors"), "cpu")


@pytest.fixture
def viewer(make_napari_viewer, tmp_path, monkeypatch, axons):
    viewer = make_napari_viewer(show=True)
    session = session_for(viewer)
    monkeypatch.setattr(session.context.models, "generator", lambda name, device: axons)
    monkeypatch.setattr(live_module, "live_preferences", lambda: LivePreferences(60_000))
    session.actions(SynthesizeActions).open_model(tmp_path / "axons.safetensors")
    return viewer


def test_a_stroke_with_the_mouse_is_followed_and_the_cursor_does_not_stutter(viewer, axons, qtbot):
    dock_panels(viewer)
    session = session_for(viewer)
    layer = viewer.add_labels(nuclei((256, 256), 10).astype(np.uint16), name="mask")
    viewer.reset_view()
    layer.mode, layer.brush_size, layer.selected_label = "paint", 16, 99
    session.actions(SynthesizeActions).following.switch(True)

    def settled():
        recipe = viewer.layers[0].metadata.get(METADATA_KEY)
        return recipe is not None and recipe["masks"][0]["sha256"] == mask_hash(layer.data)

    qtbot.waitUntil(settled, timeout=120_000)
    native = viewer.window._qt_viewer.canvas.native
    middle = QPoint(native.width() // 2, native.height() // 2)
    beat, before = HeartBeat(), layer.data.copy()
    beat.start()
    qtbot.mousePress(native, Qt.MouseButton.LeftButton, pos=middle)
    for step in range(12):
        qtbot.mouseMove(native, middle + QPoint(6 * step, 3 * step))
        qtbot.wait(30)
    qtbot.waitUntil(lambda: bool(session.actions(SynthesizeActions).following.milliseconds), timeout=60_000)
    qtbot.mouseRelease(native, Qt.MouseButton.LeftButton, pos=middle + QPoint(66, 33))
    assert (layer.data != before).sum() > 16**2
    qtbot.waitUntil(settled, timeout=120_000)
    difference = np.abs(viewer.layers[0].data.astype(int) - axons.render(layer.data, seed=1).image)
    assert difference.max() <= 1
    # Time that the machine gave to other programs is not the plugin's: gaps count by processor time.
    assert max(processor for _, processor in beat.gaps) < LONGEST_GAP_MS


def test_no_thread_is_left(viewer, qtbot):
    session = session_for(viewer)
    session.actions(SynthesizeActions).following.switch(True)
    layer = viewer.add_labels(nuclei((64, 64), 4).astype(np.uint16), name="mask")
    qtbot.waitUntil(lambda: len(viewer.layers) == 2, timeout=60_000)
    layer.paint((20, 20), 7)
    viewer.close()
    qtbot.waitUntil(lambda: session.context.closed)
    mine = session.actions(SynthesizeActions).jobs._thread._threads
    qtbot.waitUntil(lambda: not any(thread.is_alive() for thread in mine), timeout=60_000)
    assert threading.active_count() < 50
