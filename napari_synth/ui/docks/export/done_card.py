"""What can be done with an export that is finished: train on it, look at it, continue it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QUrl
from qtpy.QtGui import QDesktopServices
from qtpy.QtWidgets import QFrame, QHBoxLayout, QLabel, QPlainTextEdit, QPushButton, QVBoxLayout

from napari_synth.exporting.train_md import SYNTHETIC
from napari_synth.ui.napari_bridge.clipboard import copy_text
from napari_synth.ui.widgets.footer import wrapped_label
from napari_synth.ui.widgets.panel import described

if TYPE_CHECKING:
    from pathlib import Path

    from napari_synth.exporting.batch import ExportResult

LINES = 4
BAR = 10


class DoneCard(QFrame):
    """The command that trains, and buttons; hidden while there is no finished export."""

    def __init__(self) -> None:
        super().__init__()
        self._folder: Path | None = None
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self.title = QLabel()
        self.command = described(
            QPlainTextEdit(), "Training command", "Trains on the exported pairs; see TRAIN.md there"
        )
        self.command.setReadOnly(True)
        self.command.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.about = wrapped_label()
        self.copy = described(QPushButton("Copy command"), "Copy command", "Copy it to the clipboard")
        self.open = described(QPushButton("Open folder"), "Open folder", "Show the files")
        self.more = described(
            QPushButton("Add more"), "Add more", "As many pairs again, with seeds of their own, in the same folder"
        )
        self.copy.clicked.connect(self._copy)
        self.open.clicked.connect(self._open)
        buttons = QHBoxLayout()
        for button in (self.copy, self.open, self.more):
            buttons.addWidget(button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 4, 6, 4)
        layout.setSpacing(3)
        layout.addWidget(self.title)
        layout.addLayout(buttons)  # seen without scrolling in a low window
        layout.addWidget(self.command)
        layout.addWidget(self.about)
        self.hide()

    def show_result(self, result: ExportResult | None, may_grow: bool) -> None:
        """Show a finished export, and whether more pairs may be added to it; or nothing."""
        self.setVisible(result is not None and result.guide is not None)
        if result is None or result.guide is None:
            return
        self._folder = result.folder
        self.more.setVisible(may_grow)
        self.title.setText(f"Train on {result.total} {'pair' if result.total == 1 else 'pairs'}:")
        self.command.setPlainText(result.guide.command)
        lines = min(result.guide.command.count("\n") + 1, LINES)
        self.command.setFixedHeight(self.command.fontMetrics().lineSpacing() * (lines + 1) + BAR)  # a bar below them
        self.about.setText(f"{SYNTHETIC} The format was read back with {result.guide.proved}.")

    def _copy(self) -> None:
        copy_text(self.command.toPlainText())

    def _open(self) -> None:
        if self._folder is not None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._folder)))
