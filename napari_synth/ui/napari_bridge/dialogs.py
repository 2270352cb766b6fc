"""Questions over the window of a viewer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtWidgets import QFileDialog, QMessageBox

from napari_synth.ui.napari_bridge.window import window_of

if TYPE_CHECKING:
    from collections.abc import Sequence

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


def ask_choice(viewer: ViewerModel, title: str, text: str, choices: Sequence[str]) -> str:
    """The one of some answers that the user chooses; the last where the question is closed."""
    box = QMessageBox(QMessageBox.Icon.Question, title, text, parent=window_of(viewer))
    buttons = {choice: box.addButton(choice, QMessageBox.ButtonRole.ActionRole) for choice in choices}
    box.setEscapeButton(buttons[choices[-1]])
    box.exec()
    clicked = box.clickedButton()
    return next((choice for choice, button in buttons.items() if button is clicked), choices[-1])
