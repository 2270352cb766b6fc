"""COCO json: polygons and run lengths.

Source: cocodataset.org, "Data format"; the compressed counts are those of pycocotools' ``rleFrString``.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from napari_synth.core.errors import InputError
from napari_synth.datasets.foreign_masks.base import (
    ForeignFormat,
    ForeignMask,
    checked_shape,
    edges_to_centres,
    folder_named,
    hidden,
    image_of,
    inside,
    put,
    read_json,
)


def recognises(path: Path) -> bool:
    """See `ForeignFormat`."""
    if path.suffix.lower() != ".json" or not path.is_file():
        return False
    content = read_json(path)
    return isinstance(content, dict) and {"images", "annotations"} <= content.keys()


def read(path: Path, images: Path | None) -> Iterator[ForeignMask]:
    """See `ForeignFormat`."""
    content = read_json(path)
    by_image: dict[Any, list[dict[str, Any]]] = {}
    try:
        for annotation in content["annotations"]:
            by_image.setdefault(annotation["image_id"], []).append(annotation)
        for entry in content["images"]:
            name = str(entry["file_name"])
            stem = Path(name.replace("\\", "/")).stem
            shape = checked_shape(entry.get("height"), entry.get("width"), path)
            labels = np.zeros(shape, np.int32)
            count = 0
            for count, annotation in enumerate(by_image.get(entry["id"], []), 1):
                put(labels, count, _pixels(annotation, shape))
            folder = folder_named(path.parent, name, path.parent)
            image = image_of(stem, images, folder, path.parent / "images", path.parent)
            yield ForeignMask(stem, labels, image, hidden(labels, count))
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise InputError(f"{path.name} is not as COCO describes it.", "Export it again.") from error


def _pixels(annotation: dict[str, Any], shape: tuple[int, int]) -> tuple[tuple[slice, slice], np.ndarray]:
    segmentation = annotation["segmentation"]
    everywhere = (slice(0, shape[0]), slice(0, shape[1]))
    if isinstance(segmentation, dict):
        return everywhere, decode(segmentation["counts"], tuple(segmentation["size"]))
    mask = np.zeros(shape, bool)
    for outline in segmentation:  # parts of one nucleus, not holes
        box, part = inside(shape, [edges_to_centres(np.reshape(outline, (-1, 2)))])
        mask[box] |= part
    return everywhere, mask


def decode(counts: list[int] | str, size: tuple[int, ...]) -> np.ndarray:
    """Run lengths, which go down the columns and begin with background, as a mask."""
    runs = np.asarray(_numbers(counts) if isinstance(counts, str) else counts, np.int64)
    height, width = size
    if (runs < 0).any() or runs.sum() != height * width:
        raise ValueError("run lengths do not fill the image")
    return np.repeat(np.arange(len(runs)) % 2 == 1, runs).reshape(width, height).T


def _numbers(text: str) -> list[int]:
    """Compressed counts: 5 bits to a character, and from the third number on differences to the last but one."""
    numbers: list[int] = []
    place = 0
    while place < len(text):
        value, shift, more = 0, 0, True
        while more:
            bits = ord(text[place]) - 48
            value |= (bits & 0x1F) << shift
            more = bool(bits & 0x20)
            place, shift = place + 1, shift + 5
            if not more and bits & 0x10:
                value |= -1 << shift
        numbers.append(value + numbers[-2] if len(numbers) > 2 else value)
    return numbers


FORMAT = ForeignFormat("COCO json: polygons and run lengths", recognises, read)
