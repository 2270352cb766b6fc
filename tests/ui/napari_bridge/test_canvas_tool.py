"""Mouse tools on a viewer without a window."""

from __future__ import annotations

import numpy as np
import pytest

from napari_synth.ui.napari_bridge.canvas_tool import CanvasTool
from tests.ui.conftest import painted
from tests.ui.napari_bridge.mouse import Mouse

CALLBACKS = ("mouse_drag_callbacks", "mouse_wheel_callbacks", "mouse_move_callbacks", "mouse_double_click_callbacks")


def callbacks(viewer):
    return {name: list(getattr(viewer, name)) for name in CALLBACKS}


@pytest.fixture
def layer(viewer):
    return viewer.add_labels(painted(), name="mask", scale=(0.5, 0.5), translate=(10, 20))


@pytest.fixture
def mouse(viewer):
    return Mouse(viewer)


@pytest.fixture
def heard():
    """What a tool said, in order."""
    return []


@pytest.fixture
def tool(viewer, heard):
    tool = CanvasTool(viewer)
    for name in ("clicked", "drawn", "wheeled", "hovered", "lost"):
        getattr(tool, name).connect(_listener(heard, name))
    return tool


def _listener(heard, name):
    def listen(*values):
        heard.append((name, *values))

    return listen


def test_a_click_is_told_in_pixels_of_the_mask(tool, layer, mouse, heard):
    tool.turn_on(layer, draws_box=False)
    mouse.click((15, 30))
    assert heard == [("clicked", (10.0, 20.0))]
    mouse.press((15, 30))
    mouse.drag((15.6, 30.6))
    mouse.release((15.6, 30.6))
    assert heard[1:] == [("clicked", (10.0, 20.0))], "a hand that trembles clicks"
    mouse.double_click((15, 30))
    assert heard[2:] == [("clicked", (10.0, 20.0))], "so does one that is quick"
    mouse.click((15, 30), button=2)
    assert len(heard) == 3, "the right button is napari's"


@pytest.mark.parametrize("draws_box", [True, False])
def test_a_drag_draws_a_rectangle_or_pans(tool, layer, mouse, heard, draws_box):
    tool.turn_on(layer, draws_box)
    assert layer.mouse_pan is not draws_box
    mouse.press((15, 30))
    mouse.drag((17, 32))
    mouse.drag((20, 26))
    assert heard == [], "nothing before the hand lets go"
    mouse.release((20, 26))
    assert heard == ([("drawn", (10.0, 20.0), (20.0, 12.0))] if draws_box else [])


def test_a_tool_turned_off_during_a_drag_draws_nothing(tool, layer, mouse, heard):
    tool.turn_on(layer, draws_box=True)
    mouse.press((15, 30))
    mouse.drag((20, 26))
    tool.turn_off()
    mouse.release((20, 26))
    assert heard == [("hovered", None)]


def test_the_wheel_counts_with_shift(tool, layer, mouse, heard):
    tool.turn_on(layer, draws_box=False)
    mouse.wheel((0, 1.0))
    mouse.wheel((0, -0.3))
    mouse.wheel((2.0, 0))  # some systems turn the wheel sideways with Shift
    mouse.wheel((0, 0))
    mouse.wheel((0, 1.0), modifiers=())
    assert heard == [("wheeled", 1), ("wheeled", -1), ("wheeled", 1)]


def test_the_cursor_is_told_until_it_leaves(tool, viewer, layer, mouse, heard):
    tool.turn_on(layer, draws_box=False)
    viewer.mouse_over_canvas = True
    mouse.move((15, 30))
    viewer.mouse_over_canvas = False
    assert heard == [("hovered", (10.0, 20.0)), ("hovered", None)]


@pytest.mark.parametrize("end", ["off", "brush", "other", "removed"])
def test_all_is_given_back(tool, viewer, layer, mouse, heard, end):
    image = viewer.add_image(np.zeros((20, 20)))
    before = callbacks(viewer)
    tool.turn_on(layer, draws_box=True)
    assert viewer.layers.selection.active is layer
    assert (tool.layer, layer.mode, layer.mouse_pan) == (layer, "pan_zoom", False)
    if end == "off":
        tool.turn_off()
    elif end == "brush":
        layer.mode = "paint"
    elif end == "other":
        viewer.layers.selection.active = image
    else:
        viewer.layers.remove(layer)
    assert tool.layer is None
    assert callbacks(viewer) == before
    assert heard == [("hovered", None)] + ([("lost",)] if end != "off" else [])
    if end == "off":
        assert layer.mouse_pan
    layer.mode = "paint"
    layer.mode = "pan_zoom"
    assert len(heard) <= 2, "nothing is heard of it any more"


def test_double_clicks_of_others_come_back(tool, viewer, layer, mouse):
    called = []
    viewer.mouse_double_click_callbacks.append(lambda viewer, event: called.append("before"))
    tool.turn_on(layer, draws_box=False)
    viewer.mouse_double_click_callbacks.append(lambda viewer, event: called.append("meanwhile"))
    mouse.double_click((0, 0))
    assert called == ["meanwhile"]
    tool.turn_off()
    mouse.double_click((0, 0))
    assert called == ["meanwhile", "before", "meanwhile"]


def test_turning_on_twice_is_turning_on_once(tool, viewer, layer):
    before = callbacks(viewer)
    tool.turn_on(layer, draws_box=True)
    tool.turn_on(layer, draws_box=False)
    tool.turn_off()
    tool.turn_off()
    assert callbacks(viewer) == before
