"""QuPath GeoJSON: detections and annotations with polygons in pixels of the whole image."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from napari_synth.core.errors import InputError
from napari_synth.datasets.foreign_masks.base import (
    ForeignFormat,
    ForeignMask,
    edges_to_centres,
    filled,
    image_of,
    read_json,
    shape_of,
)


def _features(content: Any) -> list[dict[str, Any]] | None:
    features = content.get("features") if isinstance(content, dict) else content
    if isinstance(features, list) and all(isinstance(f, dict) and f.get("type") == "Feature" for f in features):
        return features
    return None


def recognises(path: Path) -> bool:
    """See `ForeignFormat`."""
    if path.suffix.lower() not in (".geojson", ".json") or not path.is_file():
        return False
    return _features(read_json(path)) is not None


def read(path: Path, images: Path | None) -> Iterator[ForeignMask]:
    """See `ForeignFormat`."""
    image = image_of(path.stem, images, path.parent)
    shape = shape_of(image, path)
    try:
        nuclei = [outlines for f in _features(read_json(path)) or [] if (outlines := _outlines(f))]
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"{path.name} is not as GeoJSON describes it.", "Export it again.") from error
    labels, remarks = filled(shape, nuclei)
    yield ForeignMask(path.stem, labels, image, remarks)


def _outlines(feature: dict[str, Any]) -> list[np.ndarray]:
    """The rings of a nucleus; of a cell with a nucleus in it, those of the nucleus."""
    geometry = feature.get("nucleusGeometry") or feature["geometry"]
    if geometry["type"] == "Polygon":
        return [edges_to_centres(ring) for ring in geometry["coordinates"]]
    if geometry["type"] == "MultiPolygon":
        return [edges_to_centres(ring) for polygon in geometry["coordinates"] for ring in polygon]
    return []


FORMAT = ForeignFormat("QuPath GeoJSON: polygons", recognises, read)
