"""What the label doctor found: a sentence each, and cures for a copy."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtWidgets import QFileDialog, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from napari_synth.ui.widgets.footer import wrapped_label
from napari_synth.ui.widgets.panel import described, drop, watch

if TYPE_CHECKING:
    from napari_synth.ui.docks.masks.checking import Checking, Found

MOST = 8
"""Sentences that are shown of one mask or folder."""


class FindingList(QWidget):
    """The findings of the last check; hidden while there are none."""

    def __init__(self, checking: Checking):
        super().__init__()
        self._checking = checking
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 2, 0, 2)
        self._layout.setSpacing(4)
        watch(self, checking.changed, self.show_found)

    def show_found(self) -> None:
        """Show what there is now."""
        while item := self._layout.takeAt(0):
            drop(item.widget())
        found = [one for one in self._checking.found if one.findings]
        for one in found:
            self._add(one)
        if found:
            close = described(QPushButton("Close the list"), "Close the list", "Hide what the check found")
            close.clicked.connect(self._checking.forget)
            self._layout.addWidget(close)
        self.setVisible(bool(found))

    def sentences(self) -> list[str]:
        """What is shown."""
        return [self._layout.itemAt(i).widget().accessibleDescription() for i in range(self._layout.count())]

    def _add(self, found: Found) -> None:
        text = wrapped_label()
        lines = [f"{'⚠' if finding.serious else '·'} {finding.sentence} {finding.advice}" for finding in found.findings]
        more = [f"… and {len(lines) - MOST} more"] if len(lines) > MOST else []
        text.setText("\n".join([*lines[:MOST], *more]))
        part = QWidget()
        part.setAccessibleDescription("\n".join(lines))
        layout = QVBoxLayout(part)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addWidget(text)
        if found.curable:
            line = QHBoxLayout()
            folder = found.report is not None
            words = "Make a cured copy of the folder…" if folder else f"Make a cured copy of {found.name}"
            cure = described(QPushButton(words.replace("&", "&&")), words, "The original stays as it is")
            cure.setProperty("cures", found.name)
            cure.clicked.connect(partial(_cure_folder if folder else _cure_layer, self._checking, found))
            line.addWidget(cure)
            layout.addLayout(line)
        self._layout.addWidget(part)


def _cure_layer(checking: Checking, found: Found, *_: object) -> None:
    """Qt keeps a partial for as long as the button; one of the box's own methods would keep the box too."""
    checking.cure_layer(found)


def _cure_folder(checking: Checking, found: Found, *_: object) -> None:
    parent = QFileDialog.getExistingDirectory(None, "Folder in which the cured copy is made")
    if parent:
        checking.cure_folder(found, Path(parent) / f"{found.name}-cured")
