"""The part of the panel that is about the style: thumbnails, dice, slider, the user's own image."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING

from qtpy.QtCore import Qt, QTimer
from qtpy.QtWidgets import QHBoxLayout, QLabel, QMenu, QPushButton, QSizePolicy, QSlider, QVBoxLayout, QWidget

from napari_synth.ui.widgets.binding import set_value
from napari_synth.ui.widgets.controls import dice_icon
from napari_synth.ui.widgets.panel import described, literal
from napari_synth.ui.widgets.tiles import Tile, TileList, icon_of

if TYPE_CHECKING:
    from napari.layers import Image, Labels

    from napari_synth.ui.docks.synthesize.actions import SynthesizeActions

SLIDE_MS = 80


class StyleBox(QWidget):
    """Choose the style."""

    def __init__(self, dock: SynthesizeActions):
        super().__init__()
        self.dock = dock
        self.title = described(QLabel(), "Style", "How strongly stained, how bright, how sharp: what one slide has")
        self.title.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.dice = described(QPushButton(dice_icon(), ""), "Roll the style", "Any style of this look, and render")
        self.dice.setMaximumWidth(40)
        self.others = described(QPushButton("Others"), "Other styles", "Show other styles of this look")
        self.tiles = described(TileList(1), "Styles", "Styles of this look, as thumbnails of your mask")
        self.slider = described(
            QSlider(Qt.Orientation.Horizontal), "Between two styles", "From the style before to the one chosen last"
        )
        self.slider.setRange(0, 100)
        self.one, self.other = QLabel(), QLabel()
        self.from_image = described(
            QPushButton("Style of my image…"),
            "Style of my image",
            "Take over stain, brightness and sharpness of an image of your own, from the layer list",
        )
        self.menu = QMenu(self.from_image)
        self.menu.aboutToShow.connect(self._fill_menu)
        self.from_image.setMenu(self.menu)
        head, ends = QHBoxLayout(), QHBoxLayout()
        head.addWidget(self.title, 1)
        head.addWidget(self.others)
        head.addWidget(self.dice)
        ends.addWidget(self.one)
        ends.addWidget(self.slider, 1)
        ends.addWidget(self.other)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(3)
        layout.addLayout(head)
        layout.addWidget(self.tiles)
        layout.addLayout(ends)
        layout.addWidget(self.from_image)
        self._soon = QTimer(self, singleShot=True, interval=SLIDE_MS)
        self._soon.timeout.connect(self._slide)
        self.dice.clicked.connect(dock.styles.roll)
        self.others.clicked.connect(dock.styles.show_others)
        self.tiles.chose.connect(dock.styles.choose)
        self.slider.valueChanged.connect(self._slide_soon)

    def show_state(self) -> None:
        """Show what is chosen."""
        look, state = self.dock.context.look, self.dock.styles.state
        self.setVisible(state.has_styles)
        self.title.setText(f"Style: {state.words}")
        self.title.setToolTip(
            literal(state.words) + "\nHow strongly stained, how bright, how sharp: what one slide has"
        )
        tiles = [Tile(None, "by seed", "Each seed draws its own style, so that exported images vary")]
        tiles += [Tile(member, f"style {member}", f"Style {member} of this look") for member in state.members]
        self.tiles.show_tiles(tiles, look.style)
        for widget in (self.one, self.slider, self.other):
            widget.setVisible(bool(state.ends))
        if state.ends:
            self.one.setText(_short(state.ends[0]))
            self.other.setText(_short(state.ends[1]))
            set_value(self.slider, state.share)

    def show_pictures(self) -> None:
        """Show the thumbnails that are rendered."""
        option = self.dock.context.look.option
        for (name, style), picture in self.dock.thumbnails.pictures.items():
            if name == option:
                self.tiles.show_icon(style, icon_of(picture))

    def _slide_soon(self) -> None:
        self._soon.start()

    def _slide(self) -> None:
        self.dock.styles.slide(self.slider.value())

    def _fill_menu(self) -> None:
        context = self.dock.context
        self.menu.clear()
        for image in context.images.layers:
            self._add(image, None)
            for mask in context.masks.layers:
                if tuple(mask.data.shape[-2:]) == tuple(image.data.shape[: 2 if image.rgb else None][-2:]):
                    self._add(image, mask)
        if not context.images.layers:
            nothing = self.menu.addAction("Open an image of yours first (File ▸ Open)")
            nothing.setEnabled(False)

    def _add(self, image: Image, mask: Labels | None) -> None:
        text = image.name if mask is None else f"{image.name}, whose nuclei are in {mask.name}"
        action = self.menu.addAction(text.replace("&", "&&"))
        take, picture = self.dock.styles.take, weakref.ref(image)
        nuclei = None if mask is None else weakref.ref(mask)

        def chosen() -> None:
            layer = picture()
            if layer is not None:
                take(layer, None if nuclei is None else nuclei())

        action.triggered.connect(chosen)


def _short(words: str, most: int = 12) -> str:
    return words if len(words) <= most else f"{words[: most - 1]}…"
