"""Five sentences that lead through the first minutes; they lie above the steps and cover nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from qtpy.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QVBoxLayout

from napari_synth.ui.widgets.footer import wrapped_label
from napari_synth.ui.widgets.panel import described, watch

if TYPE_CHECKING:
    from napari_synth.ui.context.choices import ColumnChoices


@dataclass(frozen=True)
class Stop:
    """One sentence of the tour, and the step it is about."""

    section: str
    text: str


STOPS = (
    Stop("masks", "Begin with a mask: it says where each object lies. Paint one, sample one, or open your own."),
    Stop("synthesize", "Choose what it shall look like, and render it. The image lies below the mask."),
    Stop("synthesize", "Not quite? Roll the dice for another one, or let the image follow while you paint."),
    Stop("export", "Write images and masks together, as many as you like: what a network learns from."),
    Stop(
        "masks",
        "Masks to try are under File ▸ Open Sample; ? shows all keys. Help ▸ napari-synth has this again.",
    ),
)


class Tour(QFrame):
    """The stop of the tour, with buttons to go on, back and out; hidden while no tour is on."""

    def __init__(self, choices: ColumnChoices):
        super().__init__()
        self._choices = choices
        self.text = described(wrapped_label(), "Tour", "What to do first")
        self.number = QLabel()
        self.back = described(QPushButton("Back"), "Back", "The sentence before")
        self.on = described(QPushButton("Next"), "Next", "The next sentence")
        self.skip = described(QPushButton("Skip"), "Skip the tour", "Close the tour; it is under Help ▸ napari-synth")
        self.setFrameShape(QFrame.Shape.StyledPanel)
        line = QHBoxLayout()
        line.addWidget(self.number, 1)
        for button in (self.skip, self.back, self.on):
            line.addWidget(button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 6, 8, 6)
        layout.addWidget(self.text)
        layout.addLayout(line)
        self.back.clicked.connect(self._go_back)
        self.on.clicked.connect(self._go_on)
        self.skip.clicked.connect(self._end)
        watch(self, choices.events.tour, self.show_stop)
        watch(self, choices.events.section, self._go_along)

    def show_stop(self) -> None:
        """Show the stop that the tour is at, and open the step it is about."""
        place = self._choices.tour
        on_tour = 0 <= place < len(STOPS)
        self.setVisible(on_tour)
        if not on_tour:
            return
        stop, last = STOPS[place], place == len(STOPS) - 1
        self.text.setText(stop.text)
        self.number.setText(f"{place + 1} of {len(STOPS)}")
        self.back.setEnabled(place > 0)
        self.on.setText("Done" if last else "Next")
        self.skip.setVisible(not last)
        self._choices.open_section(stop.section)

    def _go_along(self) -> None:
        """A step that somebody opens has its sentence shown; the tour goes forward alone, and ends by its button."""
        place = self._choices.tour
        if 0 <= place < len(STOPS) and STOPS[place].section != self._choices.section:
            later = range(place + 1, len(STOPS) - 1)
            self._choices.tour = next((n for n in later if STOPS[n].section == self._choices.section), place)

    def _go_back(self) -> None:
        self._choices.tour -= 1

    def _go_on(self) -> None:
        self._choices.tour = self._choices.tour + 1 if self._choices.tour < len(STOPS) - 1 else -1

    def _end(self) -> None:
        self._choices.tour = -1
