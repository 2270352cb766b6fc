from __future__ import annotations

import json

import numpy as np
import pytest
from qtpy.QtCore import QPoint, Qt
from qtpy.QtWidgets import QApplication, QFileDialog

from napari_synth.models.registry import bundled_cards
from napari_synth.nets.capsule_stages import STAGES
from napari_synth.synthesis.architectures.registry import stages_of
from napari_synth.synthesis.latents.sources import Drawn
from napari_synth.ui.context import model_catalogue
from napari_synth.ui.docks.inspect.actions import InspectActions
from napari_synth.ui.docks.inspect.latent_box import with_suffix
from napari_synth.ui.docks.synthesize.actions import SynthesizeActions
from napari_synth.ui.widgets.panel import WIDTH
from tests.ui.conftest import painted
from tests.ui.hands import click, controls
from tests.ui.test_start import run_python

LAYER = "convcaps4"


@pytest.fixture
def panel(panel):
    return panel("inspect")


@pytest.fixture
def ready(panel, session, model_file):
    session.actions(SynthesizeActions).open_model(model_file)
    session.context.look.device = "cpu"
    return panel


def rendered(viewer):
    return viewer.layers["axons · axon-test"].data


@pytest.fixture
def no_bundled_capsules(monkeypatch):
    plain = {name: card for name, card in bundled_cards().items() if not stages_of(card)}
    monkeypatch.setattr(model_catalogue, "bundled_cards", lambda: plain)


def test_without_a_capsule_model_it_says_so_and_one_click_opens_one(
    no_bundled_capsules, panel, session, model_file, qtbot, monkeypatch
):
    assert panel.tabs.isHidden()
    assert "has no capsules" in panel.advice_text.text()
    assert panel.use_model.isHidden()
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *a: (str(model_file), ""))
    click(qtbot, panel.open_model)
    assert panel.advice.isHidden()
    assert not panel.tabs.isHidden()
    session.context.choose_model("optional-pix2pix-nuclei")
    assert "axon-test" in panel.use_model.text()
    click(qtbot, panel.use_model)
    assert session.context.look.model == str(model_file)


def test_every_control_of_both_tabs_has_a_name_and_a_tooltip(ready):
    found = controls(ready)
    assert len(found) > 25
    for widget in [*found, ready.ranks.table, ready.latents.pad, ready.changes.factor]:
        assert widget.toolTip(), widget
        assert widget.accessibleName(), widget


def test_the_map_shows_the_network_and_is_used_by_keyboard(ready, session, viewer, qtbot):
    boxes = ready.map.boxes
    assert list(boxes) == [stage.name for stage in STAGES]
    assert boxes["convcaps5"].text() == "convcaps5\n8 × 64"
    assert boxes[LAYER].isChecked()
    viewer.add_labels(painted(), name="axons")
    assert "8 capsules of 64 channels, 8 by 6" in boxes["convcaps5"].accessibleName()
    assert boxes["convcaps5"].focusPolicy() & Qt.FocusPolicy.TabFocus
    qtbot.keyClick(boxes["convcaps5"], Qt.Key.Key_Space)
    assert session.actions(InspectActions).choices.layer == "convcaps5"
    assert ready.changes.channel.maximum() == 63
    ready.changes.channel.setValue(60)
    click(qtbot, boxes["conv1"])
    assert session.actions(InspectActions).choices.unit == ("conv1", 0, 15)
    assert not ready.views["routing"].isEnabled(), "a plain convolution routes nothing"


def test_rank_switch_off_and_reset_from_the_panel(ready, session, viewer, qtbot, finish):
    mask = viewer.add_labels(painted(), name="axons")
    mask.selected_label = 1
    click(qtbot, ready.map.boxes["convcaps10"])
    click(qtbot, ready.ranks.label)
    finish(session.actions(InspectActions).ranking.jobs)
    table = ready.ranks.table
    assert table.rowCount() == 17
    assert table.item(0, 0).text() == "axon-like"
    auc = [float(table.item(line, 3).text()) for line in range(17)]
    assert auc == sorted(auc, reverse=True)
    session.actions(InspectActions).refresh()
    finish(session.actions(InspectActions).jobs)
    before = rendered(viewer).copy()

    table.selectRow(0)
    _, capsule, channel = table.unit(0)
    assert ready.changes.capsule.value() == capsule
    assert ready.changes.channel.value() == (-1 if channel is None else channel)
    click(qtbot, ready.changes.off)
    finish(session.actions(InspectActions).jobs)
    assert (rendered(viewer) != before).any()
    assert "off" in ready.changes.active.item(0).text()
    assert ready.changes.factor_box.value() == 0
    ready.changes.factor.setValue(150)
    finish(session.actions(InspectActions).jobs)
    assert "× 1.5" in ready.changes.active.item(0).text()
    ready.changes.value.setValue(0.5)
    click(qtbot, ready.changes.set_button)
    finish(session.actions(InspectActions).jobs)
    assert "set to 0.5" in ready.changes.active.item(0).text()
    click(qtbot, ready.changes.reset_all)
    finish(session.actions(InspectActions).jobs)
    np.testing.assert_array_equal(rendered(viewer), before)
    assert ready.changes.active.item(0).text() == "Nothing is changed."
    assert not ready.changes.reset_all.isEnabled()


def test_the_panel_is_comfortable_in_the_column(ready, session, viewer, qtbot, finish):
    viewer.add_labels(painted(), name="axons").selected_label = 1
    inspecting = session.actions(InspectActions)
    ready.resize(WIDTH - 4, 700)
    ready.show()
    qtbot.waitExposed(ready)
    assert ready.minimumSizeHint().width() <= WIDTH - 4
    table = ready.ranks.table
    for everywhere in (False, True):
        ready.ranks.everywhere.setChecked(everywhere)
        inspecting.ranking.rank_label()
        finish(inspecting.ranking.jobs)
        for tab in (ready.latents, ready.capsules):
            ready.tabs.setCurrentWidget(tab)
            QApplication.processEvents()
            for control in controls(tab):
                if control.isVisible():
                    right = control.mapTo(ready, control.rect().topRight()).x()
                    assert right <= ready.width() - 6, control.accessibleName()
        assert table.isColumnHidden(1) is not everywhere, "a layer is named where there are several"
        widths = {table.horizontalHeaderItem(column).text(): table.columnWidth(column) for column in range(4)}
        assert sum(widths.values()) <= table.viewport().width() + 1
        words = [table.item(line, 0).text() for line in range(table.rowCount())]
        metrics = table.fontMetrics()
        assert widths["Answers"] > max(metrics.horizontalAdvance(text) for text in {*words} - {"background-like"})
        lines = [table.rowHeight(line) for line in range(table.rowCount())]
        assert max(lines) < 2 * metrics.lineSpacing(), "one line each"


def test_delete_takes_the_selected_change_back(ready, session, viewer, qtbot, finish):
    viewer.add_labels(painted(), name="axons")
    click(qtbot, ready.changes.off)
    finish(session.actions(InspectActions).jobs)
    ready.changes.active.setCurrentRow(0)
    qtbot.keyClick(ready.changes.active, Qt.Key.Key_Delete)
    finish(session.actions(InspectActions).jobs)
    assert session.actions(InspectActions).active_changes == ()


def test_a_row_opens_the_activation(ready, session, viewer, finish):
    viewer.add_labels(painted(), name="axons")
    ready.ranks.everywhere.setChecked(True)
    session.actions(InspectActions).ranking.rank_label()
    finish(session.actions(InspectActions).ranking.jobs)
    table = ready.ranks.table
    line = next(i for i in range(table.rowCount()) if table.unit(i)[2] is not None)
    layer, capsule, channel = table.unit(line)
    table.itemDoubleClicked.emit(table.item(line, 1))
    finish(session.actions(InspectActions).jobs)
    assert f"axons · {layer} capsules" in viewer.layers
    assert ready.map.boxes[layer].isChecked()
    assert tuple(viewer.dims.point[:2]) == (capsule, channel)


def test_waiting_for_a_click_is_shown_and_ends_with_the_panel(ready, session, qtbot, viewer):
    click(qtbot, ready.ranks.pick)
    assert session.actions(InspectActions).ranking.picker.waiting
    assert ready.ranks.pick.text() == "Point, then click…"
    click(qtbot, ready.ranks.pick)
    assert not session.actions(InspectActions).ranking.picker.waiting


def test_pointing_and_pressing_the_key_ranks(ready, session, viewer, finish):
    mask = viewer.add_labels(painted(), name="axons")
    viewer.cursor.position = tuple(mask.data_to_world((20, 20)))
    session.actions(InspectActions).rank_under_cursor()
    finish(session.actions(InspectActions).ranking.jobs)
    assert ready.ranks.table.rowCount() > 0


def test_the_pad_follows_mouse_and_arrow_keys(ready, session, viewer, qtbot, finish):
    viewer.add_labels(painted(), name="axons")
    pad = ready.latents.pad
    pad.resize(220, 220)
    qtbot.mouseClick(pad, Qt.MouseButton.LeftButton, pos=QPoint(110, 110))
    assert (pad.u, pad.v) == pytest.approx((0.5, 0.5), abs=0.01)
    finish(session.actions(InspectActions).jobs)
    first = rendered(viewer).copy()
    qtbot.keyClick(pad, Qt.Key.Key_Right)
    assert pad.u == pytest.approx(0.55, abs=0.01)
    finish(session.actions(InspectActions).jobs)
    assert (rendered(viewer) != first).any()
    assert session.actions(InspectActions).walks.choices.u == pytest.approx(0.55, abs=0.01)


def test_corners_walk_and_save_from_the_panel(ready, session, viewer, qtbot, finish, monkeypatch, tmp_path):
    viewer.add_labels(painted(), name="axons")
    latents = ready.latents
    latents.corners["b"].seed.value.setValue(9)
    assert session.actions(InspectActions).walks.choices.b == Drawn(9)
    session.context.look.seed = 21
    click(qtbot, latents.corners["a"].pin)
    assert latents.corners["a"].seed.value.value() == 21
    session.context.look.noise = False
    click(qtbot, latents.corners["c"].pin)
    assert "no noise" in latents.corners["c"].pinned.text()
    assert latents.corners["c"].seed.isHidden()
    click(qtbot, latents.corners["c"].unpin)
    assert session.actions(InspectActions).walks.choices.c == Drawn(3)
    latents.steps.setValue(3)
    latents.with_capsules.setChecked(False)
    click(qtbot, latents.walk)
    assert not latents.bar.isHidden()
    finish(session.actions(InspectActions).walks.jobs)
    assert latents.bar.isHidden()
    assert viewer.layers["axons · walk"].data.shape[0] == 3
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *a: (str(tmp_path / "walk"), "TIFF stack (*.tif)"))
    click(qtbot, latents.save)
    finish(session.actions(InspectActions).walks.jobs)
    assert (tmp_path / "walk.tif").is_file()


def test_suffix_of_the_chosen_kind():
    assert with_suffix("/data.v2/walk", "GIF (*.gif)") == "/data.v2/walk.gif"
    assert with_suffix("/data/walk.mp4", "GIF (*.gif)") == "/data/walk.mp4"


MAP_WITHOUT_TORCH = """
import json, sys
from qtpy.QtWidgets import QApplication
app = QApplication([])
from napari.components import ViewerModel
from napari_synth.ui.session import session_for
viewer = ViewerModel()
session = session_for(viewer)
session.context.open_model(PATH)
panel = session.panel("inspect")
app.processEvents()
print(json.dumps({"boxes": len(panel.map.boxes), "torch": "torch" in sys.modules}))
"""


@pytest.mark.slow
def test_the_map_opens_without_torch(model_file, tmp_path):
    found = run_python(MAP_WITHOUT_TORCH.replace("PATH", json.dumps(str(model_file))), tmp_path)
    assert found == {"boxes": 13, "torch": False}
