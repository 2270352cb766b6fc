"""What napari opens the docks by: ``napari_synth.ui.panels:masks`` and so on, one name for each dock."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_synth.ui.docks.registry import DOCKS

if TYPE_CHECKING:
    import napari
    from qtpy.QtWidgets import QWidget


def __getattr__(key: str) -> type:
    """What makes the widget of a dock for a viewer.

    napari looks for the argument ``napari_viewer`` in ``__init__`` of a class; calling it gives the widget itself.
    """
    if key not in DOCKS:
        raise AttributeError(f"module {__name__!r} has no attribute {key!r}")

    class Opener:
        def __new__(cls, napari_viewer: napari.viewer.Viewer) -> QWidget:
            from napari_synth.ui.session import session_for

            return session_for(napari_viewer).panel(key)

        def __init__(self, napari_viewer: napari.viewer.Viewer): ...

    Opener.__name__ = Opener.__qualname__ = key
    return Opener
