"""A window that is opened, painted in and closed for a day: memory, threads, files and layers come back."""

from __future__ import annotations

import gc
import threading
import weakref
from functools import partial

import numpy as np
import pytest
from napari.components import ViewerModel
from qtpy.QtCore import QCoreApplication, QEvent
from qtpy.QtWidgets import QApplication

from napari_synth.core.recipe import METADATA_KEY, mask_hash
from napari_synth.synthesis.recipes import load_generator
from napari_synth.ui.docks.registry import DOCKS
from napari_synth.ui.docks.synthesize.actions import SynthesizeActions
from napari_synth.ui.session import Session
from tests.faults.test_long_life import PROC, descriptors, resident
from tests.helpers import small_generator
from tests.ui.conftest import painted

pytestmark = pytest.mark.skipif(not PROC.is_dir(), reason="counts in /proc")


@pytest.fixture
def small(models, tmp_path):
    models.stand_in = load_generator(small_generator(tmp_path / "small.safetensors"), "cpu")
    return tmp_path / "small.safetensors"


def image_of(viewer):
    return next((layer for layer in viewer.layers if METADATA_KEY in layer.metadata), None)


def shows(viewer, layer):
    """Whether the image is that of the mask as it is now."""
    image = image_of(viewer)
    return image is not None and image.metadata[METADATA_KEY]["masks"][0]["sha256"] == mask_hash(layer.data)


@pytest.fixture
def visit(qapp, qtbot, models, preferences, small):
    """Opens all docks of a viewer, renders and closes; gives what must not live on."""
    return partial(a_visit, qtbot, models, preferences, small)


def a_visit(qtbot, models, preferences, small):
    viewer = ViewerModel()
    session = Session(viewer, models, preferences)
    panels = [session.panel(key) for key in DOCKS]
    session.context.open_model(small)
    layer = viewer.add_labels(painted(), name="mask")
    dock = session.actions(SynthesizeActions)
    dock.render()
    qtbot.waitUntil(lambda: shows(viewer, layer), timeout=60_000)
    kept = [weakref.ref(one) for one in (viewer, session, session.context, dock, *panels)]
    for panel in panels:
        panel.close()
        panel.deleteLater()
    session.close()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
    QApplication.processEvents()
    return kept


def settle(qtbot):
    """Let threads end and what is not held go."""
    QApplication.processEvents()
    gc.collect()
    qtbot.waitUntil(lambda: not [t for t in threading.enumerate() if t.name.startswith("napari-synth")])


def strokes(layer, viewer, qtbot, count):
    """Paint and erase, and wait for the image after every few."""
    random = np.random.default_rng(count)
    for number in range(count):
        place = tuple(int(random.integers(4, side - 4)) for side in layer.data.shape)
        layer.paint(place, number % 5)
        if number % 10 == 9:
            qtbot.waitUntil(lambda: shows(viewer, layer), timeout=60_000)
    qtbot.waitUntil(lambda: shows(viewer, layer), timeout=60_000)


def check_following(session, viewer, qtbot, small, count, growth):
    session.context.open_model(small)
    layer = viewer.add_labels(painted(), name="mask")
    layer.brush_size = 6
    session.actions(SynthesizeActions).following.switch(True)
    strokes(layer, viewer, qtbot, 110)  # as many as a layer keeps for undo
    image = image_of(viewer)
    before = resident(), threading.active_count(), descriptors(), len(viewer.layers)
    strokes(layer, viewer, qtbot, count)
    assert image_of(viewer) is image
    assert len(viewer.layers) == before[3]
    assert descriptors() <= before[2]
    assert threading.active_count() <= before[1]
    assert resident() - before[0] < growth


def check_visits(visit, qtbot, count, growth):
    for _ in range(3):
        visit()
    settle(qtbot)
    before = resident(), threading.active_count(), descriptors(), len(QApplication.topLevelWidgets())
    kept = [one for _ in range(count) for one in visit()]
    settle(qtbot)
    after = resident(), threading.active_count(), descriptors(), len(QApplication.topLevelWidgets())
    assert all(now <= then for now, then in zip(after[1:], before[1:], strict=True)), (before, after)
    assert after[0] - before[0] < growth, (before, after)
    assert not [one() for one in kept if one() is not None]


def test_viewers_come_and_go(visit, qtbot):
    check_visits(visit, qtbot, 3, 40)


def test_an_image_follows_many_strokes(session, viewer, qtbot, small):
    check_following(session, viewer, qtbot, small, 60, 30)


@pytest.mark.slow
def test_many_viewers_come_and_go(visit, qtbot):
    check_visits(visit, qtbot, 60, 60)


@pytest.mark.slow
def test_an_image_follows_all_day(session, viewer, qtbot, small):
    check_following(session, viewer, qtbot, small, 6000, 60)
