"""The nucleus studio on a viewer model: what a person's clicks do to the mask and its table."""

from __future__ import annotations

import numpy as np
import pytest

from napari_synth.ui.docks.masks.panel import MasksPanel
from napari_synth.ui.docks.nuclei.panel import NucleiPanel
from napari_synth.ui.napari_bridge.mask_layers import add_mask
from tests.ui.conftest import painted


@pytest.fixture
def studio(session, viewer, finish):
    """A studio with an empty mask, a chosen shape and its model in memory."""
    add_mask(viewer, (160, 200), "mine")
    studio = session.studio
    studio.show_thumbnails()
    studio.set_z(np.array(studio.choices.z))
    finish(studio.lane, 60_000)
    return studio


def mask(viewer):
    return viewer.layers["mine"]


def codes(layer, label):
    row = layer.features[layer.features["index"] == label].iloc[0]
    return np.array([row[f"z{i}"] for i in range(10)])


def test_a_stamp_is_one_nucleus_one_row_and_one_undo(studio, viewer):
    layer = mask(viewer)
    studio.use_tool("stamp")
    for number, place in enumerate([(40, 40), (40, 120), (110, 60), (110, 150), (75, 95)], 1):
        studio.click(place)
        assert layer.data[place] == number
    assert "Stamped nucleus 5" in studio.note.text
    assert len(np.unique(layer.data)) == 6
    assert layer.features["index"].tolist() == [0, 1, 2, 3, 4, 5]
    np.testing.assert_allclose(codes(layer, 3), studio.choices.z, atol=1e-6)
    assert layer.features["angle"][1:].nunique() == 5, "turned by chance"
    before = layer.data.copy()
    layer.undo()
    assert 5 not in layer.data
    assert layer.features["index"].tolist() == [0, 1, 2, 3, 4]
    layer.redo()
    np.testing.assert_array_equal(layer.data, before)
    assert layer.features["index"].tolist() == [0, 1, 2, 3, 4, 5]


def test_stamps_of_a_fixed_angle_and_area(studio, viewer):
    studio.use_tool("stamp")
    studio.choices.turn_random = studio.choices.size_random = False
    studio.choices.angle, studio.choices.area = 30.0, 400.0
    studio.click((60, 60))
    layer = mask(viewer)
    assert layer.features["angle"].iloc[-1] == 30
    assert np.count_nonzero(layer.data == 1) == pytest.approx(400, rel=0.1)


def test_the_ghost_is_what_a_click_stamps(studio, viewer):
    layer, ghost = mask(viewer), studio.ghost
    painted_before = layer.data.copy()
    studio.use_tool("stamp")
    assert ghost.pixels is None, "the cursor is not on the canvas yet"
    studio.hover((60.3, 70.4))
    seen = ghost.pixels
    studio.hover((61.0, 72.0))
    np.testing.assert_array_equal(ghost.pixels[0], seen[0] + 1)
    np.testing.assert_array_equal(ghost.pixels[1], seen[1] + 2)
    studio.choices.dimension = 1
    studio.morph(6)
    assert len(ghost.pixels[0]) != len(seen[0]) or (ghost.pixels[0] != seen[0] + 1).any(), "the wheel is seen at once"
    studio.choices.size_random = False
    studio.choices.area = 300.0
    assert len(ghost.pixels[0]) == pytest.approx(300, rel=0.1)
    studio.hover((60.3, 70.4))
    expected = painted_before.copy()
    expected[ghost.pixels] = 1
    assert (layer.data == painted_before).all(), "nothing is painted before the click"
    assert list(viewer.layers) == [layer]
    studio.click((60.3, 70.4))
    np.testing.assert_array_equal(layer.data, expected)
    layer.undo()
    assert (layer.data == painted_before).all()
    layer.redo()
    np.testing.assert_array_equal(layer.data, expected)


def test_the_ghost_keeps_off_the_neighbours(studio, viewer):
    layer = mask(viewer)
    layer.data[:, 100:] = 9
    studio.use_tool("stamp")
    studio.hover((80, 97))
    rows, columns = studio.ghost.pixels
    assert columns.max() == 99
    studio.hover((80, 160))
    assert studio.ghost.pixels is None, "no free place"
    studio.hover((80, 97))
    studio.click((80, 97))
    assert set(zip(*np.nonzero(layer.data == 10), strict=True)) == set(zip(rows, columns, strict=True))


@pytest.mark.parametrize("end", ["tool", "cursor", "brush", "layer", "dock"])
def test_the_ghost_goes_with_its_reason(studio, viewer, qtbot, end):
    panel = NucleiPanel(viewer)
    qtbot.addWidget(panel)
    panel.show()
    studio.use_tool("stamp")
    studio.hover((60, 70))
    assert studio.ghost.pixels is not None
    if end == "tool":
        studio.use_tool("grow")
    elif end == "cursor":
        viewer.mouse_over_canvas = True
        viewer.mouse_over_canvas = False
    elif end == "brush":
        mask(viewer).mode = "paint"
    elif end == "layer":
        viewer.layers.clear()
    else:
        panel.hide()
    assert studio.ghost.pixels is None
    assert len(viewer.mouse_move_callbacks) == (1 if end in ("tool", "cursor") else 0)


def test_a_stamp_on_a_full_place_says_so(studio, viewer):
    layer = mask(viewer)
    layer.data[:] = 1
    studio.use_tool("stamp")
    studio.click((60, 60))
    assert studio.note.kind == "problem"
    assert (layer.data == 1).all()


def test_a_field_grows_in_a_rectangle_and_goes_in_one_undo(studio, session, viewer, finish):
    layer = mask(viewer)
    studio.use_tool("stamp")
    studio.click((30, 30))
    session.field.area_mean, session.field.area_sd, session.field.count_mean = 80, 10, 60
    studio.use_tool("grow")
    studio._drag((60.2, 90.7), (150.1, 180.3), True)
    finish(studio.lane)
    assert "Grew" in studio.note.text
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


def test_one_nucleus_is_changed_in_place(studio, viewer):
    layer = mask(viewer)
    studio.use_tool("stamp")
    studio.click((60, 60))
    studio.click((60, 150))
    other = layer.data == 2
    studio.use_tool("edit")
    studio.click((60, 60))
    assert studio.choices.selected == 1
    studio.choices.area = 300.0
    studio.apply_edit()
    assert np.count_nonzero(layer.data == 1) == pytest.approx(300, rel=0.1)
    small = layer.data.copy()
    z = np.array(studio.choices.z)
    z[0] = 2.5 if z[0] < 0 else -2.5
    studio.set_z(z)
    assert (layer.data != small).any()
    np.testing.assert_allclose(codes(layer, 1), z, atol=1e-5)
    assert layer.features["member"][1] == -1
    assert ((layer.data == 2) == other).all()
    layer.undo()
    np.testing.assert_array_equal(layer.data, small)
    assert abs(codes(layer, 1)[0] - z[0]) > 1, "the code goes back with the shape"


def test_a_painted_nucleus_can_be_taken_up(studio, viewer):
    layer = mask(viewer)
    layer.data[40:80, 40:100] = 7
    layer.refresh()
    studio.use_tool("edit")
    studio.click((60, 60))
    assert studio.choices.selected == 7
    assert studio.choices.area == pytest.approx(2400, rel=0.1)
    studio.choices.area = 1000.0
    studio.apply_edit()
    assert np.count_nonzero(layer.data == 7) == pytest.approx(1000, rel=0.1)
    studio.click((5, 5))
    assert studio.choices.selected == 0


def test_the_wheel_morphs_along_the_chosen_direction(studio):
    studio.choices.dimension = 4
    before, shape = np.array(studio.choices.z), studio.shape
    studio.morph(3)
    moved = np.array(studio.choices.z) - before
    assert np.flatnonzero(moved).tolist() == [4]
    assert moved[4] == pytest.approx(0.75)
    assert (studio.shape != shape).any()


def test_save_and_open_keep_the_codes(studio, session, viewer, tmp_path):
    layer = mask(viewer)
    studio.use_tool("stamp")
    for place in ((40, 40), (40, 120), (110, 60)):
        studio.click(place)
    studio.save(tmp_path / "nuclei")
    assert "Saved nuclei.tif" in studio.note.text
    viewer.layers.clear()
    studio.open(tmp_path / "nuclei.tif")
    (again,) = viewer.layers
    np.testing.assert_array_equal(again.data, layer.data)
    assert again.features["index"].tolist() == [0, 1, 2, 3]
    for label in (1, 2, 3):
        np.testing.assert_allclose(codes(again, label), codes(layer, label), rtol=1e-6)
    columns = ["angle", "scale", "y", "x", "member"]
    np.testing.assert_allclose(again.features[columns][1:], layer.features[columns][1:], rtol=1e-6)
    studio.use_tool("edit")
    studio.click((40, 40))
    assert studio.choices.selected == 1
    studio.open(tmp_path / "none.tif")
    assert "does not exist" in studio.note.text


def test_walk_and_traversals_are_layers(studio, viewer):
    studio.walk()
    assert "needs a start and an end" in studio.note.text
    studio.mark(0)
    studio.choose(5)
    studio.mark(1)
    studio.walk()
    walk = viewer.layers["walk"]
    assert walk.data.shape == (25, 64, 64)
    assert walk.axis_labels == ("alpha", "y", "x")
    assert viewer.layers.selection.active is mask(viewer)
    start = studio._shapes.decode(studio.marks[0])[0]
    np.testing.assert_allclose(walk.data[0], start, atol=1e-5)
    studio.traversals()
    assert viewer.layers["traversals"].data.shape == (640, 576)


def test_tools_need_a_mask_and_rest_with_a_brush(session, viewer):
    studio = session.studio
    studio.use_tool("stamp")
    assert studio.choices.tool == ""
    assert studio.note.kind == "problem"
    layer = viewer.add_labels(painted())
    studio.use_tool("grow")
    assert (layer.mode, layer.mouse_pan) == ("pan_zoom", False)
    callbacks = len(viewer.mouse_drag_callbacks)
    layer.mode = "paint"
    assert studio.choices.tool == ""
    assert len(viewer.mouse_drag_callbacks) == callbacks - 1
    studio.use_tool("stamp")
    viewer.add_image(np.zeros((20, 20)))
    assert studio.choices.tool == "", "another layer was chosen"


def test_the_panel_shows_what_there_is(session, viewer, qtbot, finish):
    panel = NucleiPanel(viewer)
    qtbot.addWidget(panel)
    studio = session.studio
    assert panel.shapes.count() == 24
    assert panel.shapes.currentRow() == 0, "the chosen shape is marked"
    first = studio.thumbnails.codes
    panel.resample.click()
    assert (studio.thumbnails.codes != first).any()
    add_mask(viewer, (160, 200), "mine")
    assert panel.shapes.currentRow() == -1, "the chosen shape is none of the new ones"
    panel.shapes.setCurrentRow(4)
    np.testing.assert_allclose(studio.choices.z, studio.thumbnails.codes[4])
    studio.get_ready()
    finish(studio.lane, 60_000)
    assert not panel.sliders._ends[9][1].pixmap().isNull(), "what the sliders do is seen before one is moved"
    panel.sliders.sliders[2].setValue(30)
    finish(studio.lane, 60_000)
    assert studio.choices.z[2] == pytest.approx(1.5)
    assert studio.choices.dimension == 2
    assert not panel.sliders._ends[0][0].pixmap().isNull()
    panel.tools["stamp"].click()
    studio.click((80, 80))
    layer = mask(viewer)
    assert (layer.data == 1).any()
    panel.tools["edit"].click()
    assert not panel.tools["stamp"].isChecked()
    studio.click((80, 80))
    assert panel.area.isEnabled()
    panel.area.setValue(250)
    qtbot.waitUntil(lambda: np.count_nonzero(layer.data == 1) < 290)
    panel.map.picked.emit(studio.latents.codes[7])
    qtbot.waitUntil(lambda: np.allclose(codes(layer, 1), studio.latents.codes[7], atol=1e-5))
    layer.undo()
    layer.undo()
    assert np.count_nonzero(layer.data == 1) > 0
    viewer.theme = "light"


def test_fitting_fills_the_boxes_and_shows_real_beside_composed(session, viewer, finish, qtbot, tmp_path):
    viewer.add_labels(painted((128, 160)), name="real")
    panel = MasksPanel(viewer)
    qtbot.addWidget(panel)
    assert panel.statistics.isHidden()
    session.masking.fit()
    finish(session.masking.lane, 60_000)
    assert session.notes.masks.kind == "done"
    assert session.field.area_mean == 300
    assert session.field.base.area_law == "measured"
    assert panel.area_mean.value() == 300
    table = panel.statistics.texts()
    assert table[0][1:3] == ["per 256²", "area px²"]
    assert table[1][:3] == ["real", "6.4", "300 ± 100"]
    assert table[2][1:] == ["–"] * 5, "nothing was composed yet"
    session.masking.sample(128, 160)
    finish(session.masking.lane)
    composed = session.masking.composed
    assert panel.statistics.texts()[2][2].startswith(f"{composed.areas.mean():.0f}")
    assert 0 <= float(panel.statistics.texts()[3][2]) <= 1
    panel.area_mean.setValue(500)
    settings = session.field.settings(64, 64)
    assert (settings.area_law, settings.area_mean) == ("normal", 500), "by hand wins"
    assert settings.eccentricity_quantiles, "what was not touched stays fitted"
    session.masking.forget_fit()
    assert panel.statistics.isHidden()
    assert session.field.settings(64, 64).eccentricity_quantiles == ()
    session.masking.fit(tmp_path / "nowhere")
    finish(session.masking.lane)
    assert "does not exist" in session.notes.masks.text


def test_nuclei_follow_a_painted_layer(session, viewer, finish, qtbot):
    where = np.zeros((128, 160), np.uint8)
    where[:, 120:] = 1
    painted_layer = viewer.add_labels(where, name="where")
    viewer.add_image(np.zeros((20, 20)), name="other size")
    add_mask(viewer, (128, 160), "mine")
    panel = MasksPanel(viewer)
    qtbot.addWidget(panel)
    painted_layer.visible = False
    panel._fill_follow()
    texts = [action.text() for action in panel.follow_menu.actions()]
    assert "Density: where" in texts
    assert "Density: other size" not in texts
    next(action for action in panel.follow_menu.actions() if action.text() == "Density: where").trigger()
    assert panel.follow.text() == "Following"
    session.field.area_mean, session.field.area_sd = 60, 5
    session.masking.sample(128, 160)
    finish(session.masking.lane, 60_000)
    features = mask(viewer).features
    assert len(features) > 3
    assert (features["x"][1:] >= 120).all()
    assert (painted_layer.data == where).all()
    session.masking.follow_density(None)
    assert panel.follow.text() == "Follow…"
