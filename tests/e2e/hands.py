"""What a person does with the mouse."""

from __future__ import annotations

import numpy as np
from qtpy.QtCore import QPoint, Qt
from qtpy.QtWidgets import QApplication

from napari_synth.ui.column.column import Column
from napari_synth.ui.napari_bridge.window import canvas_widget, open_column
from napari_synth.ui.session import session_for

THROTTLE_MS = 8
"""napari tells of moves of the mouse every 5 ms at most."""


def settle(qtbot, viewer):
    """Wait until the canvas has kept its width for a while."""
    widths = []

    def still():
        QApplication.processEvents()
        widths.append(canvas_widget(viewer).width())
        return len(widths) > 5 and len(set(widths[-5:])) == 1

    qtbot.waitUntil(still)


def steps(viewer):
    """The panels of the column's steps: mask, look, export."""
    return list(open_column(viewer).steps.panels.values())


def tab(viewer, key):
    """Open a dock as a tab of the column; its panel."""
    column = open_column(viewer)
    session_for(viewer).context.column.open_tab(key)
    return column.opened[key]


def reveal(widget):
    """Open the step or the tab that a control lies in, as a person does before using it."""
    column = widget
    while column is not None and not isinstance(column, Column):
        column = column.parentWidget()
    if column is None:
        return
    for key, panel in column.steps.panels.items():
        if panel.isAncestorOf(widget):
            column.tabs.setCurrentWidget(column.steps)
            if panel.isHidden():
                column.steps.headers[key].click()
    for panel in column.opened.values():
        if panel.isAncestorOf(widget):
            column.tabs.setCurrentWidget(panel)
    QApplication.processEvents()


def click(qtbot, button):
    reveal(button)
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def idle(qtbot, jobs, timeout=60_000):
    qtbot.waitUntil(lambda: not jobs.lane.state.running, timeout=timeout)


def on_canvas(viewer, layer, position):
    """The place on the canvas of a data position of a layer."""
    world = np.array(layer.data_to_world(position))[-2:]
    native = canvas_widget(viewer)
    centre = np.array([native.height(), native.width()]) / 2
    y, x = (world - np.array(viewer.scene.camera.center)[-2:]) * viewer.scene.camera.zoom + centre
    return QPoint(round(x), round(y))


def click_on_canvas(viewer, qtbot, layer, position):
    """Click with the mouse on a data position of a 2-D layer."""
    native, place = canvas_widget(viewer), on_canvas(viewer, layer, position)
    qtbot.mouseMove(native, place)
    qtbot.mouseClick(native, Qt.MouseButton.LeftButton, pos=place)


def stroke(viewer, qtbot, start, end):
    """Drag the mouse over the canvas from one data position of the selected layer to another; without end, click."""
    native, layer = canvas_widget(viewer), viewer.layers.selection.active
    button, place = Qt.MouseButton.LeftButton, on_canvas(viewer, layer, start)
    qtbot.mouseMove(native, place)
    qtbot.mousePress(native, button, pos=place)
    if end is not None:
        for share in np.linspace(0.2, 1, 5):
            place = on_canvas(viewer, layer, np.add(start, share * np.subtract(end, start)))
            qtbot.mouseMove(native, place)
            qtbot.wait(THROTTLE_MS)
    qtbot.mouseRelease(native, button, pos=place)
