"""What napari's menus and palette call: ``napari_synth.ui.commands:render`` and so on, one name for each command."""

from __future__ import annotations

from collections.abc import Callable

import napari

from napari_synth.ui.column.commands import commands, run_command
from napari_synth.ui.session import session_for


def __getattr__(key: str) -> Callable[[napari.viewer.Viewer], None]:
    """The function of a command; napari gives it the viewer."""
    if key.startswith("__") or key not in commands():
        raise AttributeError(f"module {__name__!r} has no attribute {key!r}")

    def run(viewer: napari.viewer.Viewer) -> None:
        run_command(key, session_for(viewer))

    run.__name__ = run.__qualname__ = key
    run.__annotations__ = {"viewer": napari.viewer.Viewer}
    return run
