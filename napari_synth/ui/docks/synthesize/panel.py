"""The Synthesize dock: model, look, noise and device of the image."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING

from qtpy.QtCore import QSize, Qt
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFileDialog,
    QLabel,
    QListView,
    QListWidget,
    QListWidgetItem,
    QPushButton,
)
from superqt.utils import signals_blocked

from napari_synth.core.devices import DEVICES
from napari_synth.synthesis.latents.sources import source_words
from napari_synth.ui.widgets.binding import bind, set_value
from napari_synth.ui.widgets.controls import ImageCombo, MaskCombo, SeedBox, look_icon, show_key, wide
from napari_synth.ui.widgets.footer import Foot
from napari_synth.ui.widgets.panel import Panel, described, literal, row

if TYPE_CHECKING:
    from napari_synth.models.card import Look
    from napari_synth.ui.docks.synthesize.actions import SynthesizeActions

THUMBNAIL = 56
CELL = QSize(93, 90)
DEVICE_TITLES = {
    "auto": "auto (GPU if there is one)",
    "cuda": "NVIDIA GPU (cuda)",
    "mps": "Apple GPU (mps)",
    "cpu": "CPU",
}


class LookList(QListWidget):
    """The looks of a model as thumbnails with their titles."""

    def __init__(self) -> None:
        super().__init__()
        self.setViewMode(QListView.ViewMode.IconMode)
        self.setMovement(QListView.Movement.Static)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setIconSize(QSize(THUMBNAIL, THUMBNAIL))
        self.setGridSize(CELL)
        self.setWordWrap(True)
        self.setFixedHeight(CELL.height() + 4)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)

    def show_options(self, options: list[Look], chosen: str) -> None:
        """List the options of a card."""
        names = [self.item(i).data(Qt.ItemDataRole.UserRole) for i in range(self.count())]
        if names != [option.name for option in options]:
            self.clear()
            for option in options:
                item = QListWidgetItem(look_icon(option, THUMBNAIL), option.title or option.name)
                item.setData(Qt.ItemDataRole.UserRole, option.name)
                item.setToolTip(literal(f"{option.title or option.name} ({option.name})"))
                self.addItem(item)
        for i, option in enumerate(options):
            if option.name == chosen:
                self.setCurrentRow(i)

    @property
    def chosen(self) -> str:
        """Name of the selected option; empty when there is none."""
        item = self.currentItem()
        return item.data(Qt.ItemDataRole.UserRole) if item else ""


class SynthesizePanel(Panel):
    """Render the image of a mask."""

    def __init__(self, dock: SynthesizeActions):
        super().__init__(dock.context)
        self.dock = dock
        self._build_model_rows()
        self._build_looks()
        self._build_noise_rows()
        self.render_button = wide(
            described(QPushButton("Render"), "Render", "Make the image of the mask, in a layer below it")
        )
        self.copy_python = described(
            QPushButton("Copy as Python"), "Copy as Python", "Copy the lines that make the same image in a script"
        )
        self.live = described(
            QCheckBox("live"), "Live", "The image follows the brush: only what a stroke changes is computed again"
        )
        show_key(self.render_button, dock.commands, "render")
        show_key(self.seed.dice, dock.commands, "dice")
        show_key(self.live, dock.commands, "live")
        self.buttons.addWidget(self.render_button, 1)
        self.buttons.addWidget(self.live)
        self.copy_command = described(
            QPushButton("Copy as command"),
            "Copy as command",
            "Copy the command that makes the same image in a terminal",
        )
        self.replay = described(
            QPushButton("Replay…"),
            "Replay",
            "Open an exported file or a recipe: its layers and every choice come back. Dropping it here does the same",
        )
        for button in (self.copy_python, self.copy_command, self.replay):
            self.more.addWidget(button)
        self.foot = Foot(self.dock.jobs.lane)
        self.set_foot(self.foot)
        self._connect()

    def _build_model_rows(self) -> None:
        grid = self.grid()
        self.mask = described(MaskCombo(self.context.masks), "Mask layer", "The mask whose image is made")
        self.outline = described(
            QCheckBox("outline"), "Mask as outline", "Show the mask as outlines, so that the image is seen through it"
        )
        row(grid, "Mask", self.mask, self.outline)
        self.image = described(ImageCombo(self.context.images), "Anatomy layer", "The image that objects are put into")
        self.image_label = row(grid, "Anatomy", self.image)
        self.model = described(QComboBox(), "Model", "The trained generator that makes the image")
        self.model.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.model.setMinimumContentsLength(10)
        self.open = described(
            QPushButton("Open file…"), "Open a model file", "Use a generator from a .safetensors file"
        )
        row(grid, "Model", self.model, self.open)

    def _build_looks(self) -> None:
        self.looks = described(LookList(), "Look", "The stain or kind of microscope the image looks like")
        self.body.addWidget(self.looks)

    def _build_noise_rows(self) -> None:
        grid = self.grid()
        self.seed = SeedBox("Noise seed", "The same number gives the same image")
        self.no_noise = described(
            QCheckBox("no noise"), "No noise", "Switch the noise off: one fixed image per mask and look"
        )
        self.seed_label = row(grid, "Seed", self.seed, self.no_noise)
        self.latent = described(QLabel(), "Latent vector", "The image has this latent vector, not that of the seed")
        self.use_seed = described(
            QPushButton("Use the seed"), "Use the seed", "Take the latent vector from the seed again"
        )
        self.latent_label = row(grid, "Latent", self.latent, self.use_seed)
        self.device = described(QComboBox(), "Device", "Where the image is computed")
        for name in DEVICES:
            self.device.addItem(DEVICE_TITLES[name], name)
        self.fast = described(
            QCheckBox("fast"),
            "Fast",
            "Compute in 16 bit: faster on most machines, and the image is some grey levels off.\n"
            "Kept in the recipe, so that replaying it gives the same image.",
        )
        row(grid, "Device", self.device, self.fast)
        self.live_text = described(QLabel(), "Live state", "What was rendered last, and how long it took to appear")
        self.body.addWidget(self.live_text)

    def _connect(self) -> None:
        context, dock, look = self.context, self.dock, self.context.look
        for name, control in (("seed", self.seed.value), ("device", self.device), ("fast", self.fast)):
            bind(look, name, control)
        bind(look, "noise", self.no_noise, shown=operator.not_, stored=operator.not_)
        bind(look, "outline", self.outline, store=dock.set_outline)
        bind(dock.following.state, "on", self.live, store=dock.following.switch)
        bind(look, "model", self.model, store=context.choose_model)
        self.render_button.clicked.connect(dock.render)
        self.copy_python.clicked.connect(dock.copy_python)
        self.copy_command.clicked.connect(dock.copy_command)
        self.replay.clicked.connect(dock.ask_replay)
        self.open.clicked.connect(self._ask_model)
        self.looks.currentItemChanged.connect(self._choose_look)
        self.seed.rolled.connect(dock.roll_seed)
        self.use_seed.clicked.connect(context.use_seed)
        self.watch(dock.following.state.events, self._show_live)
        self.watch(context.masks.changed, self.mask.show_masks)
        self.watch(context.masks.current_changed, self.mask.show_masks)
        self.watch(context.images.changed, self.image.show_images)
        self.watch(context.catalogue.changed, self._show_models)
        self.watch(look.events, self._show_look)
        self.watch(context.notes.changed, self._show_note)
        self.watch(dock.jobs.lane.state.events, self.foot.show_lane)

    def _choose_look(self) -> None:
        self.context.look.option = self.looks.chosen

    def _ask_model(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, "Open a model", "", "Models (*.safetensors);;All files (*)")
        if path:
            self.dock.open_model(path)

    def _show_models(self) -> None:
        catalogue = self.context.catalogue
        self.model.clear()
        for name in catalogue.names:
            self.model.addItem(catalogue.title(name), name)
            self.model.setItemData(self.model.count() - 1, name, Qt.ItemDataRole.ToolTipRole)
        set_value(self.model, self.context.look.model)

    def _show_look(self) -> None:
        look, catalogue = self.context.look, self.context.catalogue
        card = catalogue.card(look.model)
        options = card.looks if card else []
        with signals_blocked(self.looks):
            self.looks.show_options(options, look.option)
        self.looks.setVisible(bool(options))
        channel = catalogue.condition(look.model)
        self.image_label.setText(channel.capitalize().replace("&", "&&"))
        for widget in (self.image, self.image_label):
            widget.setVisible(bool(channel))
        for widget in (self.seed, self.no_noise, self.seed_label):  # such a model has no noise
            widget.setVisible(not channel)
        self.seed.setEnabled(look.noise)
        for widget in (self.latent, self.latent_label, self.use_seed):
            widget.setVisible(look.latent is not None)
        self.latent.setText(source_words(look.latent) if look.latent is not None else "")
        title = next((option.title or option.name for option in options if option.name == look.option), "")
        self.render_button.setText(f"Render: {title}".replace("&", "&&") if title else "Render")

    def _show_live(self) -> None:
        state = self.dock.following.state
        self.live_text.setText(state.text)
        self.live_text.setToolTip(literal(state.details or self.live_text.accessibleName()))
        self.live_text.setVisible(bool(state.text))

    def _show_note(self) -> None:
        self.foot.status.show_note(self.dock.note)
