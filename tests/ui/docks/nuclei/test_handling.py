"""Nuclei taken in the hand, with mouse and keyboard; each act is one step of undo."""

from __future__ import annotations

import numpy as np
import pytest
from napari.utils.key_bindings import coerce_keybinding

from napari_synth.masks.nucleus_moves import centre_of
from napari_synth.ui.docks.nuclei.actions import NucleusActions
from napari_synth.ui.napari_bridge.mask_layers import add_mask
from tests.ui.napari_bridge.mouse import Mouse

PLACES = {1: (40, 40), 2: (40, 120), 3: (110, 60)}


@pytest.fixture
def dock(session, viewer, finish):
    """The dock in Edit, beside a mask with three stamped nuclei."""
    add_mask(viewer, (160, 200), "mine")
    dock = session.actions(NucleusActions)
    dock.shapes.show_thumbnails()
    dock.shapes.set_code(np.array(dock.choices.z))
    finish(dock.jobs, 60_000)
    dock.choices.turn_random = dock.choices.size_random = False
    dock.choices.angle, dock.choices.area = 20.0, 500.0
    dock.use_tool("stamp")
    for place in PLACES.values():
        dock.click(place)
    dock.use_tool("edit")
    return dock


@pytest.fixture
def layer(dock, viewer):
    return viewer.layers["mine"]


@pytest.fixture
def mouse(dock, viewer):
    return Mouse(viewer)


def press_key(layer, key):
    """What napari does with a key of the active layer."""
    layer.keymap[coerce_keybinding(key)](layer)


def row(layer, label):
    return layer.features[layer.features["index"] == label].iloc[0]


def test_the_chosen_nucleus_is_highlighted(dock, layer, mouse):
    assert dock.handling.frame.pixels is None
    mouse.click(PLACES[2])
    rows, columns = dock.handling.frame.pixels
    shown = np.zeros(layer.data.shape, bool)
    shown[rows, columns] = True
    np.testing.assert_array_equal(shown, layer.data == 2)
    assert len(dock.handling.frame.corners) == 4
    assert dock.choices.selected == 2
    mouse.click((150, 190))
    assert dock.handling.frame.pixels is None
    assert dock.choices.chosen == ()


def test_the_highlight_follows_what_the_boxes_change(dock, layer, mouse):
    mouse.click(PLACES[2])
    small = np.count_nonzero(layer.data == 2)
    dock.choices.area = 1500.0
    dock.reshaping.apply()
    assert np.count_nonzero(layer.data == 2) > 2 * small
    rows, columns = dock.handling.frame.pixels
    shown = np.zeros(layer.data.shape, bool)
    shown[rows, columns] = True
    np.testing.assert_array_equal(shown, layer.data == 2)


def test_dragging_moves_it(dock, layer, mouse):
    before, table = layer.data.copy(), layer.features.copy()
    mouse.press((40, 40))
    mouse.drag((50, 50))
    np.testing.assert_array_equal(layer.data, before, err_msg="the mask waits for the end of the drag")
    assert dock.handling.frame.pixels[0].min() > np.nonzero(before == 1)[0].min(), "but it is seen where it goes"
    mouse.drag((62, 55))
    mouse.release((62, 55))
    np.testing.assert_array_equal(layer.data == 1, np.roll(before == 1, (22, 15), (0, 1)))
    assert ((layer.data == 2) == (before == 2)).all()
    assert (row(layer, 1)["y"], row(layer, 1)["x"]) == (62, 55)
    assert row(layer, 1)["z0"] == table[table["index"] == 1].iloc[0]["z0"], "it keeps its code"
    assert "Moved nucleus 1" in dock.note.text
    assert layer.mouse_pan, "the canvas can be moved again"
    layer.undo()
    np.testing.assert_array_equal(layer.data, before)
    assert layer.features.equals(table)
    rows, _ = dock.handling.frame.pixels
    assert rows.min() == np.nonzero(before == 1)[0].min(), "the frame goes back with it"


def test_a_drag_beside_nuclei_moves_the_canvas_as_always(dock, layer, mouse):
    before = layer.data.copy()
    mouse.press((150, 190))
    mouse.drag((100, 100))
    assert layer.mouse_pan
    mouse.release((100, 100))
    np.testing.assert_array_equal(layer.data, before)


def test_a_corner_turns_and_scales_it(dock, layer, mouse):
    mouse.click(PLACES[3])
    before, angle, scale = layer.data.copy(), row(layer, 3)["angle"], row(layer, 3)["scale"]
    centre = np.array(centre_of(before, [3]))
    corner = dock.handling.frame.corners[1]
    arm = corner - centre
    turned = centre + 1.5 * np.array([-arm[1], arm[0]])  # a quarter of a turn counter-clockwise, as seen
    mouse.press(corner)
    mouse.drag(turned)
    mouse.release(turned)
    assert np.count_nonzero(layer.data == 3) == pytest.approx(2.25 * np.count_nonzero(before == 3), rel=0.05)
    np.testing.assert_allclose(centre_of(layer.data, [3]), centre, atol=1.5)
    now = row(layer, 3)
    assert (now["angle"] - angle) % 360 == pytest.approx(90, abs=0.5)
    assert now["scale"] / scale == pytest.approx(1.5, rel=0.01)
    box = [np.ptp(axis) + 1 for axis in np.nonzero(before == 3)]
    after = [np.ptp(axis) + 1 for axis in np.nonzero(layer.data == 3)]
    np.testing.assert_allclose(after, 1.5 * np.array(box[::-1]), atol=3)
    layer.undo()
    np.testing.assert_array_equal(layer.data, before)


@pytest.mark.parametrize(("key", "step"), [("Up", (-1, 0)), ("Down", (1, 0)), ("Left", (0, -1)), ("Right", (0, 1))])
def test_arrow_keys_nudge_it(dock, layer, mouse, key, step):
    mouse.click(PLACES[1])
    before = layer.data == 1
    press_key(layer, key)
    np.testing.assert_array_equal(layer.data == 1, np.roll(before, step, (0, 1)))
    layer.undo()
    np.testing.assert_array_equal(layer.data == 1, before)


def test_delete_removes_it_with_its_row(dock, layer, mouse):
    mouse.click(PLACES[2])
    before, table = layer.data.copy(), layer.features.copy()
    press_key(layer, "Delete")
    np.testing.assert_array_equal(layer.data, np.where(before == 2, 0, before))
    assert layer.features["index"].tolist() == [0, 1, 3]
    assert dock.handling.frame.pixels is None
    layer.undo()
    np.testing.assert_array_equal(layer.data, before)
    assert layer.features.equals(table)


def test_ctrl_d_copies_it(dock, layer, mouse):
    mouse.click(PLACES[1])
    before = layer.data.copy()
    press_key(layer, "Control-D")
    assert dock.choices.chosen == (4,)
    assert ((layer.data > 0) >= (before > 0)).all()
    np.testing.assert_array_equal(layer.data[before > 0], before[before > 0])
    assert row(layer, 4)["z0"] == row(layer, 1)["z0"]
    assert row(layer, 4)["y"] == row(layer, 1)["y"] + 8
    layer.undo()
    np.testing.assert_array_equal(layer.data, before)


def test_several_at_once(dock, layer, mouse):
    mouse.click(PLACES[1])
    mouse.click(PLACES[3], modifiers=("Shift",))
    assert dock.choices.chosen == (1, 3)
    assert dock.choices.selected == 0, "there is no one shape to change"
    before = layer.data.copy()
    mouse.press((110, 60))
    mouse.drag((120, 65))
    mouse.release((120, 65))
    for number in (1, 3):
        np.testing.assert_array_equal(layer.data == number, np.roll(before == number, (10, 5), (0, 1)))
    assert "Moved 2 nuclei" in dock.note.text
    layer.undo()
    np.testing.assert_array_equal(layer.data, before)
    mouse.click(PLACES[3], modifiers=("Shift",))
    assert dock.choices.chosen == (1,)


def test_keys_are_given_back(dock, layer, mouse):
    dock.use_tool("")
    assert not any(str(key) in ("Delete", "Up") for key in layer.keymap)
    assert dock.choices.chosen == ()


def test_a_click_on_the_map_changes_the_mask_only_where_edit_says_so(dock, layer, mouse, panel, qtbot, finish):
    nuclei = panel("nuclei")
    assert nuclei.reshapes.isHidden()
    mouse.click(PLACES[1])
    assert not nuclei.reshapes.isHidden()
    assert nuclei.reshapes.text() == "Sliders and map change nucleus 1"
    assert not nuclei.reshapes.isChecked()
    before = layer.data.copy()
    other = -np.array(dock.choices.z, np.float32)
    nuclei.map.picked.emit(other)
    finish(dock.jobs)
    qtbot.wait(300)
    np.testing.assert_array_equal(layer.data, before)
    np.testing.assert_allclose(dock.choices.z, other, err_msg="it is the shape of the next stamp")
    nuclei.angle.setValue(100)
    qtbot.waitUntil(lambda: bool((layer.data != before).any()))
    np.testing.assert_allclose(row(layer, 1)["z0"], -other[0], atol=1e-5, err_msg="a turn keeps its own shape")
    turned = layer.data.copy()
    nuclei.reshapes.click()
    nuclei.map.picked.emit(2 * other)
    qtbot.waitUntil(lambda: bool((layer.data != turned).any()))
    np.testing.assert_allclose(row(layer, 1)["z0"], 2 * other[0], atol=1e-5)
