"""napari's window; most of it is seen in `docks.test_plugging_in` and in the tests from end to end."""

from __future__ import annotations

import gc

from napari.components import ViewerModel
from napari.utils._proxies import PublicOnlyProxy
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QDockWidget, QLabel, QMainWindow

from napari_synth.ui.napari_bridge.window import HeightSharer, join_tabs, on_close, open_panel, unwrapped


class Panel(QLabel):
    """Asks for a height of its own."""

    def __init__(self, height=0):
        super().__init__()
        self.setMinimumHeight(height)


def docked(window, panel, side=Qt.DockWidgetArea.RightDockWidgetArea):
    dock = QDockWidget(window)
    dock.setWidget(panel)
    window.addDockWidget(side, dock)
    return dock


def test_the_viewer_itself_is_found_behind_the_proxy_that_napari_hands_out(viewer):
    assert unwrapped(PublicOnlyProxy(viewer)) is viewer
    assert unwrapped(viewer) is viewer


def test_close_is_called_once_when_a_viewer_without_a_window_is_gone(qapp):
    viewer, closed = ViewerModel(), []
    on_close(viewer, lambda: closed.append(True))
    assert closed == []
    del viewer
    gc.collect()
    assert closed == [True]
    qapp.aboutToQuit.emit()
    assert closed == [True]


def test_close_is_called_once_when_the_program_ends(viewer, qapp):
    closed = []
    on_close(viewer, lambda: closed.append(True))
    qapp.aboutToQuit.emit()
    qapp.aboutToQuit.emit()
    assert closed == [True]


def test_without_a_window_no_panel_is_opened(viewer):
    assert open_panel(viewer, "Masks") is None


def test_docks_of_a_kind_on_one_side_become_tabs_and_others_stay(qtbot):
    window = QMainWindow()
    qtbot.addWidget(window)
    one, two, left, label = Panel(), Panel(), Panel(), QLabel()
    first, second = docked(window, one), docked(window, two)
    docked(window, label)
    docked(window, left, Qt.DockWidgetArea.LeftDockWidgetArea)
    join_tabs(two, Panel)
    assert window.tabifiedDockWidgets(second) == [first]
    floating = docked(window, alone := Panel())
    floating.setFloating(True)
    join_tabs(alone, Panel)
    assert window.tabifiedDockWidgets(second) == [first]


def test_heights_are_shared_until_the_user_drags_a_border(qtbot):
    window = QMainWindow()
    qtbot.addWidget(window)
    window.resize(400, 700)
    panels = [Panel(300), Panel(100)]
    docks = [docked(window, panel) for panel in panels]
    HeightSharer(window, docks, panels)
    window.show()
    qtbot.waitUntil(lambda: panels[0].height() > 2 * panels[1].height())
    qtbot.mousePress(window, Qt.MouseButton.LeftButton)
    window.resizeDocks(docks, [300, 400], Qt.Orientation.Vertical)
    window.resize(410, 710)
    qtbot.wait(20)
    assert panels[1].height() > panels[0].height(), "what the user dragged stays"
