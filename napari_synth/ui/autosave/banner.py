"""Masks of a lost session, offered back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from napari_synth.ui.widgets.footer import wrapped_label
from napari_synth.ui.widgets.panel import described, watch

if TYPE_CHECKING:
    from napari_synth.ui.autosave.actions import Autosave


class RecoveryBanner(QWidget):
    """One sentence and two buttons; hidden where there is nothing to bring back."""

    def __init__(self, autosave: Autosave):
        super().__init__()
        self._autosave = autosave
        self.text = described(wrapped_label(), "Autosaved masks", "Masks that a session left which did not end well")
        self.text.setStyleSheet("font-weight: bold;")
        self.back = described(
            QPushButton("Bring back"), "Bring back", "Add these masks as layers, with the table of their nuclei"
        )
        self.discard = described(QPushButton("Discard"), "Discard", "Delete these masks for good")
        self.back.clicked.connect(autosave.bring_back)
        self.discard.clicked.connect(autosave.discard)
        line = QHBoxLayout()
        line.addWidget(self.back, 1)
        line.addWidget(self.discard)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 4)
        layout.setSpacing(3)
        layout.addWidget(self.text)
        layout.addLayout(line)
        watch(self, autosave.offer.events, self.show_offer)

    def show_offer(self) -> None:
        """Follow what is offered."""
        offer = self._autosave.offer
        self.text.setText(offer.text)
        for button in (self.back, self.discard):
            button.setEnabled(not offer.busy)
        self.setVisible(bool(offer.text))
