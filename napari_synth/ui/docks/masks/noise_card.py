"""The card *From noise*: image and mask together, by a model that needs no mask."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtWidgets import QComboBox, QGridLayout, QMenu, QPushButton, QVBoxLayout, QWidget

from napari_synth.synthesis.latents.paths import MOST_STEPS
from napari_synth.ui.widgets.binding import bind, set_value
from napari_synth.ui.widgets.controls import SeedBox, whole, wide
from napari_synth.ui.widgets.footer import wrapped_label
from napari_synth.ui.widgets.panel import beside, described, row, watch

if TYPE_CHECKING:
    from napari_synth.ui.docks.masks.actions import MaskActions

HELP = "Image and mask are made together, from random numbers alone. The mask can be edited, and rendered in any look."
MOST = min(MOST_STEPS, 200)
"""Steps of a walk that is laid out at once."""


class NoiseCard(QWidget):
    """Model, look and seed of a pair, and the walk to another one.

    Attributes
    ----------
    model, look : QComboBox
    seed, to_seed : SeedBox
    steps : QSpinBox
    make, walk, copy : QPushButton
    """

    def __init__(self, dock: MaskActions):
        super().__init__()
        self._dock, self._catalogue, self._noise = dock, dock.context.catalogue, dock.noise
        self.model = described(QComboBox(), "Model of pairs", "The model that makes image and mask")
        self.look = described(QComboBox(), "Look of the pair", "What the image looks like")
        for combo in (self.model, self.look):
            combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
            combo.setMinimumContentsLength(10)
        self.seed = SeedBox("Seed of the pair", "The same number gives the same pair")
        self.seed.dice.setToolTip("Make another pair, by chance")
        self.make = wide(described(QPushButton("Make a pair"), "Make a pair", "Add a mask with its image, from noise"))
        self.copy = described(QPushButton("Copy as…"), "Copy as", "The same pair in Python or by the command line")
        menu = QMenu(self.copy)
        menu.addAction("Python", self._noise.copy_python)
        menu.addAction("Command", self._noise.copy_command)
        self.copy.setMenu(menu)
        self.to_seed = SeedBox("Seed at the end", "The pair that the walk leads to")
        self.steps = whole(2, MOST, "Steps", "How many pairs the walk has")
        self.walk = described(
            QPushButton("Walk from here"), "Walk from here", "Images and masks on the way to the other pair, as stacks"
        )
        self._lay_out()
        self._connect()

    def _lay_out(self) -> None:
        grid = QGridLayout()
        row(grid, "Model", self.model)
        row(grid, "Look", self.look)
        row(grid, "Seed", self.seed)
        row(grid, "", beside(self.make, self.copy, wide=1))
        row(grid, "Walk to", self.to_seed)
        row(grid, "in steps", beside(self.steps, self.walk, wide=1))
        text = wrapped_label()
        text.setText(HELP)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addLayout(grid)
        layout.addWidget(text)

    def _connect(self) -> None:
        choices = self._noise.choices
        bind(choices, "seed", self.seed.value)
        bind(choices, "to_seed", self.to_seed.value)
        bind(choices, "steps", self.steps)
        self.seed.rolled.connect(self._noise.roll)
        self.to_seed.rolled.connect(self._noise.roll_end)
        self.make.clicked.connect(self._noise.make)
        self.walk.clicked.connect(self._noise.walk)
        self.model.activated.connect(self._choose_model)
        self.look.activated.connect(self._choose_look)
        watch(self, self._catalogue.changed, self._show_models)
        watch(self, choices.events.model, self._show_models)
        watch(self, choices.events.option, self._show_look)

    def _choose_model(self) -> None:
        self._dock.context.choose_pairs(self.model.currentData())

    def _choose_look(self) -> None:
        self._noise.choices.option = self.look.currentData()

    def _show_models(self) -> None:
        self.model.clear()
        for name in self._noise.models:
            self.model.addItem(self._catalogue.title(name), name)
        set_value(self.model, self._noise.choices.model)
        self._show_look()

    def _show_look(self) -> None:
        self.look.clear()
        card = self._catalogue.card(self._noise.choices.model)
        for one in card.looks if card is not None else ():
            self.look.addItem(one.title or one.name, one.name)
        set_value(self.look, self._noise.choices.option)
