"""What holds for every dock."""

from __future__ import annotations

import numpy as np
import pytest
from qtpy.QtCore import QEvent, Qt
from qtpy.QtWidgets import QApplication, QGridLayout, QMenu, QTabWidget

from napari_synth.ui.docks.masks.actions import MaskActions
from napari_synth.ui.docks.registry import DOCKS
from napari_synth.ui.docks.synthesize.actions import SynthesizeActions
from napari_synth.ui.widgets.panel import WIDTH
from tests.ui.conftest import painted
from tests.ui.hands import controls

PANELS = tuple(DOCKS)
DIRECT = Qt.FindChildOption.FindDirectChildrenOnly


@pytest.mark.parametrize("key", PANELS)
def test_every_control_has_a_tooltip_a_name_and_a_place_in_the_tab_order(key, panel):
    panel = panel(key)
    found = controls(panel)
    assert len(found) >= 6
    for widget in found:
        assert widget.toolTip(), widget
        assert widget.accessibleName(), widget
        assert widget.focusPolicy() & Qt.FocusPolicy.TabFocus, widget.accessibleName()


@pytest.mark.parametrize("key", PANELS)
def test_the_controls_of_all_rows_begin_at_the_same_place(key, panel, qtbot):
    panel = panel(key)
    panel.resize(WIDTH, 400)
    panel.show()
    grids = panel.body.findChildren(QGridLayout, options=DIRECT)
    firsts = [item for grid in grids if (item := grid.itemAtPosition(1, 1)) is not None]
    qtbot.waitUntil(lambda: len({item.geometry().x() for item in firsts}) <= 1)


def test_a_closed_panel_does_not_disturb_the_session(session, fake, viewer, finish, qapp):
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
    session.actions(MaskActions).roll()
    viewer.add_image(np.zeros((16, 16)))


def test_a_panel_opened_again_shows_what_was_chosen(session, panel):
    session.context.look.option, session.context.look.seed = "purple", 12
    session.context.export.folder = "/data/out"
    synthesize, export = panel("synthesize"), panel("export")
    assert synthesize.looks.chosen == "purple"
    assert synthesize.seed.value.value() == 12
    assert export.form.line("folder").text() == "/data/out"


@pytest.mark.parametrize("key", DOCKS)
def test_no_menu_lies_open_in_a_panel(key, panel, qtbot):
    shown = panel(key)
    shown.resize(WIDTH, 700)
    shown.show()
    for tabs in shown.findChildren(QTabWidget):
        for place in range(tabs.count()):
            tabs.setCurrentIndex(place)
            QApplication.processEvents()
            assert not [menu for menu in shown.findChildren(QMenu) if menu.isVisible()]
    assert not [menu for menu in shown.findChildren(QMenu) if menu.isVisible()]
