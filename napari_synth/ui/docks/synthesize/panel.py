"""The Look section: model, look, style and seed of the image of a mask."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFileDialog,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QMenu,
    QPushButton,
)

from napari_synth.core.devices import DEVICES
from napari_synth.synthesis.latents.sources import source_words
from napari_synth.ui.docks.synthesize.camera_box import CameraBox
from napari_synth.ui.docks.synthesize.style_box import StyleBox
from napari_synth.ui.widgets.binding import bind, set_value
from napari_synth.ui.widgets.cards import Fold
from napari_synth.ui.widgets.controls import ImageCombo, MaskCombo, SeedBox, look_icon, show_key, wide
from napari_synth.ui.widgets.footer import Foot, wrapped_label
from napari_synth.ui.widgets.name_combo import NameCombo
from napari_synth.ui.widgets.panel import Panel, described, literal, row
from napari_synth.ui.widgets.tiles import SIDE, Tile, TileList, icon_of

if TYPE_CHECKING:
    from qtpy.QtGui import QHideEvent, QShowEvent

    from napari_synth.ui.docks.synthesize.actions import SynthesizeActions

DEVICE_TITLES = {
    "auto": "auto (GPU if there is one)",
    "cuda": "NVIDIA GPU (cuda)",
    "mps": "Apple GPU (mps)",
    "cpu": "CPU",
}


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
        self.set_foot(self.foot, self.older)
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
        self.model = described(NameCombo(), "Model", "The trained generator that makes the image")
        self.open = described(QPushButton("Open…"), "Open a model file", "Use a generator from a .safetensors file")
        row(grid, "Model", self.model, self.open)

    def _build_looks(self) -> None:
        tip = "The stain or kind of microscope the image looks like, as thumbnails of your mask; click to render"
        self.looks = described(TileList(2), "Look", tip)
        self.four = described(QPushButton("2 × 2"), "Four beside each other", "Four looks or four styles of the mask")
        menu = QMenu(self.four)
        menu.addAction("Four looks", self.dock.compare_looks)
        self.four_styles = menu.addAction("Four styles of this look", self.dock.compare_styles)
        self.four.setMenu(menu)
        self.look_title = described(QLabel("Look"), "Look", tip)
        head = QHBoxLayout()
        head.addWidget(self.look_title, 1)
        head.addWidget(self.four)
        self.body.addLayout(head)
        self.body.addWidget(self.looks)
        self.styles = StyleBox(self.dock)
        self.body.addWidget(self.styles)

    def _build_noise_rows(self) -> None:
        grid = self.grid()
        self.seed = SeedBox("Noise seed", "The same number gives the same image")
        self.seed_label = row(grid, "Seed", self.seed)
        self.alike = described(wrapped_label(), "Variety", "How much other seeds change the image of your mask")
        self.latent = described(QLabel(), "Latent vector", "The image has this latent vector, not that of the seed")
        self.use_seed = described(
            QPushButton("Use the seed"), "Use the seed", "Take the latent vector from the seed again"
        )
        self.latent_label = row(grid, "Latent", self.latent, self.use_seed)
        self.body.addWidget(self.alike)
        self.older = described(wrapped_label(), "Age of the image", "The mask was edited after its image was rendered")
        self.older.setText("⚠ The image is older than the mask: press Render.")
        self.older.setStyleSheet("font-weight: bold; margin: 0 8px;")
        self.live_text = described(QLabel(), "Live state", "What was rendered last, and how long it took to appear")
        self.body.addWidget(self.live_text)
        self.camera = CameraBox(self.dock)
        self.body.addWidget(self.camera)
        self._build_more()

    def _build_more(self) -> None:
        """What is seldom changed."""
        grid = QGridLayout()
        self.device = described(QComboBox(), "Device", "Where the image is computed")
        self.device.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.device.setMinimumContentsLength(10)
        for name in DEVICES:
            self.device.addItem(DEVICE_TITLES[name], name)
        row(grid, "Device", self.device)
        self.fast = described(
            QCheckBox("fast"),
            "Fast",
            "Compute in 16 bit: faster on most machines, and the image is some grey levels off.\n"
            "Kept in the recipe, so that replaying it gives the same image.",
        )
        self.no_noise = described(
            QCheckBox("without grain"),
            "Without grain",
            "One fixed image per mask and look: nothing is drawn by the seed",
        )
        row(grid, "Image", self.fast, self.no_noise)
        self.more_settings = Fold("More", "Device, speed and grain")
        self.more_settings.body.addLayout(grid)
        self.body.addWidget(self.more_settings)

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
        self.looks.chose.connect(dock.choose_option)
        self.seed.rolled.connect(dock.roll_seed)
        self.use_seed.clicked.connect(context.use_seed)
        self.watch(dock.following.state.events, self._show_live)
        self.watch(context.masks.changed, self.mask.show_masks)
        self.watch(context.masks.current_changed, self.mask.show_masks)
        self.watch(context.images.changed, self.image.show_images)
        self.watch(context.catalogue.changed, self._show_models)
        self.watch(look.events, self._show_look)
        self.watch(dock.styles.state.events, self.styles.show_state)
        self.watch(look.events, self.styles.show_state)
        self.watch(dock.thumbnails.changed, self._show_pictures)
        self.watch(dock.age.changed, self._show_age)
        self.watch(dock.following.state.events, self._show_age)
        self.watch(context.notes.changed, self._show_note)
        self.watch(dock.jobs.lane.state.events, self.foot.show_lane)

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
        tiles = [Tile(one.name, one.title or one.name, f"{one.title or one.name} ({one.name})") for one in options]
        self.looks.show_tiles(tiles, look.option)
        for widget in (self.look_title, self.four, self.looks):
            widget.setVisible(bool(options))
        self.four_styles.setVisible(self.dock.styles.state.has_styles)
        self._show_pictures()
        channel = catalogue.condition(look.model)
        self.image_label.setText(channel.capitalize().replace("&", "&&"))
        for widget in (self.image, self.image_label):
            widget.setVisible(bool(channel))
        for widget in (self.seed, self.no_noise, self.seed_label):
            widget.setVisible(catalogue.has_seed(look.model))
        self.seed.setEnabled(look.noise)
        for widget in (self.latent, self.latent_label, self.use_seed):
            widget.setVisible(look.latent is not None)
        self.latent.setText(source_words(look.latent) if look.latent is not None else "")
        title = next((option.title or option.name for option in options if option.name == look.option), "")
        self.render_button.setText(f"Render: {title}".replace("&", "&&") if title else "Render")

    def _show_pictures(self) -> None:
        """What is rendered of the mask; until then the thumbnails of the model's card."""
        look, pictures = self.context.look, self.dock.thumbnails.pictures
        card = self.context.catalogue.card(look.model)
        for option in card.looks if card else []:
            style = look.style if option.name == look.option else None
            picture = pictures.get((option.name, style))
            self.looks.show_icon(option.name, look_icon(option, SIDE) if picture is None else icon_of(picture))
        self.styles.show_pictures()
        variety = self.dock.thumbnails.variety
        self.alike.setVisible(variety is not None and variety.alike)
        self.alike.setText(f"⚠ {variety.advice}" if variety is not None else "")
        self.seed.setToolTip(literal(f"Other seeds, other images. {variety.words}") if variety is not None else "")

    def _show_age(self) -> None:
        self.older.setVisible(self.dock.age.is_old and not self.dock.following.state.on)

    def showEvent(self, event: QShowEvent) -> None:
        """Thumbnails are rendered while they are seen."""
        super().showEvent(event)
        self.dock.thumbnails.show(True)

    def hideEvent(self, event: QHideEvent) -> None:
        """Nobody sees them now."""
        super().hideEvent(event)
        self.dock.thumbnails.show(False)

    def _show_live(self) -> None:
        state = self.dock.following.state
        self.live_text.setText(state.text)
        self.live_text.setToolTip(literal(state.details or self.live_text.accessibleName()))
        self.live_text.setVisible(bool(state.text))

    def _show_note(self) -> None:
        self.foot.status.show_note(self.dock.note)
