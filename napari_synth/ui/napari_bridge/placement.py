"""Where layers lie in the world, and the planes of what they hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Image, Labels, Layer

LayerPlacement = dict[str, Any]
"""Where a layer lies in the world, as arguments for another one."""


def placement(layer: Labels | Image) -> LayerPlacement:
    """Where the last two axes of a layer lie in the world, as arguments for a layer of one plane of it."""
    units = layer.units[-2:]
    return {
        "scale": layer.scale[-2:],
        "translate": layer.translate[-2:],
        "rotate": np.asarray(layer.rotate)[-2:, -2:],
        "shear": np.asarray(layer.shear)[-1:],  # of the last two axes; napari keeps the upper triangle row by row
        "affine": layer.affine.set_slice([layer.ndim - 2, layer.ndim - 1]),
        "units": units,
        "axis_labels": layer.axis_labels[-2:],
    }


def lay(layer: Layer, place: LayerPlacement) -> None:
    """Lay a layer somewhere else."""
    for name, value in place.items():
        if _differs(getattr(layer, name), value):
            setattr(layer, name, value)


def _differs(before: Any, now: Any) -> bool:
    one, two = (getattr(value, "affine_matrix", value) for value in (before, now))
    try:
        return not np.array_equal(np.asarray(one, np.float64), np.asarray(two, np.float64))
    except (TypeError, ValueError):  # names and units
        return tuple(map(str, before)) != tuple(map(str, now))


def finest(layer: Any) -> Any:
    """The array of a layer; the finest of several resolutions."""
    return layer.data[0] if layer.multiscale else layer.data


def plane(layer: Labels | Image) -> Any:
    """The array of a layer without leading axes of length 1; for an image in colours, the colours stay last."""
    data, most = finest(layer), 3 if getattr(layer, "rgb", False) else 2
    while data.ndim > most and data.shape[0] == 1:
        data = data[0]
    return data


def is_stack(layer: Labels | Image) -> bool:
    """Whether a layer has more than one plane."""
    return bool(plane(layer).ndim > (3 if getattr(layer, "rgb", False) else 2))


def plane_shown(viewer: ViewerModel, layer: Labels | Image) -> tuple[np.ndarray, str]:
    """A copy of the plane of a layer that the sliders of the viewer show, and its name, such as ``z 3``.

    In 3-D view it is the last two axes at the place of the sliders.
    """
    data = finest(layer)
    point = layer.world_to_data(viewer.dims.point[viewer.dims.ndim - layer.ndim :])
    index: list[Any] = [slice(None)] * data.ndim
    words = []
    for axis in range(layer.ndim - 2):
        place = int(np.clip(np.rint(point[axis]), 0, data.shape[axis] - 1))
        index[axis] = place
        if data.shape[axis] > 1:
            words.append(f"{_axis_name(layer.axis_labels[axis])} {place}")
    return np.array(data[tuple(index)]), ", ".join(words)


def _axis_name(label: str) -> str:
    """An axis as a person calls it; napari numbers those without a name from the end."""
    return "plane" if label.lstrip("-").isdigit() or label.startswith("axis") else label
