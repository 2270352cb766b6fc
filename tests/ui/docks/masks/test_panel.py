from __future__ import annotations

import numpy as np
import pytest
from qtpy.QtWidgets import QFileDialog, QInputDialog
from skimage.measure import regionprops

from napari_synth.masks.presets import preset
from napari_synth.ui.docks.masks.actions import MaskActions
from tests.helpers import nuclei
from tests.ui.conftest import painted
from tests.ui.hands import choose, click, entries


@pytest.fixture
def masks(panel):
    return panel("masks")


def test_combo_follows_the_layer_list(masks, session, viewer):
    assert entries(masks.mask) == ["no mask yet"]
    assert not masks.mask.isEnabled()
    first = viewer.add_labels(painted(), name="first")
    viewer.add_labels(painted(), name="second")
    assert entries(masks.mask) == ["second", "first"]
    assert masks.mask.currentText() == "second"
    first.name = "renamed"
    assert entries(masks.mask) == ["second", "renamed"]
    viewer.layers.selection.active = first
    assert masks.mask.currentText() == "renamed"
    masks.mask.activated.emit(0)
    assert session.context.masks.current.name == "second"
    viewer.layers.remove("second")
    assert entries(masks.mask) == ["renamed"]


def test_new_mask_takes_the_size_of_the_selected_image(masks, viewer, qtbot):
    assert (masks.width_box.value(), masks.height_box.value()) == (256, 256)
    viewer.add_image(np.zeros((100, 120)))
    assert (masks.width_box.value(), masks.height_box.value()) == (120, 100)
    click(qtbot, masks.new)
    assert viewer.layers[-1].data.shape == (100, 120)


def test_sampling_from_the_panel(masks, session, viewer, qtbot, finish):
    masks.form.box("count_mean").setValue(6)
    masks.form.box("count_sd").setValue(0)
    masks.seed.value.setValue(4)
    choose(masks.form.combo("spacing"), "apart")
    field = session.context.field
    assert (field.count_mean, field.seed, field.spacing) == (6, 4, "apart")
    assert not masks.form.box("touching_fraction").isEnabled()
    click(qtbot, masks.sample)
    assert not masks.foot.job.isHidden()
    finish(session.actions(MaskActions).jobs)
    assert masks.foot.job.isHidden()
    assert viewer.layers[0].data.max() == 6
    assert "Placed 6 of 6" in masks.foot.status.text.text()
    assert masks.foot.status.text.text().startswith("✓ Done")
    click(qtbot, masks.clear)
    assert not viewer.layers[0].data.any()


def test_law_of_the_number_and_direction(masks, session, viewer, qtbot, finish):
    assert not masks.form.box("angle").isEnabled()
    assert masks.form.combo("count_law").findData("measured") < 0
    choose(masks.form.combo("count_law"), "fixed")
    assert not masks.form.box("count_sd").isEnabled()
    choose(masks.form.combo("orientation"), "preferred")
    masks.form.box("angle").setValue(30)
    masks.form.box("angle_sd").setValue(0)
    masks.form.box("count_mean").setValue(12)
    seen = []
    for seed in range(4):
        masks.seed.value.setValue(seed)
        click(qtbot, masks.sample)
        finish(session.actions(MaskActions).jobs, 60_000)
        labels = viewer.layers[0].data
        seen.append(labels.max())
        for row in regionprops(labels):
            y, x = np.array(row.coords).mean(0)
            if row.eccentricity > 0.85 and 40 < y < 216 and 40 < x < 216:
                off = (np.rad2deg(row.orientation) + 90 - 30 + 90) % 180 - 90
                assert abs(off) < 12, "the long axis lies as asked"
    assert seen == [12] * 4
    choose(masks.form.combo("count_law"), "poisson")
    assert session.context.field.settings(64, 64).count_law == "poisson"


def test_the_preset_of_the_thesis_from_the_menu(masks, session, qtbot):

    def trigger(text):
        masks.follow_menu.aboutToShow.emit()
        action = next(action for action in masks.follow_menu.actions() if text in action.text())
        assert not action.isChecked()
        action.trigger()
        masks.follow_menu.aboutToShow.emit()
        assert next(action for action in masks.follow_menu.actions() if text in action.text()).isChecked()

    start = session.context.field.settings(350, 350)
    trigger("thesis")
    assert session.context.field.settings(350, 350) == preset("thesis", 350, 350), "as on the command line"
    assert "side" in masks.foot.status.text.text()
    assert masks.follow.text() == "Following"
    assert masks.form.combo("orientation").currentData() == "none"
    assert masks.form.box("area_mean").text() == "64² shapes"
    masks.form.box("area_mean").setValue(400)
    changed = session.context.field.settings(350, 350)
    assert (changed.area_law, changed.area_mean, changed.count_scaling) == ("normal", 400, "length")
    assert masks.form.box("area_mean").text() == "400"
    trigger("per area")
    assert session.context.field.settings(350, 350) == start
    assert masks.follow.text() == "Follow…"


def test_dice_changes_the_number(masks, session, qtbot, monkeypatch):
    monkeypatch.setattr("napari_synth.ui.docks.masks.actions.random_seed", lambda: 777)
    click(qtbot, masks.seed.dice)
    assert masks.seed.value.value() == 777


def test_masks_of_real_label_maps(masks, session, viewer, finish, tmp_path, monkeypatch):
    np.savez(tmp_path / "maps.npz", labels=np.stack([nuclei((80, 80), seed=s) for s in range(3)]))
    monkeypatch.setattr(QFileDialog, "getOpenFileNames", lambda *_: ([str(tmp_path / "maps.npz")], ""))
    masks.width_box.setValue(96)
    masks.height_box.setValue(64)
    monkeypatch.setattr(QInputDialog, "getInt", lambda *_: (3, False))
    masks.maps.click()
    assert not session.actions(MaskActions).jobs.lane.state.running, "the question was cancelled"
    monkeypatch.setattr(QInputDialog, "getInt", lambda *_: (3, True))
    masks.maps.click()
    finish(session.actions(MaskActions).jobs)
    assert [layer.name for layer in viewer.layers] == ["label map 1", "label map 2", "label map 3"]
    assert all(layer.data.shape == (64, 96) and layer.data.any() for layer in viewer.layers)
    assert len({layer.data.tobytes() for layer in viewer.layers}) == 3
    layer = viewer.layers[-1]
    layer.undo()
    assert not layer.data.any()
    monkeypatch.setattr(QFileDialog, "getOpenFileNames", lambda *_: ([str(tmp_path / "none.npz")], ""))
    masks.maps.click()
    finish(session.actions(MaskActions).jobs)
    assert session.context.notes["masks"].kind == "problem"
