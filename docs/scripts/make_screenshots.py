"""Take the screenshots of the documentation from the running program.

On a machine without a screen: xvfb-run -a -s "-screen 0 1600x1000x24" python docs/scripts/make_screenshots.py

``make_screenshots.py microscope [MODEL]`` takes those of Inspect alone.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from napari_synth.ui.docks.export.actions import ExportActions
from napari_synth.ui.docks.inspect.actions import InspectActions
from napari_synth.ui.docks.masks.actions import MaskActions
from napari_synth.ui.docks.nuclei.actions import NucleusActions
from napari_synth.ui.docks.synthesize.actions import SynthesizeActions
from napari_synth.ui.jobs.delivery import Jobs

PICTURES = Path(__file__).parents[1] / "pictures"
PATIENCE = 120.0


def settle(*running: Jobs) -> None:
    """Let the window work until these jobs are done, and draw."""
    from qtpy.QtWidgets import QApplication

    end = time.monotonic() + PATIENCE
    while any(jobs.lane.state.running for jobs in running) and time.monotonic() < end:
        QApplication.processEvents()
    for _ in range(50):
        QApplication.processEvents()
        time.sleep(0.01)


def save_picture(viewer: object, name: str) -> None:
    """A picture of the whole window."""
    viewer.screenshot(str(PICTURES / f"{name}.png"), canvas_only=False, flash=False)  # type: ignore[attr-defined]
    print(PICTURES / f"{name}.png")


def microscope(model: str) -> None:
    """Capsules of a layer, one of them switched off, a walk: one picture after each."""
    import numpy as np

    from napari_synth.ui.app import open_window
    from napari_synth.ui.napari_bridge.window import PLUGIN, open_column
    from napari_synth.ui.session import session_for

    viewer = open_window(sample=False)
    session_for(viewer).context.column.tour = -1
    viewer.open_sample(PLUGIN, "axons_256")
    session = session_for(viewer)
    session.context.column.open_tab("inspect")
    panel: Any = open_column(viewer).opened["inspect"]
    inspecting, walking = session.actions(InspectActions), session.actions(InspectActions).walks
    session.context.choose_model(session.context.catalogue.add_file(model) if Path(model).is_file() else model)
    settle()
    viewer.fit_to_view()
    mask = session.context.masks.current
    rows, columns = np.nonzero(mask.data)
    middle = len(rows) // 2
    inspecting.ranking.picker.picked.emit(tuple(mask.data_to_world((rows[middle], columns[middle]))))
    settle(inspecting.ranking.jobs)
    row = next(i for i in range(panel.ranks.table.rowCount()) if panel.ranks.table.unit(i)[2] is not None)
    panel.ranks.table.selectRow(row)
    inspecting.show_unit(panel.ranks.table.unit(row))
    settle(inspecting.jobs)
    save_picture(viewer, "capsules")
    inspecting.stacks.hide(mask, inspecting.stacks.of(mask))
    inspecting.choose((*inspecting.choices.unit[:2], None))
    inspecting.change(scale=0.0)
    settle(inspecting.jobs)
    save_picture(viewer, "switched_off")
    inspecting.reset_all()
    panel.tabs.setCurrentWidget(panel.latents)
    settle(inspecting.jobs)
    walking.walk()
    settle(walking.jobs)
    settle(walking.jobs)
    inspecting.stacks.go_to(alpha=walking.choices.steps // 2)
    settle(walking.jobs)
    save_picture(viewer, "walk")
    viewer.close()


def main() -> None:
    """Sample, render, export: one picture after each."""
    from napari_synth.ui.app import open_window
    from napari_synth.ui.session import session_for

    viewer = open_window(render_first=True)
    session = session_for(viewer)
    session.context.column.tour = -1

    def picture(name: str, jobs: Jobs, act: Callable[[], object] | None = None, step: str = "") -> None:
        if step:
            session.context.column.open_section(step)
        if act is not None:
            act()
        settle(jobs)
        save_picture(viewer, name)

    masks, synthesize = session.actions(MaskActions), session.actions(SynthesizeActions)
    export = session.actions(ExportActions)
    picture("window", synthesize.jobs, step="synthesize")
    session.context.field.seed = 5
    picture("sampled", masks.jobs, lambda: masks.sample(256, 256), "masks")
    session.context.look.option = "fluorescence"
    picture("fluorescence", synthesize.jobs, synthesize.render, "synthesize")
    session.context.export.folder = str(Path(tempfile.mkdtemp()) / "pairs")
    session.context.export.variants = 2
    picture("exported", export.jobs, export.export, "export")
    nuclei_by_hand(viewer, settle, picture)
    viewer.close()


def nuclei_by_hand(viewer: Any, settle: Callable[[Jobs], None], picture: Callable[..., None]) -> None:
    """Stamp and change nuclei, and look at the latent map."""
    from napari_synth.ui.napari_bridge.window import open_column
    from napari_synth.ui.session import session_for

    session = session_for(viewer)
    dock = session.actions(NucleusActions)
    viewer.layers.clear()
    session.actions(MaskActions).new_mask(256, 256)
    session.context.column.open_tab("nuclei")
    panel: Any = open_column(viewer).opened["nuclei"]
    settle(dock.jobs)
    viewer.fit_to_view()
    dock.use_tool("stamp")
    for number, place in enumerate(((60, 60), (50, 130), (120, 50), (110, 120), (60, 200))):
        dock.shapes.choose(number)
        dock.click(place)
    dock.use_tool("grow")
    dock.grow((150, 20, 240, 240))
    settle(dock.jobs)
    dock.use_tool("edit")
    dock.click((110, 120))
    settle(dock.jobs)
    picture("nuclei", dock.jobs, lambda: panel.area.setValue(1600))
    dock.use_tool("")
    panel.tabs.setCurrentIndex(1)
    dock.shapes.mark(0)
    dock.shapes.choose(7)
    dock.shapes.mark(1)
    dock.shapes.walk()
    settle(dock.jobs)
    viewer.fit_to_view()
    viewer.dims.set_current_step(0, 12)
    picture("latent_map", dock.jobs)


if __name__ == "__main__":
    os.environ["NAPARI_SYNTH_SETTINGS"] = str(Path(tempfile.mkdtemp()) / "settings.json")
    os.environ["NAPARI_SYNTH_STATE"] = tempfile.mkdtemp()
    PICTURES.mkdir(exist_ok=True)
    if sys.argv[1:2] != ["microscope"]:
        main()
    microscope(sys.argv[2] if len(sys.argv) > 2 else "capspix2pix-axons")
