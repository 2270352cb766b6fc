"""One click as a position in the world, on a viewer without a window."""

from __future__ import annotations

import numpy as np
import pytest

from napari_synth.ui.napari_bridge.click_picker import Picker, pixel_of
from tests.ui.conftest import painted
from tests.ui.napari_bridge.mouse import Mouse


@pytest.fixture
def picked():
    return []


@pytest.fixture
def picker(viewer, picked):
    picker = Picker(viewer)
    picker.picked.connect(picked.append)
    return picker


def test_a_click_is_picked_once_and_paints_nothing(viewer, picker, picked):
    layer = viewer.add_labels(painted())
    layer.mode = "paint"
    changes = []
    picker.waiting_changed.connect(lambda: changes.append(picker.waiting))
    before = len(viewer.mouse_drag_callbacks)
    picker.start()
    picker.start()
    assert layer.mode == "pan_zoom"
    assert len(viewer.mouse_drag_callbacks) == before + 1
    mouse = Mouse(viewer)
    mouse.click((3, 4), button=2)
    assert picked == [], "the right button is napari's"
    mouse.press((3, 4))
    mouse.drag((5, 6))
    assert layer.mode == "pan_zoom", "the press is not the brush's"
    mouse.release((5, 6))
    assert picked == [(3.0, 4.0)], "where it was pressed"
    assert layer.mode == "paint", "the tool is back"
    assert len(viewer.mouse_drag_callbacks) == before
    assert changes == [True, False]
    mouse.click((8, 8))
    assert len(picked) == 1


def test_waiting_can_be_given_up(viewer, picker, picked):
    layer = viewer.add_labels(painted())
    layer.mode = "erase"
    picker.start()
    picker.stop()
    picker.stop()
    assert layer.mode == "erase"
    Mouse(viewer).click((3, 4))
    assert picked == []


def test_a_layer_that_goes_meanwhile_and_none_at_all(viewer, picker, picked):
    layer = viewer.add_labels(painted())
    picker.start()
    viewer.layers.remove(layer)
    del layer
    Mouse(viewer).click((3, 4))
    picker.start()
    Mouse(viewer).click((5, 6))
    assert picked == [(3.0, 4.0), (5.0, 6.0)]


def test_the_place_under_the_cursor(viewer, picker):
    viewer.add_image(np.zeros((20, 20)))
    viewer.cursor.position = (7, 9)
    assert picker.under_cursor == (7.0, 9.0)


def test_moves_are_told_now_and_then_while_a_click_is_waited_for(viewer, picker, qtbot):
    viewer.add_labels(painted())
    places = []
    picker.hovered.connect(places.append)
    mouse = Mouse(viewer)
    mouse.move((2, 2))
    qtbot.wait(200)
    assert places == [], "nobody asked"
    picker.start()
    for row in range(20):
        mouse.move((row, 5))
    qtbot.waitUntil(lambda: bool(places))
    assert places == [(19.0, 5.0)], "many moves are one, and the newest counts"
    picker.stop()
    assert not viewer.mouse_move_callbacks


def test_pixels_follow_scale_and_place(viewer):
    layer = viewer.add_labels(painted(), scale=(0.5, 2), translate=(10, -4))
    assert pixel_of(layer, (15, 6)) == (10, 5)
    assert pixel_of(layer, (2.0, 15, 6)) == (10, 5), "a viewer with more axes"
    assert pixel_of(layer, (9, 6)) == (-2, 5), "outside"
