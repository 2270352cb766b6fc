"""A person's way through the window, in a real viewer."""

from __future__ import annotations

import time

import numpy as np
import pytest
import tifffile
from qtpy.QtCore import QEvent, Qt
from qtpy.QtWidgets import QApplication, QMenu

import napari_synth as ns
from napari_synth.core.recipe import METADATA_KEY, Recipe
from napari_synth.exporting.formats.tiff import embedded_recipe
from napari_synth.ui import app
from napari_synth.ui.docks.export.actions import ExportActions
from napari_synth.ui.docks.masks.actions import MaskActions
from napari_synth.ui.docks.nuclei.actions import NucleusActions
from napari_synth.ui.docks.nuclei.panel import NucleiPanel
from napari_synth.ui.docks.synthesize.actions import SynthesizeActions
from napari_synth.ui.napari_bridge.window import PLUGIN, canvas_widget, main_window
from napari_synth.ui.session import session_for
from tests.e2e.hands import click, idle, on_canvas, settle, steps, stroke, tab
from tests.helpers import nuclei

MODEL = "optional-pix2pix-nuclei"


@pytest.mark.slow
def test_from_sample_to_training_pairs(viewer, qtbot, tmp_path):
    viewer.open_sample(PLUGIN, "nuclei_256")
    (opened,) = viewer.layers
    masks, synthesize, export = steps(viewer)
    session = session_for(viewer)

    before = opened.data.copy()
    click(qtbot, masks.cards.tabs["sample"])
    masks.sampling.form.box("count_mean").setValue(8)
    masks.sampling.form.box("count_sd").setValue(0)
    click(qtbot, masks.sampling.sample)
    idle(qtbot, session.actions(MaskActions).jobs)
    assert "Placed 8 of 8" in masks.foot.status.text.text()
    np.testing.assert_array_equal(opened.data, before)
    layer = viewer.layers.selection.active
    assert (layer.visible, opened.visible) == (True, False)
    viewer.layers.remove(opened)
    assert len(layer.features) == 9

    viewer.fit_to_view()
    layer.mode, layer.brush_size = "paint", 16
    sampled = layer.data.copy()
    stroke(viewer, qtbot, (100, 100), (100, 140))
    assert (layer.data == 9).sum() > 100, "the stroke is a nucleus of its own"
    layer.undo()
    np.testing.assert_array_equal(layer.data, sampled)
    layer.redo()
    labels = layer.data.copy()

    synthesize.looks.setCurrentRow(0)
    synthesize.seed.value.setValue(5)
    synthesize.device.setCurrentIndex(synthesize.device.findData("cpu"))
    synthesize.device.activated.emit(synthesize.device.currentIndex())
    click(qtbot, synthesize.render_button)
    idle(qtbot, session.actions(SynthesizeActions).jobs)
    assert " on cpu" in synthesize.foot.status.text.text()
    image = viewer.layers[f"{layer.name} · he"]
    assert viewer.layers.index(image) == 0
    assert viewer.layers.selection.active is layer
    recipe = Recipe.model_validate(image.metadata[METADATA_KEY])
    model = ns.load_model(MODEL, "cpu")
    np.testing.assert_array_equal(image.data, model.render(labels, recipe.options[0], recipe.seed).image)

    export.form.line("folder").setText(str(tmp_path / "pairs"))
    assert export.export_button.text().startswith("Export 4 pairs")
    click(qtbot, export.export_button)
    idle(qtbot, session.actions(ExportActions).jobs)
    assert "4 pairs are in" in export.foot.status.text.text()
    paths = sorted((tmp_path / "pairs" / "images").iterdir())
    assert len(paths) == 4
    for path in paths:
        made = embedded_recipe(path)
        np.testing.assert_array_equal(tifffile.imread(tmp_path / "pairs" / "masks" / path.name), labels)
        expected = model.render(labels, made.options[0], made.seed).image
        np.testing.assert_array_equal(tifffile.imread(path), expected)

    export.form.line("folder").setText(str(tmp_path / "one"))
    for column in range(2, export.table.columnCount()):
        export.table.item(0, column).setCheckState(Qt.CheckState.Unchecked)
    click(qtbot, export.export_button)
    idle(qtbot, session.actions(ExportActions).jobs)
    (only,) = (tmp_path / "one" / "images").iterdir()
    np.testing.assert_array_equal(tifffile.imread(only), image.data)


@pytest.mark.slow
def test_nuclei_by_hand(viewer, qtbot, tmp_path):
    session = session_for(viewer)
    layer = session.actions(MaskActions).new_mask(256, 256)
    masks = steps(viewer)[0]
    click(qtbot, masks.cards.tabs["paint"])
    click(qtbot, masks.paint.single)
    panel = main_window(viewer).findChild(NucleiPanel)
    dock = panel.dock
    settle(qtbot, viewer)
    viewer.fit_to_view()
    QApplication.processEvents()
    panel.shapes.setCurrentRow(2)
    click(qtbot, panel.tools["stamp"])
    places = [(40, 40), (40, 100), (100, 40), (60, 70), (110, 110)]
    for place in places:
        stroke(viewer, qtbot, place, None)
    assert len(np.unique(layer.data)) == 6
    stamped, table = layer.data.copy(), layer.features.copy()

    click(qtbot, panel.tools["grow"])
    stroke(viewer, qtbot, (140, 20), (240, 240))
    idle(qtbot, dock.jobs)
    assert "Grew" in panel.foot.status.text.text()
    grown = layer.data.copy()
    assert len(np.unique(grown)) > 8
    assert (grown[:100] == stamped[:100]).all()
    layer.undo()
    np.testing.assert_array_equal(layer.data, stamped)
    assert layer.features.equals(table)
    layer.redo()
    np.testing.assert_array_equal(layer.data, grown)

    click(qtbot, panel.tools["edit"])
    stroke(viewer, qtbot, (100, 40), None)
    qtbot.waitUntil(lambda: dock.choices.selected == 3)
    idle(qtbot, dock.jobs)
    before = layer.data == 3
    click(qtbot, panel.reshapes)
    panel.sliders.sliders[0].setValue(50)
    qtbot.waitUntil(lambda: bool(((layer.data == 3) != before).any()), timeout=20_000)
    z = dock.choices.z
    assert ((layer.data == 1) == (grown == 1)).all()

    dock.save(tmp_path / "mine.tif")
    viewer.layers.clear()
    dock.open(tmp_path / "mine.tif")
    (again,) = viewer.layers
    np.testing.assert_array_equal(again.data, layer.data)
    row = again.features[again.features["index"] == 3].iloc[0]
    np.testing.assert_allclose([row[f"z{i}"] for i in range(10)], z, atol=1e-5)


def stamping(viewer, qtbot):
    """A new mask in a window, and the dock with its stamp at hand."""
    session = session_for(viewer)
    layer = session.actions(MaskActions).new_mask(256, 256)
    layer.scale, layer.translate = (0.5, 0.5), (7, 9)
    tab(viewer, "nuclei")
    dock = session.actions(NucleusActions)
    dock.use_tool("stamp")
    idle(qtbot, dock.jobs)
    settle(qtbot, viewer)
    viewer.fit_to_view()
    QApplication.processEvents()
    return layer, dock


@pytest.mark.timing
def test_a_ghost_does_not_hold_up_the_cursor(viewer, qtbot):
    layer, _ = stamping(viewer, qtbot)
    native, seconds = canvas_widget(viewer), []
    for step in range(40):
        begun = time.thread_time()
        qtbot.mouseMove(native, on_canvas(viewer, layer, (120 + step, 130)))
        QApplication.processEvents()
        seconds.append(time.thread_time() - begun)
    assert np.median(seconds) < 0.05


@pytest.mark.slow
def test_a_ghost_shows_the_stamp_before_the_click(viewer, qtbot):
    layer, dock = stamping(viewer, qtbot)
    native = canvas_widget(viewer)

    def move(place):
        qtbot.mouseMove(native, on_canvas(viewer, layer, place))
        QApplication.processEvents()

    def picture():
        return viewer.screenshot(flash=False).astype(int)[..., :3]

    bare = picture()
    move((60, 60))
    move((120, 130))
    ghost = picture()
    rows, columns = dock.stamping.ghost.pixels
    changed = np.argwhere((np.abs(ghost - bare) > 20).any(-1))
    ratio = native.devicePixelRatioF()
    corners = [on_canvas(viewer, layer, place) for place in ((rows.min(), columns.min()), (rows.max(), columns.max()))]
    found = [changed.min(0) / ratio, changed.max(0) / ratio]
    for corner, (y, x) in zip(corners, found, strict=True):
        assert abs(corner.y() - y) < 6
        assert abs(corner.x() - x) < 6
    for step in range(40):
        move((120 + step, 130))
    stroke(viewer, qtbot, (120, 130), None)
    viewer.mouse_over_canvas = True
    viewer.mouse_over_canvas = False
    assert (layer.data == 1).any()
    layer.undo()
    dock.use_tool("")
    assert np.abs(picture() - bare).max() < 20, "nothing of it stays"
    dock.use_tool("stamp")
    move((100, 100))
    viewer.layers.remove(layer)
    QApplication.processEvents()
    assert dock.stamping.ghost.pixels is None


def test_a_dock_closed_while_rendering_can_be_opened_again(viewer, qtbot):
    viewer.add_labels(nuclei(), name="mask")
    panel = steps(viewer)[1]
    dock, _ = viewer.window.add_plugin_dock_widget(PLUGIN)
    session = session_for(viewer)
    click(qtbot, panel.render_button)
    assert session.actions(SynthesizeActions).jobs.lane.state.running
    dock.destroyOnClose()  # what the ✕ of the dock calls
    del dock, panel
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
    idle(qtbot, session.actions(SynthesizeActions).jobs)
    assert "mask · he" in viewer.layers
    again = steps(viewer)[1]
    assert again.dock is session.actions(SynthesizeActions)
    assert "Rendered" in again.foot.status.text.text()
    click(qtbot, again.render_button)
    idle(qtbot, session.actions(SynthesizeActions).jobs)
    assert len(viewer.layers) == 2


def test_new_mask_from_the_file_menu(viewer, qtbot):
    entries = [entry for menu in main_window(viewer).findChildren(QMenu) for entry in menu.actions()]
    next(entry for entry in entries if entry.text().startswith("New mask")).trigger()
    (layer,) = viewer.layers
    assert layer.data.shape == (256, 256)
    assert session_for(viewer).context.masks.current is layer


def test_closing_the_window_stops_the_jobs(viewer, qtbot):
    viewer.add_labels(np.eye(64, dtype=np.uint16), name="mask")
    session = session_for(viewer)
    session.actions(SynthesizeActions).render()
    viewer.close()
    qtbot.waitUntil(lambda: session.context.closed)
    assert not session.actions(SynthesizeActions).jobs.lane.state.running
    assert session.context.notes["synthesize"].kind == "hint", "nothing is said to a window that is gone"


def test_launch_shows_a_picture_and_leaves(make_napari_viewer, monkeypatch, qtbot, tmp_path):
    opened, saved = make_napari_viewer(show=True), tmp_path / "window.png"
    context = session_for(opened).context
    monkeypatch.setattr("napari.Viewer", lambda **kwargs: opened)
    monkeypatch.setattr("napari.run", lambda: qtbot.waitUntil(lambda: saved.is_file() and context.closed))
    app.launch(render_first=True, quit_after=0.5, screenshot=saved)
    import imageio.v3 as iio

    assert iio.imread(saved).shape[1] > 900
