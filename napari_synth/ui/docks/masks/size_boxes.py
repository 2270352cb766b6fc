"""Sizes: of a new mask in pixels, of nuclei in the units of the chosen mask."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtWidgets import QHBoxLayout, QLabel, QWidget

from napari_synth.ui.docks.masks.choices import LARGEST, SMALLEST
from napari_synth.ui.widgets.binding import bind, set_value
from napari_synth.ui.widgets.controls import number, whole
from napari_synth.ui.widgets.panel import beside, watch
from napari_synth.ui.widgets.units import fit_digits, unit_of

if TYPE_CHECKING:
    from napari_synth.ui.context.context import Context
    from napari_synth.ui.docks.masks.choices import MaskChoices

TIP = "of a new mask, in pixels; follows the chosen mask and the image selected in the layer list"


class SizeBoxes(QWidget):
    """Width and height of a new mask.

    Attributes
    ----------
    width_box, height_box : QSpinBox
    """

    def __init__(self, choices: MaskChoices):
        super().__init__()
        self.width_box = whole(SMALLEST, LARGEST, "Width", f"Width {TIP}")
        self.height_box = whole(SMALLEST, LARGEST, "Height", f"Height {TIP}")
        bind(choices, "width", self.width_box)
        bind(choices, "height", self.height_box)
        _fill(self, beside(self.width_box, "×", self.height_box))
        self.setFocusProxy(self.width_box)


class AreaBoxes(QWidget):
    """Mean and spread of the area of nuclei, in the units of the chosen mask.

    Attributes
    ----------
    mean, spread : QDoubleSpinBox
    label : QLabel
        Names the unit.
    """

    def __init__(self, context: Context):
        super().__init__()
        self._context = context
        self.label = QLabel("Area")
        self.mean = number(0.01, 1e8, 50, 0, "Area, mean", "Mean area of a nucleus")
        self.spread = number(0, 1e8, 50, 0, "Area, spread", "Standard deviation of the area")
        _fill(self, beside(self.mean, "±", self.spread))
        self.setFocusProxy(self.mean)
        self.label.setBuddy(self.mean)
        self.mean.valueChanged.connect(self._store_mean)
        self.spread.valueChanged.connect(self._store_spread)
        watch(self, context.masks.changed, self.show_area)
        watch(self, context.masks.current_changed, self.show_area)
        watch(self, context.field.events, self.show_area)

    def show_area(self) -> None:
        """Show what is stored, in the unit of the mask."""
        pixel, unit = unit_of(self._context.masks.current)
        field, base = self._context.field, self._context.field.base
        self.label.setText(f"Area ({unit}²)")
        enlarged = base is not None and field.area_law == "scale"
        texts = ("64² shapes", f"× {base.scale_low:g}–{base.scale_high:g}") if base and enlarged else ("", "")
        for box, text, area in zip((self.mean, self.spread), texts, (field.area_mean, field.area_sd), strict=True):
            fit_digits(box, pixel)
            box.setSpecialValueText(text)
            set_value(box, box.minimum() if text else area * pixel**2)

    def _store_mean(self, value: float) -> None:
        self._store("area_mean", value)

    def _store_spread(self, value: float) -> None:
        self._store("area_sd", value)

    def _store(self, name: str, value: float) -> None:
        pixel, _ = unit_of(self._context.masks.current)
        field = self._context.field
        field.set_by_hand(name)
        setattr(field, name, value / pixel**2)


def _fill(widget: QWidget, inside: QWidget) -> None:
    layout = QHBoxLayout(widget)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.addWidget(inside)
