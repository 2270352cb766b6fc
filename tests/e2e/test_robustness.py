"""What people do to a window that is rendering live: no exception, no stuck job bar, no thread left."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from qtpy.QtCore import QEvent, QPoint, Qt
from qtpy.QtWidgets import QApplication

from napari_synth.core.recipe import METADATA_KEY, mask_hash
from napari_synth.synthesis.live.canvas import LiveCanvas
from napari_synth.synthesis.recipes import load_generator
from napari_synth.ui.context.loaded_models import LoadedModels
from napari_synth.ui.docks.synthesize.actions import SynthesizeActions
from napari_synth.ui.docks.synthesize.model_of_mask import STRUCTURE_KEY
from napari_synth.ui.napari_bridge.label_edits import is_painted
from napari_synth.ui.napari_bridge.preferences import Preferences
from napari_synth.ui.napari_bridge.window import PLUGIN, canvas_widget
from tests.e2e.hands import idle, on_canvas, steps, stroke
from tests.helpers import nuclei, small_capsules, small_generator

PATIENCE = 60_000


class Gate:
    """Holds live renders up in their thread while it is closed."""

    def __init__(self, monkeypatch):
        self.entered = threading.Event()
        self._open = threading.Event()
        self._open.set()
        follow = LiveCanvas.follow

        def held(canvas, *args, **settings):
            self.entered.set()
            assert self._open.wait(60)
            return follow(canvas, *args, **settings)

        monkeypatch.setattr(LiveCanvas, "follow", held)

    def close(self):
        self.entered.clear()
        self._open.clear()

    def open(self):
        self._open.set()


@pytest.fixture
def gate(monkeypatch):
    gate = Gate(monkeypatch)
    yield gate
    gate.open()


class SmallModels(LoadedModels):
    """Some trained models, by their paths."""

    def __init__(self, trained):
        super().__init__()
        self.trained = {str(path): generator for path, generator in trained.values()}

    def generator(self, name, device):
        return self.trained[name]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    paths = (small_capsules(folder / "axons.safetensors"), small_generator(folder / "cells.safetensors"))
    loaded = {path.stem: (path, load_generator(path, "cpu")) for path in paths}
    for _, generator in loaded.values():  # threads that the process keeps for all renders begin with the first
        generator.render(nuclei((64, 64), 3))
    return loaded


@pytest.fixture
def models(trained):
    return SmallModels(trained)


@pytest.fixture
def windows(opened, preferences, trained, qtbot):
    """Opens windows with small models; closed in the end, they must leave no thread."""
    preferences.now = Preferences(PATIENCE)
    before, sessions = set(threading.enumerate()), []

    def open_one():
        session = opened()
        for path, _ in reversed(trained.values()):
            session.context.open_model(path)
        sessions.append(session)
        return session.context.viewer, session

    yield open_one
    for session in sessions:  # without a redraw between: napari cannot draw one window after it closed another
        if not session.context.closed:
            session.context.viewer.close()
    for session in sessions:
        qtbot.waitUntil(lambda session=session: session.context.closed)
        assert not session.actions(SynthesizeActions).jobs.lane.state.running
        assert session.context.notes["synthesize"].kind != "problem", session.context.notes["synthesize"]
    qtbot.waitUntil(lambda: set(threading.enumerate()) <= before, timeout=PATIENCE)


def add_mask(viewer, name="mask", side=96):
    labels = nuclei((side, side), 5).astype(np.uint16)
    layer = viewer.add_labels(labels, name=name, metadata={STRUCTURE_KEY: "axon"})  # rendered by the axon model here
    viewer.reset_view()
    layer.mode, layer.brush_size, layer.selected_label = "paint", 10, 9
    return layer


def image_of(viewer, layer, model="axons"):
    name = f"{layer.name} · {model}"
    return next((one for one in viewer.layers if one.name == name), None)


def followed(viewer, layer, model="axons"):
    """Whether the image has the recipe of the mask as it is now."""
    image = image_of(viewer, layer, model)
    recipe = image.metadata.get(METADATA_KEY) if image is not None else None
    return recipe is not None and recipe["masks"][0]["sha256"] == mask_hash(layer.data)


def wait_for(qtbot, viewer, layer, model="axons"):
    qtbot.waitUntil(lambda: followed(viewer, layer, model), timeout=PATIENCE)


def is_image_of(viewer, layer, generator, seed=1, model="axons"):
    expected = generator.render(layer.data, seed=seed).image
    return np.abs(image_of(viewer, layer, model).data.astype(int) - expected).max() <= 1


def toggle(qtbot, box):
    """Click on the tick of a box."""
    qtbot.mouseClick(box, Qt.MouseButton.LeftButton, pos=QPoint(8, box.height() // 2))


class Brush:
    """The mouse on the canvas with its button down."""

    def __init__(self, viewer, qtbot, layer, place):
        self._viewer, self._qtbot, self._layer = viewer, qtbot, layer
        self._native = canvas_widget(viewer)
        qtbot.mouseMove(self._native, on_canvas(viewer, layer, place))
        qtbot.mousePress(self._native, Qt.MouseButton.LeftButton, pos=on_canvas(viewer, layer, place))

    def move(self, place):
        self._qtbot.mouseMove(self._native, on_canvas(self._viewer, self._layer, place))
        self._qtbot.wait(20)

    def lift(self, place):
        spot = on_canvas(self._viewer, self._layer, place)
        self._qtbot.mouseRelease(self._native, Qt.MouseButton.LeftButton, pos=spot)


def close_dock(dock):
    """What the ✕ of a dock does."""
    dock.destroyOnClose()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)


def test_a_dock_closed_while_the_image_follows(windows, trained, gate, qtbot):
    viewer, session = windows()
    panel = steps(viewer)[1]
    dock, _ = viewer.window.add_plugin_dock_widget(PLUGIN)
    layer = add_mask(viewer)
    toggle(qtbot, panel.live)
    wait_for(qtbot, viewer, layer)
    gate.close()
    stroke(viewer, qtbot, (20, 20), (20, 70))
    qtbot.waitUntil(gate.entered.is_set)
    close_dock(dock)
    del dock, panel
    stroke(viewer, qtbot, (40, 20), (40, 70))
    panel = steps(viewer)[1]
    assert panel.live.isChecked(), "the new dock knows that live is on"
    gate.open()
    wait_for(qtbot, viewer, layer)
    assert is_image_of(viewer, layer, trained["axons"][1])
    qtbot.waitUntil(lambda: "partial" in panel.live_text.text() or "full" in panel.live_text.text())
    assert panel.foot.job.isHidden()
    toggle(qtbot, panel.live)
    assert not session.actions(SynthesizeActions).following.state.on


def mid_stroke(viewer, session, gate, qtbot):
    """A new mask that is followed, and the brush on it while its stroke is being rendered."""
    layer = add_mask(viewer)
    session.actions(SynthesizeActions).following.switch(True)
    wait_for(qtbot, viewer, layer)
    gate.close()
    brush = Brush(viewer, qtbot, layer, (20, 20))
    brush.move((20, 40))
    qtbot.waitUntil(gate.entered.is_set)
    assert is_painted(layer)
    return layer, brush


def test_a_mask_deleted_during_a_stroke(windows, trained, gate, qtbot):
    viewer, session = windows()
    steps(viewer)
    layer, brush = mid_stroke(viewer, session, gate, qtbot)
    viewer.layers.remove(layer)
    brush.move((20, 60))
    gate.open()
    brush.move((30, 60))
    brush.lift((40, 60))
    idle(qtbot, session.actions(SynthesizeActions).jobs)
    assert "waiting for a mask" in session.actions(SynthesizeActions).following.state.text
    other = add_mask(viewer, "other", 64)
    wait_for(qtbot, viewer, other)
    stroke(viewer, qtbot, (10, 10), (50, 50))
    wait_for(qtbot, viewer, other)
    assert is_image_of(viewer, other, trained["axons"][1])


def test_the_model_switched_during_a_stroke(windows, trained, gate, qtbot):
    viewer, session = windows()
    _, panel, _ = steps(viewer)
    layer, brush = mid_stroke(viewer, session, gate, qtbot)
    index = next(i for i in range(panel.model.count()) if panel.model.itemData(i) == str(trained["cells"][0]))
    panel.model.setCurrentIndex(index)
    panel.model.activated.emit(index)
    brush.move((20, 60))
    gate.open()
    brush.move((30, 60))
    brush.lift((40, 60))
    wait_for(qtbot, viewer, layer, session.context.look.option)
    assert is_image_of(viewer, layer, trained["cells"][1], model=session.context.look.option)
    idle(qtbot, session.actions(SynthesizeActions).jobs)
    session.context.choose_model(str(trained["axons"][0]))
    wait_for(qtbot, viewer, layer)
    assert is_image_of(viewer, layer, trained["axons"][1])


def test_live_switched_off_while_it_renders(windows, trained, gate, qtbot):
    viewer, session = windows()
    _, panel, _ = steps(viewer)
    layer = add_mask(viewer)
    gate.close()
    toggle(qtbot, panel.live)
    qtbot.waitUntil(gate.entered.is_set)
    qtbot.waitUntil(lambda: not panel.foot.job.isHidden())
    toggle(qtbot, panel.live)
    qtbot.waitUntil(panel.foot.job.isHidden, timeout=2000)
    assert panel.live_text.isHidden()
    gate.open()
    qtbot.wait(300)
    assert image_of(viewer, layer) is None, "nothing comes after it was switched off"
    toggle(qtbot, panel.live)
    wait_for(qtbot, viewer, layer)
    gate.close()
    stroke(viewer, qtbot, (20, 20), (20, 70))
    qtbot.waitUntil(gate.entered.is_set)
    for _ in range(4):
        toggle(qtbot, panel.live)
    assert session.actions(SynthesizeActions).following.state.on
    stroke(viewer, qtbot, (40, 20), (40, 70))
    gate.open()
    wait_for(qtbot, viewer, layer)
    idle(qtbot, session.actions(SynthesizeActions).jobs)
    assert is_image_of(viewer, layer, trained["axons"][1])


@pytest.mark.slow
def test_two_windows_follow_their_own_masks(windows, trained, qtbot):
    pairs = [windows(), windows()]
    layers = [
        add_mask(viewer, f"mask {number}", side)
        for number, ((viewer, _), side) in enumerate(zip(pairs, (96, 64), strict=True))
    ]
    for seed, (_, session) in enumerate(pairs, start=5):
        session.context.look.seed = seed
        session.actions(SynthesizeActions).following.switch(True)
    for place in (20, 30, 40):
        for viewer, _ in pairs:
            stroke(viewer, qtbot, (place, 10), (place, 50))
    for seed, ((viewer, session), layer) in enumerate(zip(pairs, layers, strict=True), start=5):
        wait_for(qtbot, viewer, layer)
        idle(qtbot, session.actions(SynthesizeActions).jobs)
        assert is_image_of(viewer, layer, trained["axons"][1], seed)
        assert len(viewer.layers) == 2


@pytest.mark.parametrize("during", ["the first render", "a stroke"])
def test_the_window_closed_while_it_renders(windows, gate, qtbot, during):
    viewer, session = windows()
    steps(viewer)
    layer = add_mask(viewer)
    if during == "a stroke":
        session.actions(SynthesizeActions).following.switch(True)
        wait_for(qtbot, viewer, layer)
        gate.close()
        Brush(viewer, qtbot, layer, (20, 20)).move((20, 40))
    else:
        gate.close()
        session.actions(SynthesizeActions).following.switch(True)
    qtbot.waitUntil(gate.entered.is_set)
    viewer.close()
    qtbot.waitUntil(lambda: session.context.closed)
    gate.open()
