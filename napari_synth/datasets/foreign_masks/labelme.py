"""labelme json: one file per image, with polygons, rectangles and circles."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from napari_synth.core.errors import InputError
from napari_synth.core.files import entries, text_named
from napari_synth.datasets.foreign_masks.base import (
    ForeignFormat,
    ForeignMask,
    checked_shape,
    edges_to_centres,
    filled,
    folder_named,
    image_of,
    read_json,
)


def _files(path: Path) -> list[Path]:
    if path.is_file():
        return [path] if path.suffix.lower() == ".json" else []
    return [text_named(p) for p in entries(path) if p.suffix.lower() == ".json" and not p.name.startswith(".")]


def recognises(path: Path) -> bool:
    """See `ForeignFormat`."""
    files = _files(path)
    content = read_json(files[0]) if files else None
    return isinstance(content, dict) and {"shapes", "imageHeight"} <= content.keys()


def read(path: Path, images: Path | None) -> Iterator[ForeignMask]:
    """See `ForeignFormat`."""
    for file in _files(path):
        content = read_json(file)
        try:
            shape = checked_shape(content["imageHeight"], content["imageWidth"], file)
            groups: dict[Any, list[np.ndarray]] = {}
            for index, drawn in enumerate(content["shapes"]):
                group = drawn.get("group_id")
                groups.setdefault(index if group is None else ("group", group), []).append(_outline(drawn))
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(f"{file.name} is not as labelme writes it.", "Save it again.") from error
        labels, remarks = filled(shape, groups.values())
        folder = folder_named(path if path.is_dir() else path.parent, str(content.get("imagePath") or ""), file.parent)
        yield ForeignMask(file.stem, labels, image_of(file.stem, images, folder, file.parent), remarks)


def _outline(drawn: dict[str, Any]) -> np.ndarray:
    points, kind = np.asarray(drawn["points"], np.float64), drawn.get("shape_type", "polygon")
    if kind == "rectangle":
        (left, top), (right, bottom) = points.min(0), points.max(0)
        points = np.array([(left, top), (right, top), (right, bottom), (left, bottom)])
    elif kind == "circle":
        turn = np.linspace(0, 2 * np.pi, 128, endpoint=False)
        radius = np.linalg.norm(points[1] - points[0])
        points = points[0] + radius * np.stack([np.cos(turn), np.sin(turn)], axis=1)
    elif kind != "polygon":
        return np.zeros((0, 2))
    return edges_to_centres(points)


FORMAT = ForeignFormat("labelme json: polygons, rectangles, circles", recognises, read)
