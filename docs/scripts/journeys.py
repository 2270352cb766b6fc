"""A person's ways through the window, from the first start to files, with a picture after each step.

On a machine without a screen: xvfb-run -a -s "-screen 0 1600x1000x24" python docs/scripts/journeys.py [NAME...]

Without names, all of them are gone, and the pictures of the documentation are taken. The environment variables
``JOURNEY_SIZE`` (``1280x800``), ``JOURNEY_THEME`` (``dark``) and ``JOURNEY_PICTURES`` (a folder) take others.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from qtpy.QtWidgets import QWidget

    from napari_synth.ui.jobs.delivery import Jobs

PICTURES = Path(__file__).parents[1] / "pictures"
PATIENCE = 120.0
LAPTOP = (1280, 800)


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

    Attributes
    ----------
    clicks : int
        Presses of a mouse button so far.
    """

    def __init__(self, viewer: Any, pictures: Path | None = None, size: tuple[int, int] = LAPTOP, theme: str = "dark"):
        from napari_synth.ui.napari_bridge.window import main_window, open_column
        from napari_synth.ui.session import session_for

        self.viewer, self._pictures = viewer, pictures
        self.clicks = 0
        viewer.theme = theme
        main_window(viewer).resize(*size)
        self.column: Any = open_column(viewer)
        self.session = session_for(viewer)
        self.look_around()

    def look_around(self, seconds: float = 0.3) -> None:
        """Let the window draw."""
        from qtpy.QtWidgets import QApplication

        end = time.monotonic() + seconds
        while time.monotonic() < end:
            QApplication.processEvents()
            time.sleep(0.01)

    def wait(self, *running: Jobs) -> None:
        """Wait until these jobs are done."""
        from qtpy.QtWidgets import QApplication

        end = time.monotonic() + PATIENCE
        while any(jobs.lane.state.running for jobs in running):
            if time.monotonic() > end:
                raise TimeoutError("A job did not end.")
            QApplication.processEvents()
            time.sleep(0.005)
        self.look_around()

    def click(self, widget: QWidget) -> None:
        """Click on a control that is to be seen."""
        from qtpy.QtCore import Qt
        from qtpy.QtTest import QTest

        if widget.visibleRegion().isEmpty() or not widget.isEnabled():
            raise AssertionError(f"{widget.accessibleName()!r} cannot be clicked on.")
        QTest.mouseClick(widget, Qt.MouseButton.LeftButton)
        self.clicks += 1
        self.look_around()

    def stroke(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        """Draw on the canvas from one place of the selected layer to another, with the button held."""
        import numpy as np
        from qtpy.QtCore import QPoint, Qt
        from qtpy.QtTest import QTest

        from napari_synth.ui.napari_bridge.window import canvas_widget

        layer, canvas, camera = (
            self.viewer.layers.selection.active,
            canvas_widget(self.viewer),
            self.viewer.scene.camera,
        )

        def place(position: Any) -> QPoint:
            world = np.array(layer.data_to_world(position))[-2:] - np.array(camera.center)[-2:]
            y, x = world * camera.zoom + np.array([canvas.height(), canvas.width()]) / 2
            return QPoint(round(x), round(y))

        QTest.mouseMove(canvas, place(start))
        QTest.mousePress(canvas, Qt.MouseButton.LeftButton, pos=place(start))
        for share in np.linspace(0.1, 1, 10):
            QTest.mouseMove(canvas, place(np.add(start, share * np.subtract(end, start))))
            self.look_around(0.02)
        QTest.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=place(end))
        self.clicks += 1
        self.look_around()

    def drop(self, path: Path) -> None:
        """Drag a file or a folder on the window."""
        self.viewer.window._qt_viewer._qt_open([str(path)], stack=False)
        self.look_around()

    def picture(self, name: str) -> None:
        """Take a picture of the whole window."""
        self.look_around()
        if self._pictures is not None:
            self.viewer.screenshot(str(self._pictures / f"{name}.png"), canvas_only=False, flash=False)


def first_start(person: Person, folder: Path) -> list[Path]:
    """From the first start to four exported pairs; the pairs."""
    from napari_synth.ui.docks.export.actions import ExportActions
    from napari_synth.ui.docks.synthesize.actions import SynthesizeActions

    session, column = person.session, person.column
    person.wait(session.actions(SynthesizeActions).jobs)
    person.picture("first_start")
    person.click(column.tour.skip)
    person.click(column.steps.headers["export"])
    session.context.export.folder = str(folder / "pairs")  # a dialog of the system
    person.clicks += 2
    person.picture("first_export")
    person.click(column.steps.panels["export"].export_button)
    person.wait(session.actions(ExportActions).jobs)
    person.picture("first_exported")
    return sorted((folder / "pairs" / "images").iterdir())


def dropped_export(person: Person, exported: Path) -> None:
    """An exported image dropped on the window: the mask and every choice come back."""
    from napari.layers import Labels

    from napari_synth.ui.docks.synthesize.actions import SynthesizeActions

    person.drop(exported)
    end = time.monotonic() + PATIENCE
    while not any(isinstance(layer, Labels) for layer in person.viewer.layers) and time.monotonic() < end:
        person.look_around()
    person.wait(person.session.actions(SynthesizeActions).jobs)
    person.click(person.column.steps.headers["synthesize"])
    person.picture("dropped")


def capsule_off(person: Person, folder: Path) -> Path:
    """Axons of a capsule network: one capsule off, a walk saved; the file of the walk."""
    import numpy as np
    from qtpy.QtWidgets import QFileDialog

    from napari_synth.ui.docks.inspect.actions import InspectActions
    from napari_synth.ui.napari_bridge.window import PLUGIN

    session, inspecting = person.session, person.session.actions(InspectActions)
    person.viewer.open_sample(PLUGIN, "axons_256")
    person.click(person.column.more)
    next(action for action in person.column.menu.actions() if action.data() == "inspect").trigger()
    person.column.menu.close()
    person.clicks += 1
    panel = person.column.opened["inspect"]
    person.look_around()
    if panel.use_model.isVisible():
        person.click(panel.use_model)
    mask = session.context.masks.current
    rows, columns = np.nonzero(mask.data)
    middle = len(rows) // 2
    person.click(panel.ranks.pick)
    inspecting.ranking.picker.stop()
    inspecting.ranking.rank_at(tuple(mask.data_to_world((rows[middle], columns[middle]))))
    person.clicks += 1
    person.wait(inspecting.ranking.jobs)
    panel.ranks.table.selectRow(0)
    person.clicks += 1
    person.click(panel.changes.off)
    person.wait(inspecting.jobs)
    person.picture("capsule_off")
    panel.tabs.setCurrentWidget(panel.latents)
    person.clicks += 1
    person.click(panel.latents.walk)
    person.wait(inspecting.walks.jobs)
    walk = folder / "walk.tif"
    asked, QFileDialog.getSaveFileName = QFileDialog.getSaveFileName, lambda *a, **k: (str(walk), "")
    try:
        person.click(panel.latents.save)
    finally:
        QFileDialog.getSaveFileName = asked
    person.wait(inspecting.walks.jobs)
    person.picture("walk_saved")
    return walk


def lesion(person: Person) -> None:
    """A lesion painted into a brain: the signal over the real anatomy follows."""
    from napari_synth.ui.docks.synthesize.actions import SynthesizeActions
    from napari_synth.ui.napari_bridge.window import PLUGIN

    session, synthesize = person.session, person.session.actions(SynthesizeActions)
    person.viewer.open_sample(PLUGIN, "brain_256")
    person.look_around()
    person.wait(synthesize.jobs)
    mask = session.context.masks.current
    person.viewer.layers.selection.active = mask
    person.viewer.fit_to_view()
    person.picture("brain")
    mask.mode, mask.brush_size = "paint", 12
    mask.selected_label = int(mask.data.max()) + 1
    person.stroke((150, 90), (156, 100))
    session.actions(SynthesizeActions).render()
    person.clicks += 1
    person.wait(synthesize.jobs)
    person.picture("lesion")


def png_of(mask: Path, folder: Path) -> Path:
    """The mask in a file as a PNG, such as other programs write."""
    import imageio.v3 as iio

    from napari_synth.datasets.image_files import read_labels

    path = folder / "cells.png"
    iio.imwrite(path, read_labels(mask).astype("uint8"))
    return path


def own_mask(person: Person, path: Path) -> None:
    """A mask in a PNG dropped on the window, taken as a mask, and its image."""
    from qtpy.QtWidgets import QPushButton

    from napari_synth.ui.docks.masks.actions import MaskActions
    from napari_synth.ui.docks.synthesize.actions import SynthesizeActions

    session, column = person.session, person.column
    person.drop(path)
    person.look_around(1.0)
    panel = column.steps.panels["masks"]
    offers = [button for button in panel.data.findChildren(QPushButton) if path.stem in button.accessibleName()]
    person.picture("own_mask_offered")
    person.click(offers[0])
    person.wait(session.actions(MaskActions).jobs)
    person.click(column.steps.headers["synthesize"])
    look = column.steps.panels["synthesize"]
    person.click(look.render_button)
    person.wait(session.actions(SynthesizeActions).jobs)
    person.picture("own_mask")


def main(names: list[str]) -> None:
    """Go the ways of these names, each in a new window."""
    from napari_synth.ui.app import open_window

    folder = Path(tempfile.mkdtemp())
    pairs: list[Path] = []
    width, _, height = os.environ.get("JOURNEY_SIZE", "1280x800").partition("x")
    pictures = Path(os.environ.get("JOURNEY_PICTURES", PICTURES))
    theme = os.environ.get("JOURNEY_THEME", "dark")
    pictures.mkdir(parents=True, exist_ok=True)

    def start(sample: bool = False) -> Person:
        return Person(open_window(sample, render_first=sample), pictures, (int(width), int(height)), theme)

    def go_first() -> None:
        person = start(sample=True)
        pairs.extend(first_start(person, folder))
        print(f"first_start: {person.clicks} clicks to {len(pairs)} pairs")
        person.viewer.close()

    def go_dropped() -> None:
        if not pairs:
            go_first()
        person = start()
        dropped_export(person, pairs[0])
        person.viewer.close()

    def go_capsule() -> None:
        person = start()
        print(f"capsule_off: {capsule_off(person, folder)}")
        person.viewer.close()

    def go_lesion() -> None:
        person = start()
        lesion(person)
        print(f"lesion: {person.clicks} clicks")
        person.viewer.close()

    def go_own_mask() -> None:
        from napari_synth.ui.samples import sample_folder

        person = start()
        own_mask(person, png_of(sample_folder() / "nuclei_256.tif", folder))
        print(f"own_mask: {person.clicks} clicks")
        person.viewer.close()

    ways: dict[str, Callable[[], None]] = {
        "first_start": go_first,
        "dropped_export": go_dropped,
        "capsule_off": go_capsule,
        "lesion": go_lesion,
        "own_mask": go_own_mask,
    }
    for name in names or list(ways):
        ways[name]()


if __name__ == "__main__":
    os.environ["NAPARI_SYNTH_SETTINGS"] = str(Path(tempfile.mkdtemp()) / "settings.json")
    os.environ["NAPARI_SYNTH_STATE"] = tempfile.mkdtemp()
    main(sys.argv[1:])
