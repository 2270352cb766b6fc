"""Find looks: strips of examples with names that can be changed, and looks that can be merged."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QCheckBox, QGridLayout, QHBoxLayout, QLabel, QLineEdit, QPushButton, QVBoxLayout, QWidget

from napari_synth.ui.docks.train.choices import FindChoices
from napari_synth.ui.docks.train.run_box import PICTURE_WIDTH, pixmap_of
from napari_synth.ui.widgets.cards import Fold
from napari_synth.ui.widgets.folder_row import BrowseButton
from napari_synth.ui.widgets.forms import Form
from napari_synth.ui.widgets.panel import described, drop, row, watch

if TYPE_CHECKING:
    import numpy as np

    from napari_synth.ui.docks.train.finding import Finding

FOLDERS = {"images": "mixed folder", "out": "folder to write to"}


class LookRow(QWidget):
    """One look: whether it is ticked, its name, its number of images and examples of it."""

    def __init__(self, number: int, name: str, count: int, strip: np.ndarray):
        super().__init__()
        self.number = number
        self.tick = described(QCheckBox(), f"Merge {name}", "Tick two or more looks to merge them")
        self.name = described(QLineEdit(name), f"Name of look {number + 1}", "What it and its folder are called")
        picture = described(QLabel(), f"Examples of look {number + 1}", "Some of its images")
        picture.setPixmap(pixmap_of(strip).scaledToWidth(PICTURE_WIDTH, Qt.TransformationMode.SmoothTransformation))
        line = QHBoxLayout()
        for part in (self.tick, self.name, QLabel(f"{count} image{'s' * (count != 1)}")):
            line.addWidget(part, int(part is self.name))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addLayout(line)
        layout.addWidget(picture)


class LooksFold(Fold):
    """Divides a mixed folder into looks.

    Attributes
    ----------
    form : Form
    find, merge, write : QPushButton
    rows : list of LookRow
    """

    def __init__(self, finding: Finding):
        super().__init__("Find looks in a mixed folder", "Divide a folder of mixed images into looks to train on")
        self._finding = finding
        self.rows: list[LookRow] = []
        self._shown: object = None
        choices = finding.choices
        self.form = Form(FindChoices, choices, ("images", "count", "out"))
        self.form.controls["count"].setProperty("specialValueText", "found by itself")
        self.browse = {name: BrowseButton(choices, name, title) for name, title in FOLDERS.items()}
        self.find = described(QPushButton("Find looks"), "Find looks", "Divide it by how its images look")
        self.merge = described(QPushButton("Merge the ticked"), "Merge the ticked", "They are one look")
        self.write = described(
            QPushButton("Write pairs"),
            "Write pairs",
            "Copy images and masks into one folder per look, to train on",
        )
        above, self._below, self._list = QGridLayout(), QWidget(), QVBoxLayout()
        row(above, "Mixed folder", self.form.controls["images"], self.browse["images"])
        row(above, "Looks", self.form.controls["count"], self.find)
        below = QGridLayout(self._below)
        below.setContentsMargins(0, 0, 0, 0)
        row(below, "Write to", self.form.controls["out"], self.browse["out"])
        below.addWidget(self.merge, 1, 0, 1, 2)
        below.addWidget(self.write, 1, 2, 1, 2)
        self.body.addLayout(above)
        self.body.addLayout(self._list)
        self.body.addWidget(self._below)
        self.find.clicked.connect(self._find)
        self.merge.clicked.connect(self._merge)
        self.write.clicked.connect(self._write)
        watch(self, finding.changed, self.show_found)

    def show_found(self) -> None:
        """Show what was found."""
        found = self._finding.found
        self._below.setVisible(found is not None)
        if found is None:
            return
        names = found.looks.names
        if found.strips is not self._shown:
            self._shown = found.strips
            while item := self._list.takeAt(0):
                drop(item.widget())
            counts = [len(found.looks.files_of(number)) for number in range(len(names))]
            self.rows = [LookRow(n, name, counts[n], found.strips[n]) for n, name in enumerate(names)]
            for line in self.rows:
                self._list.addWidget(line)
                line.name.editingFinished.connect(self._rename)
        for line, name in zip(self.rows, names, strict=True):
            line.name.setText(name)

    def _store_typed(self) -> None:
        for name in FOLDERS:  # what is typed counts without Enter
            setattr(self._finding.choices, name, self.form.line(name).text())

    def _find(self) -> None:
        self._store_typed()
        self._finding.find()

    def _merge(self) -> None:
        self._finding.merge([line.number for line in self.rows if line.tick.isChecked()])

    def _write(self) -> None:
        self._store_typed()
        self._finding.write()

    def _rename(self) -> None:
        for line in self.rows:
            if line.name is self.sender():
                self._finding.rename(line.number, line.name.text().strip())
