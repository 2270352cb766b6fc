"""The recipe of a rendered layer, in a box that can be read and copied."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QDialog, QHBoxLayout, QPlainTextEdit, QPushButton, QVBoxLayout

from napari_synth.core.recipe import METADATA_KEY, checked_recipe
from napari_synth.ui.napari_bridge.clipboard import copy_text
from napari_synth.ui.widgets.panel import described

if TYPE_CHECKING:
    from napari.layers import Layer

    from napari_synth.core.recipe import Recipe
    from napari_synth.ui.context.context import Context

SIZE = (520, 560)


class RecipeBox(QDialog):
    """Says in a few lines how an image was made, and below them all of it."""

    def __init__(self, parent: Any, name: str, recipe: Recipe):
        super().__init__(parent)
        self.setWindowTitle(f"Recipe of {name}")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.resize(*SIZE)
        self.text = described(QPlainTextEdit(), "Recipe", "All that is needed to make the image again")
        self.text.setReadOnly(True)
        self.text.setPlainText(recipe.to_yaml())
        self.copy = described(QPushButton("Copy"), "Copy the recipe", "Copy it; a .yaml file with it can be replayed")
        self.shut = described(QPushButton("Close"), "Close", "Close this box (Esc)")
        self.copy.clicked.connect(self._copy)
        self.shut.clicked.connect(self.close)
        line = QHBoxLayout()
        line.addStretch(1)
        line.addWidget(self.copy)
        line.addWidget(self.shut)
        layout = QVBoxLayout(self)
        layout.addWidget(self.text)
        layout.addLayout(line)

    def _copy(self) -> None:
        copy_text(self.text.toPlainText())


def layer_with_recipe(context: Context) -> Layer | None:
    """The selected layer where it has a recipe, else the image of the current mask that is seen."""
    selected, mask = context.viewer.layers.selection.active, context.masks.current
    images = [] if mask is None else list(context.results.of(mask).values())
    seen = sorted(images, key=lambda layer: not layer.visible)
    candidates = ([] if selected is None else [selected]) + seen
    return next((layer for layer in candidates if METADATA_KEY in layer.metadata), None)


def recipe_box(parent: Any, layer: Layer) -> RecipeBox:
    """A box for the recipe that a layer carries.

    Raises
    ------
    InputError
        If somebody changed the recipe so that it is none.
    """
    recipe = checked_recipe(
        layer.metadata[METADATA_KEY], f"The recipe of the layer {layer.name!r}", "Render the mask again."
    )
    return RecipeBox(parent, layer.name, recipe)
