"""How long the window does not answer at a click: ``xvfb-run -a python -m benchmarks.clicks``.

Each thing is done twice, for the first time may load modules and models, and let come to its end. Then a training of
"My look" runs in its own process while the window is left alone.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

from benchmarks.gaps import labels_for, rest_until, size_canvas
from benchmarks.heartbeat import Gap, HeartBeat, table_head, table_row
from napari_synth.models.defaults import DEFAULT_CAPSULES, DEFAULT_GENERATOR
from napari_synth.ui.docks.export.actions import ExportActions
from napari_synth.ui.docks.inspect.actions import InspectActions
from napari_synth.ui.docks.masks.actions import MaskActions
from napari_synth.ui.docks.synthesize.actions import SynthesizeActions
from napari_synth.ui.docks.train.actions import TrainActions
from napari_synth.ui.napari_bridge.preferences import Preferences
from napari_synth.ui.napari_bridge.window import open_column
from napari_synth.ui.session import Session

SIDE = 512
REST_MS = 400
TRAINED_MS = 30_000
PAIRS = 4


class Clicks:
    """A window, and what is clicked in it.

    Parameters
    ----------
    viewer : Viewer
    folder : Path
        For files.
    """

    def __init__(self, viewer: Any, folder: Path):
        self.session = Session(viewer, preferences=lambda: Preferences(budget_ms=60_000))
        self.context, self.folder = self.session.context, folder
        self.context.column.tour = -1
        open_column(viewer)
        self.context.look.device = "cpu"
        self.context.choose_model(DEFAULT_GENERATOR)
        self.masks, self.look = self.session.actions(MaskActions), self.session.actions(SynthesizeActions)
        self.mask_file = folder / "mask.tif"
        tifffile.imwrite(self.mask_file, labels_for(DEFAULT_GENERATOR, SIDE).astype(np.uint16))
        size_canvas(viewer)

    def all(self) -> Iterator[tuple[str, Callable[[], object]]]:
        """What is clicked, one after the other."""
        column, context = self.context.column, self.context
        yield "Mask opens", lambda: column.open_section("masks")
        yield f"sample a field of {SIDE}²", lambda: self.masks.sample(SIDE, SIDE)
        yield f"open a mask of {SIDE}²", lambda: self.masks.opening.open([self.mask_file])
        yield "Look opens, with thumbnails", lambda: column.open_section("synthesize")
        yield "render", self.look.render
        yield "dice", self.look.roll_seed
        yield "dice of the style", self.look.roll_style
        yield "Nuclei opens", lambda: column.open_tab("nuclei")
        yield "Compare opens", lambda: column.open_tab("compare")
        yield "Is it helping? opens", lambda: column.open_tab("evaluate")
        yield "My look opens", lambda: column.open_tab("train")
        yield "another model", lambda: context.choose_model(DEFAULT_CAPSULES)
        yield "render axons", self.look.render
        yield "Inspect opens", lambda: column.open_tab("inspect")
        yield "capsules as layers", lambda: self.session.actions(InspectActions).show("lengths")
        yield "the first model", lambda: context.choose_model(DEFAULT_GENERATOR)
        yield "Export opens", lambda: column.open_section("export")
        yield "export", self.export

    def export(self) -> None:
        """Into a folder of its own each time."""
        choices = self.context.export
        choices.folder, choices.variants = tempfile.mkdtemp(dir=self.folder), 1
        self.session.actions(ExportActions).export()

    def rest(self) -> None:
        """Wait until nothing runs."""
        QTest.qWait(REST_MS)
        rest_until(
            lambda: (
                not self.look.thumbnails.busy
                and not any(dock.jobs.lane.state.running for dock in self.session.docks.values())
            )
        )

    def begin_training(self) -> None:
        """Of a few pairs that the model itself made, for minutes."""
        from napari_synth import api

        data, generator = self.folder / "pairs", api.load_model(DEFAULT_GENERATOR, "cpu")
        for name in ("images", "masks"):
            (data / name).mkdir(parents=True)
        labels = labels_for(DEFAULT_GENERATOR, 256)
        for number in range(PAIRS):
            moved = np.roll(labels, 40 * number, 0).astype(np.uint16)
            tifffile.imwrite(data / "masks" / f"{number}.tif", moved)
            tifffile.imwrite(data / "images" / f"{number}.tif", generator.render(moved, seed=number).image)
        train, column = self.session.actions(TrainActions), self.context.column
        column.open_tab("train")
        train.take_folder(data)
        train.choices.name, train.choices.minutes, train.choices.folder = "mine", 10.0, str(self.folder)
        train.start()

    def training_goes_on(self) -> None:
        """Wait for its first steps."""
        watching = self.session.actions(TrainActions).watching
        rest_until(lambda: watching.run is not None and watching.run.step > 0)

    def end_training(self) -> None:
        watching = self.session.actions(TrainActions).watching
        watching.stop()
        rest_until(lambda: watching.run is None or not watching.run.running)


def add_alone(viewer: Any) -> Iterator[tuple[str, list[Gap]]]:
    """What napari takes to add layers without the plugin; nothing of the first time, when it reads its units."""
    for time in (1, 2):
        for what, add in (("a mask", viewer.add_labels), ("an image", viewer.add_image)):
            gaps = gaps_of(lambda add=add: add(np.zeros((SIDE, SIDE), np.uint16)), lambda: QTest.qWait(REST_MS))
            if time > 1:
                yield f"napari alone: {what} of {SIDE}² is added", gaps


def gaps_of(work: Callable[[], object], rest: Callable[[], object]) -> list[Gap]:
    """The gaps from a click to the end of what it began."""
    beat = HeartBeat()
    beat.start()
    work()
    rest()
    return beat.stop()


def main() -> None:
    """A table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.clicks", description=__doc__.splitlines()[0])
    parser.add_argument("--no-training", action="store_true", help="clicks only")
    asked = parser.parse_args()
    application = QApplication.instance() or QApplication([])
    import napari

    viewer = napari.Viewer(show=True)
    print(table_head())
    for name, gaps in add_alone(viewer):
        print(table_row(name, gaps), flush=True)
    viewer.close()
    viewer = napari.Viewer(show=True)
    with tempfile.TemporaryDirectory() as folder:
        clicks = Clicks(viewer, Path(folder))
        for time in ("first", "again"):
            for name, work in clicks.all():
                print(table_row(f"{name}, {time}", gaps_of(work, clicks.rest)), flush=True)
        if not asked.no_training:
            clicks.begin_training()
            clicks.training_goes_on()
            gaps = gaps_of(lambda: None, lambda: QTest.qWait(TRAINED_MS))
            print(table_row("My look trains", gaps), flush=True)
            clicks.end_training()
        viewer.close()
        QApplication.processEvents()
    application.quit()


if __name__ == "__main__":
    main()
