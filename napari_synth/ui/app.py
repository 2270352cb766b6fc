"""The program: napari with the column docked and a sample loaded."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from napari_synth.core.display import has_display
from napari_synth.core.errors import WorkError

if TYPE_CHECKING:
    from napari import Viewer

SAMPLE = "nuclei_256"
FIRST_LOOK = "he"
SIZE = (1600, 1000)


def open_window(sample: bool = True, render_first: bool = False) -> Viewer:
    """A viewer with the column docked, without waiting for the user.

    Parameters
    ----------
    sample : bool
        Load the sample mask.
    render_first : bool
        Render the mask at once, so that the window shows what the program is for.
    """
    import napari
    from qtpy.QtCore import QTimer

    from napari_synth.ui.docks.synthesize.actions import SynthesizeActions
    from napari_synth.ui.napari_bridge.window import PLUGIN, open_column, resize_window
    from napari_synth.ui.session import session_for

    viewer = napari.Viewer(title="napari-synth")
    resize_window(viewer, *SIZE)
    if sample:
        viewer.open_sample(PLUGIN, SAMPLE)
    open_column(viewer)
    QTimer.singleShot(0, viewer.fit_to_view)  # the canvas is smaller now
    if render_first:
        session = session_for(viewer)
        look = session.context.look
        if FIRST_LOOK in session.context.catalogue.options(look.model):
            look.option = FIRST_LOOK
        session.actions(SynthesizeActions).render()
    return viewer


def launch(
    sample: bool = True,
    render_first: bool = False,
    quit_after: float | None = None,
    screenshot: Path | None = None,
) -> None:
    """Open napari with the column docked and stay until the user leaves.

    Parameters
    ----------
    sample, render_first : bool
        See `open_window`.
    quit_after : float, optional
        Seconds after which the program ends by itself, for checks without a person.
    screenshot : Path, optional
        Where to save a picture of the window before that.

    Raises
    ------
    WorkError
        If there is no display.
    """
    if not has_display():
        raise WorkError(
            "There is no display to open a window on.",
            "Log in with a display, or use the commands: napari-synth --help.",
        )
    import napari
    from qtpy.QtCore import QTimer

    viewer = open_window(sample, render_first)
    if quit_after is not None:
        QTimer.singleShot(int(1000 * quit_after), partial(_leave, viewer, screenshot))
    napari.run()


def _leave(viewer: Viewer, screenshot: Path | None) -> None:
    from qtpy.QtWidgets import QApplication

    if screenshot is not None:
        viewer.screenshot(str(screenshot), canvas_only=False, flash=False)
    viewer.close()
    QApplication.quit()
