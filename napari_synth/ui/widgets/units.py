"""Areas in the unit of a mask."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_synth.core.errors import InputError
from napari_synth.ui.napari_bridge.mask_layers import pixel_size

if TYPE_CHECKING:
    from napari.layers import Labels
    from qtpy.QtWidgets import QDoubleSpinBox

SIGNS = {"micron": "µm", "micrometer": "µm"}


def unit_of(layer: Labels | None) -> tuple[float, str]:
    """The side of a pixel of a mask and its unit as a person writes it; 1 px where it has none."""
    if layer is None:
        return 1.0, "px"
    try:
        size = pixel_size(layer)
    except InputError:
        return 1.0, "px"
    if size.unit == "pixel":
        return 1.0, "px"
    return (size.y * size.x) ** 0.5, SIGNS.get(size.unit, size.unit)


def fit_digits(box: QDoubleSpinBox, pixel: float) -> None:
    """Digits and steps that make sense for pixels of this size."""
    area = pixel**2
    box.setDecimals(0 if area >= 1 else 1 if area >= 0.01 else 3)
    box.setSingleStep(50 * area if area < 1 else 50)
