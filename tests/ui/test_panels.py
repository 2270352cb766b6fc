from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtGui import QGuiApplication
from qtpy.QtWidgets import (
    QAbstractButton,
    QAbstractSpinBox,
    QComboBox,
    QFileDialog,
    QLineEdit,
    QListWidget,
    QScrollBar,
    QTabBar,
    QTableWidget,
    QWidget,
)
from skimage.measure import regionprops

from napari_synth.core.progress import Progress
from napari_synth.ui.docks.export.actions import ExportActions
from napari_synth.ui.docks.masks.actions import MaskActions
from napari_synth.ui.docks.registry import DOCKS
from napari_synth.ui.docks.synthesize.actions import SynthesizeActions
from tests.ui.conftest import painted

PANELS = tuple(DOCKS)


@pytest.fixture
def masks(session, viewer, qtbot):
    panel = session.panel("masks")
    qtbot.addWidget(panel)
    return panel


@pytest.fixture
def synthesize(session, viewer, qtbot):
    panel = session.panel("synthesize")
    qtbot.addWidget(panel)
    return panel


@pytest.fixture
def export(session, viewer, qtbot):
    panel = session.panel("export")
    qtbot.addWidget(panel)
    return panel


def click(qtbot, button):
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def entries(combo):
    return [combo.itemText(i) for i in range(combo.count())]


def controls(panel: QWidget) -> list[QWidget]:
    kinds = (QAbstractButton, QAbstractSpinBox, QComboBox, QLineEdit, QListWidget)
    inside = (QAbstractSpinBox, QComboBox, QListWidget, QScrollBar, QTabBar, QTableWidget)
    found = [widget for kind in kinds for widget in panel.findChildren(kind)]
    return [widget for widget in found if not isinstance(widget.parent(), inside)]


@pytest.mark.parametrize("key", PANELS)
def test_every_control_has_a_tooltip_and_a_name(key, session, viewer, qtbot):
    panel = session.panel(key)
    qtbot.addWidget(panel)
    found = controls(panel)
    assert len(found) >= 6
    for widget in found:
        assert widget.toolTip(), widget
        assert widget.accessibleName(), widget


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
    masks.form.combo("spacing").setCurrentIndex(masks.form.combo("spacing").findData("apart"))
    masks.form.combo("spacing").activated.emit(masks.form.combo("spacing").currentIndex())
    assert (session.context.field.count_mean, session.context.field.seed, session.context.field.spacing) == (
        6,
        4,
        "apart",
    )
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
    def choose(combo, name):
        combo.setCurrentIndex(combo.findData(name))
        combo.activated.emit(combo.currentIndex())

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
    from napari_synth.masks.presets import preset

    def trigger(text):
        masks._fill_follow()
        action = next(action for action in masks.follow_menu.actions() if text in action.text())
        assert not action.isChecked()
        action.trigger()
        masks._fill_follow()
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


def test_looks_come_from_the_card(synthesize, session):
    names = [synthesize.looks.item(i).data(Qt.ItemDataRole.UserRole) for i in range(synthesize.looks.count())]
    assert names == ["he", "he-dark", "purple", "fluorescence"]
    icons = {synthesize.looks.item(i).icon().pixmap(56, 56).toImage().pixel(28, 28) for i in range(4)}
    assert len(icons) > 1, "thumbnails differ"
    synthesize.looks.setCurrentRow(2)
    assert session.context.look.option == "purple"
    assert "Purple" in synthesize.render_button.text()
    session.context.look.option = "he"
    assert synthesize.looks.chosen == "he"


def test_render_from_the_panel(synthesize, session, fake, viewer, qtbot, finish, monkeypatch):
    monkeypatch.setattr("napari_synth.ui.docks.synthesize.actions.random_seed", lambda: 31)
    viewer.add_labels(painted(), name="mask")
    click(qtbot, synthesize.seed.dice)
    click(qtbot, synthesize.render_button)
    finish(session.actions(SynthesizeActions).jobs)
    assert viewer.layers["mask · he"].metadata["napari_synth"]["seed"] == 31
    assert "12 ms on cpu" in synthesize.foot.status.text.text()
    synthesize.no_noise.setChecked(True)
    assert not synthesize.seed.isEnabled()
    click(qtbot, synthesize.render_button)
    finish(session.actions(SynthesizeActions).jobs)
    assert viewer.layers["mask · he"].metadata["napari_synth"]["seed"] is None


def test_copied_python_makes_the_same_image(synthesize, session, viewer, qtbot, finish):
    viewer.add_labels(painted(), name="mask")
    session.context.look.device, session.context.look.seed = "cpu", 9
    click(qtbot, synthesize.render_button)
    finish(session.actions(SynthesizeActions).jobs)
    click(qtbot, synthesize.copy_python)
    scope = {"viewer": viewer}
    exec(QGuiApplication.clipboard().text(), scope)
    np.testing.assert_array_equal(scope["image"], viewer.layers["mask · he"].data)


def test_problem_shows_sentence_action_and_details(synthesize, session, fake, viewer, qtbot, finish):
    assert synthesize.foot.status.copy.isHidden()
    viewer.add_labels(np.zeros((32, 32), int))
    click(qtbot, synthesize.render_button)
    finish(session.actions(SynthesizeActions).jobs)
    text = synthesize.foot.status.text.text()
    assert text.splitlines() == ["⚠ Problem: The mask is empty.", "Paint or sample at least one nucleus."]
    assert not synthesize.foot.status.copy.isHidden()
    click(qtbot, synthesize.foot.status.copy)
    copied = QGuiApplication.clipboard().text()
    assert "The mask is empty." in copied
    assert "Traceback" in copied


def test_model_file_dialog(synthesize, session, qtbot, monkeypatch, tmp_path):
    path = tmp_path / "model.pt"
    path.write_bytes(b"\x80\x04")
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *a: (str(path), ""))
    offered = synthesize.model.count()
    click(qtbot, synthesize.open)
    assert "pickle" in synthesize.foot.status.text.text()
    assert synthesize.model.count() == offered
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *a: ("", ""))
    before = synthesize.foot.status.text.text()
    click(qtbot, synthesize.open)
    assert synthesize.foot.status.text.text() == before


def test_an_opened_model_is_offered_and_chosen(synthesize, session, tmp_path):
    from napari_synth.models.registry import bundled_paths

    path = tmp_path / "mine.safetensors"
    path.write_bytes(bundled_paths()["optional-pix2pix-nuclei"].read_bytes())
    offered = synthesize.model.count()
    session.actions(SynthesizeActions).open_model(path)
    assert synthesize.model.count() == offered + 1
    assert "mine.safetensors" in synthesize.model.currentText()
    synthesize.model.setCurrentIndex(synthesize.model.findData("optional-pix2pix-nuclei"))
    synthesize.model.activated.emit(synthesize.model.currentIndex())
    assert session.context.look.model == "optional-pix2pix-nuclei"


def test_outline_box_follows_and_sets(synthesize, session, viewer):
    layer = viewer.add_labels(painted())
    synthesize.outline.setChecked(False)
    synthesize.outline.setChecked(True)
    assert layer.contour == 1
    assert session.context.look.outline


def test_plan_and_ticks(export, session, viewer):
    assert export.export_button.text() == "Export 0 pairs"
    viewer.add_labels(painted(), name="first")
    viewer.add_labels(painted(), name="second")
    export.form.controls["variants"].setValue(3)
    assert export.export_button.text() == "Export 24 pairs"
    export.masks.item(0).setCheckState(Qt.CheckState.Unchecked)
    assert export.export_button.text() == "Export 12 pairs"
    export.looks.item(1).setCheckState(Qt.CheckState.Unchecked)
    assert export.export_button.text() == "Export 9 pairs"
    assert session.context.export.options == ("he", "purple", "fluorescence")
    viewer.layers["first"].name = "renamed"
    assert export.masks.item(1).text() == "renamed"
    assert export.masks.item(0).checkState() == Qt.CheckState.Unchecked


def test_a_model_without_looks_offers_none(export, session):
    assert not export.looks.parentWidget().isHidden()
    session.context.choose_model("metgan-brain")
    assert export.looks.parentWidget().isHidden()
    session.context.choose_model("optional-pix2pix-nuclei")
    assert export.looks.count() == 4
    assert not export.looks.parentWidget().isHidden()


@pytest.mark.parametrize("key", PANELS)
def test_the_controls_of_all_rows_begin_at_the_same_place(key, session, viewer, qtbot):
    panel = session.panel(key)
    qtbot.addWidget(panel)
    panel.resize(560, 400)
    panel.show()
    grids = [grid for grid in panel._grids if grid.rowCount() > 1]
    qtbot.waitUntil(lambda: len({grid.cellRect(1, 1).x() for grid in grids}) <= 1)


def test_export_from_the_panel(export, session, fake, viewer, qtbot, finish, monkeypatch, tmp_path):
    viewer.add_labels(painted())
    click(qtbot, export.export_button)
    assert "No folder is chosen" in export.foot.status.text.text()
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *a: str(tmp_path / "out"))
    click(qtbot, export.browse)
    assert export.form.line("folder").text() == str(tmp_path / "out")
    fake.gate.clear()
    click(qtbot, export.export_button)
    assert not export.foot.job.isHidden()
    assert export.foot.job.bar.maximum() == 4
    assert not export.export_button.isEnabled()
    fake.gate.set()
    finish(session.actions(ExportActions).jobs)
    assert export.foot.job.isHidden()
    assert export.export_button.isEnabled()
    assert "4 pairs are in" in export.foot.status.text.text()
    assert len(list(Path(tmp_path / "out" / "images").iterdir())) == 4


def test_typed_folder_counts_without_leaving_the_field(export, session, fake, viewer, qtbot, finish, tmp_path):
    viewer.add_labels(painted())
    qtbot.keyClicks(export.form.line("folder"), str(tmp_path / "typed"))
    click(qtbot, export.export_button)
    finish(session.actions(ExportActions).jobs)
    assert (tmp_path / "typed" / "images").is_dir()


def test_job_bar_counts_and_cancels(export, session, qtbot):
    reported, seen = threading.Event(), []

    def work(on_progress, cancel):
        on_progress(Progress(3, 12, "pair 3 of 12", 1.5))
        reported.set()
        while not cancel.cancelled:
            pass

    lane, job = session.actions(ExportActions).jobs.lane, export.foot.job
    lane.submit("Exporting", work, seen.append, total=12, unit="pairs")
    qtbot.waitUntil(lambda: job.bar.value() == 3)
    assert job.bar.format() == "3 of 12 pairs · 2.0/s"
    assert job.title.text() == "Exporting: pair 3 of 12"
    click(qtbot, job.cancel)
    assert "Stopping" in job.title.text()
    assert not job.cancel.isEnabled()
    qtbot.waitUntil(lambda: bool(seen))
    assert job.isHidden()
    assert job.cancel.isEnabled()


def test_a_closed_panel_does_not_disturb_the_session(session, fake, viewer, finish, qapp):
    from qtpy.QtCore import QEvent

    viewer.add_labels(painted(), name="mask")
    panels = [session.panel(key) for key in PANELS]
    fake.gate.clear()
    session.actions(SynthesizeActions).render()
    for panel in panels:
        panel.deleteLater()
    qapp.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
    with pytest.raises(RuntimeError, match="deleted"):
        panels[0].width()
    fake.gate.set()
    finish(session.actions(SynthesizeActions).jobs)
    assert "mask · he" in viewer.layers
    viewer.layers["mask"].name = "renamed"
    session.context.look.seed = 8
    session.actions(MaskActions).roll_seed()
    viewer.add_image(np.zeros((16, 16)))


def test_a_panel_opened_again_shows_what_was_chosen(session, viewer, qtbot):
    session.context.look.option, session.context.look.seed = "purple", 12
    session.context.export.folder = "/data/out"
    synthesize, export = session.panel("synthesize"), session.panel("export")
    qtbot.addWidget(synthesize)
    qtbot.addWidget(export)
    assert synthesize.looks.chosen == "purple"
    assert synthesize.seed.value.value() == 12
    assert export.form.line("folder").text() == "/data/out"
