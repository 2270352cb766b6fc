"""Questions over the window of a viewer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtWidgets import QFileDialog

if TYPE_CHECKING:
    from napari.components import ViewerModel


def ask_file(viewer: ViewerModel, title: str, kinds: str) -> str:
    """The path of a file that the user chooses; empty where none is chosen.

    Parameters
    ----------
    kinds : str
        As Qt writes it: ``Masks (*.tif *.png)``.
    """
    window: Any = getattr(viewer, "window", None)
    path, _ = QFileDialog.getOpenFileName(window._qt_window if window is not None else None, title, "", kinds)
    return str(path)
