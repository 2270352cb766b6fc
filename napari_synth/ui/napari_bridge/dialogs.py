"""Questions over the window of a viewer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtWidgets import QFileDialog

from napari_synth.ui.napari_bridge.window import window_of

if TYPE_CHECKING:
    from napari.components import ViewerModel


def ask_file(viewer: ViewerModel, title: str, kinds: str) -> str:
    """The path of a file that the user chooses; empty where none is chosen.

    Parameters
    ----------
    kinds : str
        As Qt writes it: ``Masks (*.tif *.png)``.
    """
    path, _ = QFileDialog.getOpenFileName(window_of(viewer), title, "", kinds)
    return str(path)
