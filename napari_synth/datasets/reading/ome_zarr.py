"""OME-Zarr images and labels, version 0.4 and 0.5, on a local disk."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from napari_synth.core.errors import InputError
from napari_synth.datasets.reading.stored import PixelSize, Stored, check_size

UNITS = {"micrometer": 1.0, "nanometer": 1e-3, "millimeter": 1e3}
"""Micrometres in a unit."""


def is_zarr(path: Path) -> bool:
    """Whether a folder is a Zarr group."""
    return path.is_dir() and any((path / name).is_file() for name in ("zarr.json", ".zgroup", ".zattrs"))


def read_zarr(path: Path) -> Stored:
    """The image at full resolution of an OME-Zarr group."""
    import zarr

    group = zarr.open_group(str(path), mode="r")
    scales = _attributes(group).get("multiscales")
    if not scales:
        kind = "a plate" if "plate" in _attributes(group) else "no image"
        raise InputError(f"{path.name} holds {kind}.", "Choose the folder of one image in it.")
    level = scales[0]["datasets"][0]
    array: Any = group[level["path"]]
    for shape in (array.shape, array.chunks):
        check_size(path, shape, array.dtype.itemsize)
    pixels = np.asarray(array[...])
    names = [
        axis["name"] if isinstance(axis, dict) else axis for axis in scales[0].get("axes", "tczyx"[-pixels.ndim :])
    ]
    axes = "".join(str(name).upper() if str(name).upper() in "TCZYX" else "Q" for name in names)
    return Stored(path, pixels, axes, _pixel_size(scales[0], level, names))


def label_groups(path: Path) -> list[Path]:
    """The label images that lie beside an OME-Zarr image."""
    import zarr

    folder = path / "labels"
    if not is_zarr(folder):
        return []
    names = _attributes(zarr.open_group(str(folder), mode="r")).get("labels", [])
    return [folder / str(name) for name in names]


def _attributes(group: Any) -> dict[str, Any]:
    attributes = dict(group.attrs)
    return dict(attributes.get("ome", attributes))


def _pixel_size(scale: dict[str, Any], level: dict[str, Any], names: list[str]) -> PixelSize:
    units = {axis["name"]: axis.get("unit") for axis in scale.get("axes", []) if isinstance(axis, dict)}
    factors = next(
        (step["scale"] for step in level.get("coordinateTransformations", []) if step.get("type") == "scale"), None
    )
    sides = [UNITS.get(str(units.get(axis))) for axis in "yx"]
    if factors is None or None in sides:
        return PixelSize()
    y, x = (factors[names.index(axis)] * (side or 1) for axis, side in zip("yx", sides, strict=True))
    return PixelSize(y, x, "µm")
