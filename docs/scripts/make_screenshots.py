"""Take the screenshots of the documentation from the running program.

On a machine without a screen: xvfb-run -a -s "-screen 0 1600x1000x24" python docs/scripts/make_screenshots.py
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

PICTURES = Path(__file__).parents[1] / "pictures"
PATIENCE = 120.0


def main() -> None:
    """Sample, render, export: one picture after each."""
    os.environ["NAPARI_SYNTH_SETTINGS"] = str(Path(tempfile.mkdtemp()) / "settings.json")
    from qtpy.QtWidgets import QApplication

    from napari_synth.ui.app import open_window
    from napari_synth.ui.session import session_for

    PICTURES.mkdir(exist_ok=True)
    viewer = open_window(render_first=True)
    session = session_for(viewer)

    def settle(lane: object) -> None:
        """Let the window work until the lane is idle, and draw."""
        end = time.monotonic() + PATIENCE
        while lane.state.running and time.monotonic() < end:  # type: ignore[attr-defined]
            QApplication.processEvents()
        for _ in range(50):
            QApplication.processEvents()
            time.sleep(0.01)

    def picture(name: str, lane: object, act: Callable[[], object] | None = None) -> None:
        if act is not None:
            act()
        settle(lane)
        viewer.screenshot(str(PICTURES / f"{name}.png"), canvas_only=False, flash=False)
        print(PICTURES / f"{name}.png")

    picture("window", session.rendering.lane)
    session.field.seed = 5
    picture("sampled", session.masking.lane, lambda: session.masking.sample(256, 256))
    session.look.option = "fluorescence"
    picture("fluorescence", session.rendering.lane, session.rendering.render)
    session.export.folder = str(Path(tempfile.mkdtemp()) / "pairs")
    session.export.variants = 2
    picture("exported", session.exporting.lane, lambda: session.exporting.export())
    nuclei_by_hand(viewer, settle, picture)
    viewer.close()


def nuclei_by_hand(viewer: Any, settle: Callable[[object], None], picture: Callable[..., None]) -> None:
    """Stamp and change nuclei, and look at the latent map."""
    from napari_synth.ui.adapters.window import open_panel
    from napari_synth.ui.session import session_for

    session = session_for(viewer)
    studio = session.studio
    viewer.layers.clear()
    session.masking.new_mask(256, 256)
    panel: Any = open_panel(viewer, "Nuclei")
    settle(studio.lane)
    viewer.fit_to_view()
    studio.use_tool("stamp")
    for number, place in enumerate(((60, 60), (50, 130), (120, 50), (110, 120), (60, 200))):
        studio.choose(number)
        studio.click(place)
    studio.use_tool("grow")
    studio.grow((150, 20, 240, 240))
    settle(studio.lane)
    studio.use_tool("edit")
    studio.click((110, 120))
    settle(studio.lane)
    picture("nuclei", studio.lane, lambda: panel.area.setValue(1600))
    studio.use_tool("")
    panel.tabs.setCurrentIndex(1)
    studio.mark(0)
    studio.choose(7)
    studio.mark(1)
    studio.walk()
    settle(studio.lane)
    viewer.fit_to_view()
    viewer.dims.set_current_step(0, 12)
    picture("latent_map", studio.lane)


if __name__ == "__main__":
    main()
