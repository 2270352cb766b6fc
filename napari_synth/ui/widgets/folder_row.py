"""A line for the path of a folder, and a button that lets the user choose one."""

from __future__ import annotations

from typing import Any

from qtpy.QtWidgets import QFileDialog, QPushButton, QWidget

from napari_synth.ui.widgets.panel import described


class BrowseButton(QPushButton):
    """Asks for a folder and stores it in a field of evented choices.

    Parameters
    ----------
    choices : evented dataclass
    name : str
        The field.
    title : str
        What the folder is for, as in "Browse for".
    """

    def __init__(self, choices: Any, name: str, title: str):
        super().__init__("Browse…")
        self._choices, self._name = choices, name
        described(self, f"Browse for {title}", "Choose the folder")
        self.clicked.connect(self._ask)

    def _ask(self) -> None:
        parent: QWidget = self.window()
        folder = QFileDialog.getExistingDirectory(parent, "Choose a folder", getattr(self._choices, self._name))
        if folder:
            setattr(self._choices, self._name, folder)
