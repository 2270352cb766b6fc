"""Small controls that more than one panel uses."""

from __future__ import annotations

import base64
import binascii
import weakref
from collections.abc import Iterable
from typing import TYPE_CHECKING

from qtpy.QtCore import QByteArray, Qt, Signal
from qtpy.QtGui import QColor, QIcon, QPainter, QPixmap
from qtpy.QtWidgets import QDoubleSpinBox, QHBoxLayout, QPushButton, QSizePolicy, QSpinBox, QWidget
from superqt import QLargeIntSpinBox

from napari_synth.ui.napari_bridge.keys import key_words
from napari_synth.ui.widgets.name_combo import NameCombo
from napari_synth.ui.widgets.panel import described

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    from napari.layers import Image, Labels

    from napari_synth.models.card import Look
    from napari_synth.ui.napari_bridge.image_layers import ImageLayers
    from napari_synth.ui.napari_bridge.mask_layers import MaskLayers

    class Command(Protocol):
        """What a key does, as the docks know it."""

        @property
        def key(self) -> str: ...
        @property
        def shortcut(self) -> str: ...


BOX_WIDTH = 76
LARGEST_SEED = 2**64 - 1
"""What the recipe of an exported pair may have."""
DICE_SIZE = 18
SEEN_BOXES = (
    "QAbstractItemView::indicator:unchecked { border: 1px solid gray; border-radius: 2px; width: 11px; height: 11px; }"
)
"""Style of a list or table with ticks: in dark themes an empty box is as dark as what is around it."""


def whole(low: int, high: int, name: str, tip: str) -> QSpinBox:
    """A spin box for whole numbers."""
    box = described(QSpinBox(), name, tip)
    box.setRange(low, high)
    box.setKeyboardTracking(False)
    box.setMinimumWidth(BOX_WIDTH)
    return box


def number(low: float, high: float, step: float, decimals: int, name: str, tip: str) -> QDoubleSpinBox:
    """A spin box for numbers."""
    box = described(QDoubleSpinBox(), name, tip)
    box.setDecimals(decimals)
    box.setRange(low, high)
    box.setSingleStep(step)
    box.setKeyboardTracking(False)
    box.setMinimumWidth(BOX_WIDTH)
    return box


def dice_icon() -> QIcon:
    """A die that is seen on light and dark, whatever fonts there are."""
    picture = QPixmap(4 * DICE_SIZE, 4 * DICE_SIZE)
    picture.fill(Qt.GlobalColor.transparent)
    painter = QPainter(picture)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QColor(90, 90, 90))
    painter.setBrush(QColor(250, 250, 250))
    painter.drawRoundedRect(4, 4, 4 * DICE_SIZE - 8, 4 * DICE_SIZE - 8, 14, 14)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(40, 40, 40))
    for x, y in ((1, 1), (3, 1), (2, 2), (1, 3), (3, 3)):
        painter.drawEllipse(x * DICE_SIZE - 6, y * DICE_SIZE - 6, 12, 12)
    painter.end()
    return QIcon(picture)


class SeedBox(QWidget):
    """A seed and a dice for a new one."""

    rolled = Signal()

    def __init__(self, name: str, tip: str):
        super().__init__()
        self.value = described(QLargeIntSpinBox(), name, tip)
        self.value.setRange(0, LARGEST_SEED)
        self.value.setKeyboardTracking(False)
        self.value.setMinimumWidth(BOX_WIDTH)
        self.dice = described(QPushButton(dice_icon(), ""), f"Roll the {name.lower()}", "Take a new number by chance")
        self.dice.setMaximumWidth(40)
        self.dice.clicked.connect(self.rolled)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.value, 1)
        layout.addWidget(self.dice)
        self.setFocusProxy(self.value)


class MaskCombo(NameCombo):
    """The mask layers of the viewer; choosing one makes it the current mask of the session.

    Parameters
    ----------
    masks : MaskLayers
    choose : callable, optional
        Called with the chosen layer instead.
    """

    def __init__(self, masks: MaskLayers, choose: Callable[[Labels], object] | None = None):
        super().__init__()
        self._masks, self._take = masks, choose
        self._layers: list[weakref.ref[Labels]] = []
        self.activated.connect(self._choose)

    def show_masks(self) -> None:
        """Follow the layer list."""
        layers = self._masks.layers
        self._layers = [weakref.ref(layer) for layer in layers]
        self.clear()
        self.addItems([layer.name for layer in layers] or ["no mask yet"])
        self.setEnabled(bool(layers))
        current = self._masks.current
        self.setCurrentIndex(next((i for i, layer in enumerate(layers) if layer is current), 0))

    def _choose(self, index: int) -> None:
        layer = self._layers[index]() if index < len(self._layers) else None
        if layer is not None and self._take is not None:
            self._take(layer)
        elif layer is not None:
            self._masks.current = layer


class ImageCombo(NameCombo):
    """The image layers of the viewer; choosing one makes it the one that objects are put into."""

    def __init__(self, images: ImageLayers):
        super().__init__()
        self._images = images
        self._layers: list[weakref.ref[Image]] = []
        self.activated.connect(self._choose)

    def show_images(self) -> None:
        """Follow the layer list."""
        layers = self._images.layers
        self._layers = [weakref.ref(layer) for layer in layers]
        self.clear()
        self.addItems([layer.name for layer in layers] or ["no image yet"])
        self.setEnabled(bool(layers))
        current = self._images.current
        self.setCurrentIndex(next((i for i, layer in enumerate(layers) if layer is current), 0))

    def _choose(self, index: int) -> None:
        layer = self._layers[index]() if index < len(self._layers) else None
        if layer is not None:
            self._images.current = layer


def look_icon(option: Look, side: int) -> QIcon:
    """The thumbnail of a look; a plain square where the card has none."""
    picture = QPixmap()
    try:
        picture.loadFromData(QByteArray(base64.b64decode(option.thumbnail, validate=True)))
    except binascii.Error:  # a card with a damaged thumbnail still names the look
        picture = QPixmap()
    if picture.isNull():
        picture = QPixmap(side, side)
        picture.fill(QColor(128, 128, 128))
    picture = picture.scaled(
        side, side, Qt.AspectRatioMode.KeepAspectRatioByExpanding, Qt.TransformationMode.SmoothTransformation
    )
    icon = QIcon(picture)
    icon.addPixmap(picture, QIcon.Mode.Selected)  # else Qt tints the chosen look, and colour is what it shows
    return icon


def show_key(control: QWidget, commands: Iterable[Command], key: str) -> None:
    """Let the tooltip of a control name the key that does the same."""
    shortcut = next((command.shortcut for command in commands if command.key == key), "")
    if shortcut:
        control.setToolTip(f"{control.toolTip()} ({key_words(shortcut)})")


def wide(button: QPushButton) -> QPushButton:
    """The main button of a panel."""
    button.setMinimumHeight(32)
    button.setStyleSheet("font-weight: bold;")
    button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
    return button
