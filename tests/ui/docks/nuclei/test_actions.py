"""The Nuclei dock on a viewer model: what a person's clicks do to the mask and its table."""

from __future__ import annotations

import numpy as np
import pytest

from napari_synth.core.recipe import DEFAULT_SHAPES
from napari_synth.ui.docks.nuclei.actions import NucleusActions
from napari_synth.ui.napari_bridge.mask_layers import add_mask
from tests.ui.conftest import painted


@pytest.fixture
def dock(session, viewer, finish):
    """The dock beside an empty mask, with a chosen shape and its model in memory."""
    add_mask(viewer, (160, 200), "mine")
    dock = session.actions(NucleusActions)
    dock.shapes.show_thumbnails()
    dock.shapes.set_code(np.array(dock.choices.z))
    finish(dock.jobs, 60_000)
    return dock


def mask(viewer):
    return viewer.layers["mine"]


def codes(layer, label):
    row = layer.features[layer.features["index"] == label].iloc[0]
    return np.array([row[f"z{i}"] for i in range(10)])


def test_a_stamp_is_one_nucleus_one_row_and_one_undo(dock, viewer):
    layer = mask(viewer)
    dock.use_tool("stamp")
    for number, place in enumerate([(40, 40), (40, 120), (110, 60), (110, 150), (75, 95)], 1):
        dock.click(place)
        assert layer.data[place] == number
    assert "Stamped nucleus 5" in dock.note.text
    assert len(np.unique(layer.data)) == 6
    assert layer.features["index"].tolist() == [0, 1, 2, 3, 4, 5]
    np.testing.assert_allclose(codes(layer, 3), dock.choices.z, atol=1e-6)
    assert layer.features["angle"][1:].nunique() == 5, "turned by chance"
    before = layer.data.copy()
    layer.undo()
    assert 5 not in layer.data
    assert layer.features["index"].tolist() == [0, 1, 2, 3, 4]
    layer.redo()
    np.testing.assert_array_equal(layer.data, before)
    assert layer.features["index"].tolist() == [0, 1, 2, 3, 4, 5]


def test_stamps_of_a_fixed_angle_and_area(dock, viewer):
    dock.use_tool("stamp")
    dock.choices.turn_random = dock.choices.size_random = False
    dock.choices.angle, dock.choices.area = 30.0, 400.0
    dock.click((60, 60))
    layer = mask(viewer)
    assert layer.features["angle"].iloc[-1] == 30
    assert np.count_nonzero(layer.data == 1) == pytest.approx(400, rel=0.1)


def test_the_ghost_is_what_a_click_stamps(dock, viewer):
    layer, ghost = mask(viewer), dock.stamping.ghost
    painted_before = layer.data.copy()
    dock.use_tool("stamp")
    assert ghost.pixels is None, "the cursor is not on the canvas yet"
    dock.stamping.hover((60.3, 70.4))
    seen = ghost.pixels
    dock.stamping.hover((61.0, 72.0))
    np.testing.assert_array_equal(ghost.pixels[0], seen[0] + 1)
    np.testing.assert_array_equal(ghost.pixels[1], seen[1] + 2)
    dock.choices.dimension = 1
    dock.shapes.morph(6)
    assert len(ghost.pixels[0]) != len(seen[0]) or (ghost.pixels[0] != seen[0] + 1).any(), "the wheel is seen at once"
    dock.choices.size_random = False
    dock.choices.area = 300.0
    assert len(ghost.pixels[0]) == pytest.approx(300, rel=0.1)
    dock.stamping.hover((60.3, 70.4))
    expected = painted_before.copy()
    expected[ghost.pixels] = 1
    assert (layer.data == painted_before).all(), "nothing is painted before the click"
    assert list(viewer.layers) == [layer]
    dock.click((60.3, 70.4))
    np.testing.assert_array_equal(layer.data, expected)
    layer.undo()
    assert (layer.data == painted_before).all()
    layer.redo()
    np.testing.assert_array_equal(layer.data, expected)


def test_the_ghost_keeps_off_the_neighbours(dock, viewer):
    layer = mask(viewer)
    layer.data[:, 100:] = 9
    dock.use_tool("stamp")
    dock.stamping.hover((80, 97))
    rows, columns = dock.stamping.ghost.pixels
    assert columns.max() == 99
    dock.stamping.hover((80, 160))
    assert dock.stamping.ghost.pixels is None, "no free place"
    dock.stamping.hover((80, 97))
    dock.click((80, 97))
    assert set(zip(*np.nonzero(layer.data == 10), strict=True)) == set(zip(rows, columns, strict=True))


@pytest.mark.parametrize("end", ["tool", "cursor", "brush", "layer", "dock"])
def test_the_ghost_goes_with_its_reason(dock, session, viewer, qtbot, end):
    panel = session.panel("nuclei")
    qtbot.addWidget(panel)
    panel.show()
    dock.use_tool("stamp")
    dock.stamping.hover((60, 70))
    assert dock.stamping.ghost.pixels is not None
    if end == "tool":
        dock.use_tool("grow")
    elif end == "cursor":
        viewer.mouse_over_canvas = True
        viewer.mouse_over_canvas = False
    elif end == "brush":
        mask(viewer).mode = "paint"
    elif end == "layer":
        viewer.layers.clear()
    else:
        panel.hide()
    assert dock.stamping.ghost.pixels is None
    assert len(viewer.mouse_move_callbacks) == (1 if end in ("tool", "cursor") else 0)


def test_a_stamp_on_a_full_place_says_so(dock, viewer):
    layer = mask(viewer)
    layer.data[:] = 1
    dock.use_tool("stamp")
    dock.click((60, 60))
    assert dock.note.kind == "problem"
    assert (layer.data == 1).all()


def test_a_field_grows_in_a_rectangle_and_goes_in_one_undo(dock, context, viewer, finish):
    layer = mask(viewer)
    dock.use_tool("stamp")
    dock.click((30, 30))
    context.field.area_mean, context.field.area_sd, context.field.count_mean = 80, 10, 60
    dock.use_tool("grow")
    dock.draw_box((60.2, 90.7), (150.1, 180.3))
    finish(dock.jobs)
    assert "Grew" in dock.note.text
    grown = [label for label in np.unique(layer.data) if label > 1]
    assert len(grown) > 3
    assert len(layer.features) == 2 + len(grown)
    rows = layer.features[layer.features["index"] > 1]
    assert rows["y"].between(60, 150).all()
    assert rows["x"].between(91, 181).all()
    after, table = layer.data.copy(), layer.features.copy()
    layer.undo()
    assert np.unique(layer.data).tolist() == [0, 1]
    assert layer.features["index"].tolist() == [0, 1]
    layer.redo()
    np.testing.assert_array_equal(layer.data, after)
    assert layer.features.equals(table)


def test_one_nucleus_is_changed_in_place(dock, viewer):
    layer = mask(viewer)
    dock.use_tool("stamp")
    dock.click((60, 60))
    dock.click((60, 150))
    other = layer.data == 2
    dock.use_tool("edit")
    dock.click((60, 60))
    assert dock.choices.selected == 1
    dock.choices.area = 300.0
    dock.reshaping.apply()
    assert np.count_nonzero(layer.data == 1) == pytest.approx(300, rel=0.1)
    small = layer.data.copy()
    z = np.array(dock.choices.z)
    z[0] = 2.5 if z[0] < 0 else -2.5
    dock.choices.reshapes = True
    dock.shapes.set_code(z)
    assert (layer.data != small).any()
    np.testing.assert_allclose(codes(layer, 1), z, atol=1e-5)
    assert layer.features["member"][1] == -1
    assert ((layer.data == 2) == other).all()
    layer.undo()
    np.testing.assert_array_equal(layer.data, small)
    assert abs(codes(layer, 1)[0] - z[0]) > 1, "the code goes back with the shape"


def test_a_painted_nucleus_can_be_taken_up(dock, viewer):
    layer = mask(viewer)
    layer.data[40:80, 40:100] = 7
    layer.refresh()
    dock.use_tool("edit")
    dock.click((60, 60))
    assert dock.choices.selected == 7
    assert dock.choices.area == pytest.approx(2400, rel=0.1)
    dock.choices.area = 1000.0
    dock.reshaping.apply()
    assert np.count_nonzero(layer.data == 7) == pytest.approx(1000, rel=0.1)
    dock.click((5, 5))
    assert dock.choices.selected == 0


def test_the_wheel_morphs_along_the_chosen_direction(dock):
    dock.choices.dimension = 4
    before, shape = np.array(dock.choices.z), dock.shapes.picture
    dock.shapes.morph(3)
    moved = np.array(dock.choices.z) - before
    assert np.flatnonzero(moved).tolist() == [4]
    assert moved[4] == pytest.approx(0.75)
    assert (dock.shapes.picture != shape).any()


def test_save_and_open_keep_the_codes(dock, session, viewer, tmp_path):
    layer = mask(viewer)
    dock.use_tool("stamp")
    for place in ((40, 40), (40, 120), (110, 60)):
        dock.click(place)
    dock.save(tmp_path / "nuclei")
    assert "Saved nuclei.tif" in dock.note.text
    viewer.layers.clear()
    dock.open(tmp_path / "nuclei.tif")
    (again,) = viewer.layers
    np.testing.assert_array_equal(again.data, layer.data)
    assert again.features["index"].tolist() == [0, 1, 2, 3]
    for label in (1, 2, 3):
        np.testing.assert_allclose(codes(again, label), codes(layer, label), rtol=1e-6)
    columns = ["angle", "scale", "y", "x", "member"]
    np.testing.assert_allclose(again.features[columns][1:], layer.features[columns][1:], rtol=1e-6)
    dock.use_tool("edit")
    dock.click((40, 40))
    assert dock.choices.selected == 1
    dock.open(tmp_path / "none.tif")
    assert "does not exist" in dock.note.text


def test_walk_and_traversals_are_layers(dock, viewer, context):
    dock.shapes.walk()
    assert "needs a start and an end" in dock.note.text
    dock.shapes.mark(0)
    dock.shapes.choose(5)
    dock.shapes.mark(1)
    dock.shapes.walk()
    walk = viewer.layers["walk"]
    assert walk.data.shape == (25, 64, 64)
    assert walk.axis_labels == ("alpha", "y", "x")
    assert viewer.layers.selection.active is mask(viewer)
    start = context.models.shapes(DEFAULT_SHAPES).decode(dock.shapes.marks[0])[0]
    np.testing.assert_allclose(walk.data[0], start, atol=1e-5)
    dock.shapes.traversals()
    assert viewer.layers["traversals"].data.shape == (640, 576)


def test_tools_need_a_mask_and_rest_with_a_brush(session, viewer):
    dock = session.actions(NucleusActions)
    dock.use_tool("stamp")
    assert dock.choices.tool == ""
    assert dock.note.kind == "problem"
    layer = viewer.add_labels(painted())
    dock.use_tool("grow")
    assert (layer.mode, layer.mouse_pan) == ("pan_zoom", False)
    callbacks = len(viewer.mouse_drag_callbacks)
    layer.mode = "paint"
    assert dock.choices.tool == ""
    assert len(viewer.mouse_drag_callbacks) == callbacks - 1
    dock.use_tool("stamp")
    viewer.add_image(np.zeros((20, 20)))
    assert dock.choices.tool == "", "another layer was chosen"


def test_the_panel_shows_what_there_is(session, viewer, qtbot, finish):
    panel = session.panel("nuclei")
    qtbot.addWidget(panel)
    dock = session.actions(NucleusActions)
    assert panel.shapes.count() == 24
    assert panel.shapes.currentRow() == 0, "the chosen shape is marked"
    first = dock.shapes.thumbnails.codes
    panel.resample.click()
    assert (dock.shapes.thumbnails.codes != first).any()
    add_mask(viewer, (160, 200), "mine")
    assert panel.shapes.currentRow() == -1, "the chosen shape is none of the new ones"
    panel.shapes.setCurrentRow(4)
    np.testing.assert_allclose(dock.choices.z, dock.shapes.thumbnails.codes[4])
    dock.loader.load()
    finish(dock.jobs, 60_000)
    assert not panel.sliders.ends[9][1].pixmap().isNull(), "what the sliders do is seen before one is moved"
    panel.sliders.sliders[2].setValue(30)
    finish(dock.jobs, 60_000)
    assert dock.choices.z[2] == pytest.approx(1.5)
    assert dock.choices.dimension == 2
    assert not panel.sliders.ends[0][0].pixmap().isNull()
    panel.tools["stamp"].click()
    dock.click((80, 80))
    layer = mask(viewer)
    assert (layer.data == 1).any()
    panel.tools["edit"].click()
    assert not panel.tools["stamp"].isChecked()
    dock.click((80, 80))
    assert panel.area.isEnabled()
    panel.area.setValue(250)
    qtbot.waitUntil(lambda: np.count_nonzero(layer.data == 1) < 290)
    panel.reshapes.click()
    panel.map.picked.emit(dock.libraries.latents.codes[7])
    qtbot.waitUntil(lambda: np.allclose(codes(layer, 1), dock.libraries.latents.codes[7], atol=1e-5))
    layer.undo()
    layer.undo()
    assert np.count_nonzero(layer.data == 1) > 0
    viewer.theme = "light"


def test_the_area_is_in_the_unit_of_the_mask(session, viewer, qtbot):
    panel = session.panel("nuclei")
    qtbot.addWidget(panel)
    dock = session.actions(NucleusActions)
    assert panel.area_label.text() == "Area (px²)"
    assert panel.area.value() == dock.choices.area == 700
    layer = viewer.add_labels(np.zeros((160, 200), np.uint16), scale=(0.5, 0.5), units=("um", "um"))
    assert panel.area_label.text() == "Area (µm²)"
    assert panel.area.value() == 175
    panel.size_random.setChecked(False)
    panel.area.setValue(100)
    assert dock.choices.area == 400
    dock.use_tool("stamp")
    dock.click((80, 100))
    assert np.count_nonzero(layer.data) == pytest.approx(400, rel=0.1), "100 µm² of pixels of 0.25"
    viewer.layers.clear()
    assert (panel.area_label.text(), panel.area.value()) == ("Area (px²)", 400)
