"""The choice of where sampled nuclei lie."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING

from qtpy.QtWidgets import QComboBox

from napari_synth.ui.widgets.panel import described, watch

if TYPE_CHECKING:
    from napari.layers import Layer

    from napari_synth.ui.context.context import Context


class DensityCombo(QComboBox):
    """Where sampled nuclei lie: everywhere alike, or where a layer of the size of the chosen mask is bright."""

    def __init__(self, context: Context):
        super().__init__()
        self._context = context
        self._layers: list[weakref.ref[Layer]] = []
        described(self, "Where nuclei lie", "Everywhere alike, or where a painted layer or an image is bright")
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(10)
        self.activated.connect(self._choose)
        for signal in (context.density.changed, context.masks.current_changed, context.masks.changed):
            watch(self, signal, self.show_layers)
        watch(self, context.images.changed, self.show_layers)

    def show_layers(self) -> None:
        """Follow the layer list."""
        density = self._context.density
        layers = density.candidates(self._context.masks.current)
        chosen = density.layer
        if chosen is not None and chosen not in layers:
            layers.append(chosen)
        self._layers = [weakref.ref(layer) for layer in layers]
        self.clear()
        self.addItems(["everywhere alike", *(f"bright in {layer.name}" for layer in layers)])
        self.setCurrentIndex(1 + layers.index(chosen) if chosen is not None else 0)

    def _choose(self, index: int) -> None:
        self._context.density.follow(self._layers[index - 1]() if index else None)
