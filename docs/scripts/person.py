"""Somebody in front of a window: what the journeys of the documentation are gone with."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from captions import captions_in, keep_captions  # a module beside this script

if TYPE_CHECKING:
    from qtpy.QtCore import QPoint
    from qtpy.QtWidgets import QSpinBox, QWidget

    from napari_synth.ui.jobs.delivery import Jobs

PATIENCE = 400.0
"""So long somebody waits for what is computed, on a slow machine too, in seconds."""
A_MOMENT = 10.0
"""So long somebody waits for a control to be seen before giving up, in seconds."""
LAPTOP = (1280, 800)
MENU_MS = 200


class Person:
    """Somebody in front of a window, who clicks only what is to be seen.

    Parameters
    ----------
    viewer : Viewer
    pictures : Path or None
        Where pictures of the window go; None: nobody takes any.
    size : (int, int)
        Of the window.
    theme : str
    wanted : collection of str, optional
        Names of the pictures to take; all of them when not given.

    Attributes
    ----------
    clicks : int
        Presses of a mouse button so far.
    """

    def __init__(
        self,
        viewer: Any,
        pictures: Path | None = None,
        size: tuple[int, int] = LAPTOP,
        theme: str = "dark",
        wanted: Collection[str] | None = None,
    ):
        from napari_synth.ui.napari_bridge.window import main_window, open_column
        from napari_synth.ui.session import session_for

        self.viewer, self._pictures, self._wanted = viewer, pictures, wanted
        self.clicks = 0
        viewer.theme = theme
        main_window(viewer).resize(*size)
        self.column: Any = open_column(viewer)
        self.session = session_for(viewer)
        self.look_around()

    # ---- waiting

    def look_around(self, seconds: float = 0.3) -> None:
        """Let the window draw."""
        from qtpy.QtWidgets import QApplication

        end = time.monotonic() + seconds
        while time.monotonic() < end:
            QApplication.processEvents()
            time.sleep(0.01)

    def wait(self, *running: Jobs, seconds: float = PATIENCE) -> None:
        """Wait until these jobs are done."""
        self.wait_until(lambda: not any(jobs.lane.state.running for jobs in running), seconds)
        self.look_around()

    def wait_until(self, done: Any, seconds: float = PATIENCE) -> None:
        """Wait until something is true."""
        from qtpy.QtWidgets import QApplication

        end = time.monotonic() + seconds
        while not done():
            if time.monotonic() > end:
                raise TimeoutError("Something was waited for in vain.")
            QApplication.processEvents()
            time.sleep(0.005)

    # ---- hands

    def click(self, widget: QWidget) -> None:
        """Click on a control that is to be seen."""
        from qtpy.QtCore import Qt
        from qtpy.QtTest import QTest

        try:
            self.wait_until(lambda: not widget.visibleRegion().isEmpty() and widget.isEnabled(), A_MOMENT)
        except TimeoutError:
            raise AssertionError(f"{widget.accessibleName()!r} cannot be clicked on.") from None
        QTest.mouseClick(widget, Qt.MouseButton.LeftButton, pos=_where_to_press(widget))
        self.clicks += 1
        self.look_around()

    def skip_tour(self) -> None:
        """Skip the tour, which comes at the first start only."""
        if self.column.tour.isVisible():
            self.click(self.column.tour.skip)

    def tick(self, view: Any, item: Any, on: bool) -> None:
        """Tick an entry of a list or a table, or take the tick away, with the space bar."""
        from qtpy.QtCore import Qt
        from qtpy.QtTest import QTest

        if (item.checkState() == Qt.CheckState.Checked) == on:
            return
        view.scrollToItem(item)
        view.setCurrentItem(item)
        QTest.keyClick(view, Qt.Key.Key_Space)
        self.clicks += 1
        self.look_around()

    def type_number(self, box: QSpinBox, number: int) -> None:
        """Type a number into a box that is to be seen."""
        from qtpy.QtCore import Qt
        from qtpy.QtTest import QTest

        self.click(box)
        box.selectAll()
        QTest.keyClicks(box, str(number))
        QTest.keyClick(box, Qt.Key.Key_Return)
        self.look_around()

    @contextmanager
    def answering(self, path: Path) -> Iterator[None]:
        """Answer the system's dialogs for a file or a folder with this; that is a click too."""
        from qtpy.QtWidgets import QFileDialog

        names = ("getExistingDirectory", "getOpenFileName", "getSaveFileName")
        asked = {name: getattr(QFileDialog, name) for name in names}
        QFileDialog.getExistingDirectory = lambda *a, **k: str(path)
        QFileDialog.getOpenFileName = QFileDialog.getSaveFileName = lambda *a, **k: (str(path), "")
        try:
            yield
        finally:
            for name, function in asked.items():
                setattr(QFileDialog, name, function)
        self.clicks += 1

    def open_tab(self, key: str) -> Any:
        """Open a dock from the menu *More* of the column; its panel."""
        from qtpy.QtCore import QTimer

        menu = self.column.menu

        def choose() -> None:
            """While the menu is open, which keeps the click waiting."""
            next(action for action in menu.actions() if action.data() == key).trigger()
            menu.close()

        QTimer.singleShot(MENU_MS, choose)
        self.click(self.column.more)
        self.clicks += 1
        self.look_around()
        return self.column.opened[key]

    def drop(self, path: Path) -> None:
        """Drag a file or a folder on the window."""
        self.viewer.window._qt_viewer._qt_open([str(path)], stack=False)
        self.look_around()

    # ---- the canvas

    def point(self, layer: Any, position: tuple[float, float]) -> None:
        """Move the mouse over a place of a layer."""
        from qtpy.QtTest import QTest

        from napari_synth.ui.napari_bridge.window import canvas_widget

        for step in (3, 0):
            QTest.mouseMove(canvas_widget(self.viewer), self.place(layer, (position[0] + step, position[1])))
            self.look_around()

    def click_on_canvas(self, layer: Any, position: tuple[float, float]) -> None:
        """Click on a place of a layer."""
        from qtpy.QtCore import Qt
        from qtpy.QtTest import QTest

        from napari_synth.ui.napari_bridge.window import canvas_widget

        canvas, place = canvas_widget(self.viewer), self.place(layer, position)
        QTest.mouseMove(canvas, place)
        QTest.mouseClick(canvas, Qt.MouseButton.LeftButton, pos=place)
        self.clicks += 1
        self.look_around()

    def stroke(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        """Draw on the canvas from one place of the selected layer to another, with the button held."""
        import numpy as np
        from qtpy.QtCore import Qt
        from qtpy.QtTest import QTest

        from napari_synth.ui.napari_bridge.window import canvas_widget

        layer, canvas = self.viewer.layers.selection.active, canvas_widget(self.viewer)
        QTest.mouseMove(canvas, self.place(layer, start))
        QTest.mousePress(canvas, Qt.MouseButton.LeftButton, pos=self.place(layer, start))
        for share in np.linspace(0.1, 1, 10):
            QTest.mouseMove(canvas, self.place(layer, np.add(start, share * np.subtract(end, start))))
            self.look_around(0.02)
        QTest.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=self.place(layer, end))
        self.clicks += 1
        self.look_around()

    def place(self, layer: Any, position: Any) -> QPoint:
        """Where on the canvas a place of a layer is."""
        import numpy as np
        from qtpy.QtCore import QPoint

        from napari_synth.ui.napari_bridge.window import canvas_widget

        canvas, camera = canvas_widget(self.viewer), self.viewer.scene.camera
        world = np.array(layer.data_to_world(position))[-2:] - np.array(camera.center)[-2:]
        y, x = world * camera.zoom + np.array([canvas.height(), canvas.width()]) / 2
        return QPoint(round(x), round(y))

    # ---- pictures

    def picture(self, name: str) -> None:
        """Take a picture of the whole window."""
        from napari_synth.ui.napari_bridge.window import main_window

        self.look_around()
        if self._pictures is not None and (self._wanted is None or name in self._wanted):
            path = self._pictures / f"{name}.png"
            self.viewer.screenshot(str(path), canvas_only=False, flash=False)
            keep_captions(path, captions_in(main_window(self.viewer)))


def _where_to_press(widget: QWidget) -> QPoint:
    """The middle of a control, but the box of a check box."""
    from qtpy.QtCore import QPoint
    from qtpy.QtWidgets import QCheckBox

    return QPoint(8, widget.height() // 2) if isinstance(widget, QCheckBox) else widget.rect().center()
