"""The button that says where shapes come from, and changes it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from qtpy.QtGui import QAction
from qtpy.QtWidgets import QFileDialog, QInputDialog, QMenu, QPushButton

from napari_synth.ui.widgets.panel import described, literal

if TYPE_CHECKING:
    from napari_synth.ui.docks.nuclei.libraries import Libraries
    from napari_synth.ui.napari_bridge.mask_layers import MaskLayers

KIND = "Libraries (*.npz)"


class LibraryButton(QPushButton):
    """A menu to make, open, save and choose libraries of shapes."""

    def __init__(self, libraries: Libraries, masks: MaskLayers):
        super().__init__()
        self._libraries = libraries
        self._masks = masks
        described(self, "Library of shapes", "")
        self.choices = QMenu(self)
        self.choices.aboutToShow.connect(self.fill)
        self.setMenu(self.choices)
        self.show_library()

    def show_library(self) -> None:
        """Say which library is in use."""
        self.setText("Library…" if self._libraries.own is None else "Own library")
        self.setToolTip(literal(f"{self._libraries.summary} Take shapes from your own masks"))

    def fill(self) -> None:
        """Offer what shapes can come from now."""
        libraries = self._libraries
        self.choices.clear()
        self._offer("Of the chosen mask…", self._of_mask).setEnabled(self._masks.current is not None)
        self._offer("Of a folder of masks…", self._of_folder)
        self._offer("Of a library file…", self._open)
        self._offer("Save library…", self._save).setEnabled(libraries.own is not None)
        self.choices.addSeparator()
        for library in (None, *libraries.made):
            text = "Bundled library" if library is None else f"{library.name} ({len(library.shapes)} nuclei)"
            action = self._offer(text.replace("&", "&&"), partial(libraries.use, library))
            action.setCheckable(True)
            action.setChecked(library is libraries.own)

    def _offer(self, text: str, act: Callable[[], None]) -> QAction:
        action = QAction(text, self.choices)
        action.triggered.connect(act)
        self.choices.addAction(action)
        return action

    def _of_mask(self) -> None:
        min_box = self._ask_min_box()
        if min_box:
            self._libraries.make_of_mask(min_box)

    def _of_folder(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, "Folder of masks")
        min_box = self._ask_min_box() if folder else 0
        if min_box:
            self._libraries.make_of_folder(folder, min_box)

    def _ask_min_box(self) -> int:
        """The smallest bounding box, in square pixels; 0: cancelled."""
        text = "Smallest bounding box of a nucleus (px²); smaller ones are left out:"
        box, given = QInputDialog.getInt(self, "Library of shapes", text, self._libraries.min_box, 1, 100_000, 50)
        return box if given else 0

    def _open(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, "Open a library of shapes", "", KIND)
        if path:
            self._libraries.open(path)

    def _save(self) -> None:
        path, _ = QFileDialog.getSaveFileName(self, "Save the library", "library.npz", KIND)
        if path:
            self._libraries.save(path)
