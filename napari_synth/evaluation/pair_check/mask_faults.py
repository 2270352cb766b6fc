"""Faults that a mask shows by itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from scipy import ndimage

from napari_synth.evaluation.pair_check.cures import holes_filled, parts_numbered, without_specks
from napari_synth.evaluation.pair_check.findings import Cure, Finding

FAR = 3
"""Pixels that lie between two parts of a number that are two nuclei and not one with a cut."""
MAX_BYTE = 255


def mask_faults(path: Path, labels: np.ndarray) -> Iterator[Finding]:
    """The faults of one mask.

    Parameters
    ----------
    path : Path
    labels : ndarray, shape (Y, X), int32
        Not all 0.
    """
    numbers = np.unique(labels[labels > 0])
    if labels_background(labels):
        yield _found("inverted", path, f"The mask {path.name} labels the background instead of nuclei.", "invert")
        return
    whole = without_specks(labels)
    if specks := int(np.count_nonzero(labels != whole)):
        yield _found("specks", path, f"The mask {path.name} has {specks} stray pixels beside its nuclei.", "specks")
    if len(numbers) == 1:
        yield from _binary_faults(path, labels)
    else:
        yield from _number_faults(path, whole, numbers)
    filled = int(np.count_nonzero(holes_filled(labels) != labels))
    if filled:
        yield _found("holes", path, f"The mask {path.name} has {filled} pixels of holes in its nuclei.", "holes")


def labels_background(labels: np.ndarray) -> bool:
    """Whether a mask of one number has it where nuclei are not: along the border and on most pixels."""
    present = labels > 0
    border = np.concatenate([present[0], present[-1], present[:, 0], present[:, -1]])
    return len(np.unique(labels[present])) == 1 and not present.all() and present.mean() > 0.5 and border.mean() > 0.8


def _found(kind: str, path: Path, sentence: str, *cures: str) -> Finding:
    return Finding(kind, sentence, (path,), tuple(Cure(path, name) for name in cures))


def _binary_faults(path: Path, labels: np.ndarray) -> Iterator[Finding]:
    parts, nuclei = _counted(labels > 0)
    if max(parts, nuclei) > 1:
        yield _found(
            "binary",
            path,
            f"The mask {path.name} has one number for all nuclei: {parts} connected parts, "
            f"which look like about {nuclei} nuclei.",
            "split",
        )


def _counted(foreground: np.ndarray) -> tuple[int, int]:
    """Connected parts, and about how many nuclei they are: places that lie deepest within a usual radius."""
    parts, count = ndimage.label(foreground, np.ones((3, 3)))
    radius = np.sqrt(np.median(np.bincount(parts.ravel())[1:]) / np.pi)
    depth = ndimage.gaussian_filter(ndimage.distance_transform_edt(foreground), 1)
    size = 2 * max(round(radius), 1) + 1
    peaks = (depth == ndimage.maximum_filter(depth, size)) & (depth > 0.4 * radius)
    return count, max(count, int(ndimage.label(peaks, np.ones((3, 3)))[1]))


def _number_faults(path: Path, labels: np.ndarray, numbers: np.ndarray) -> Iterator[Finding]:
    parts = parts_numbered(labels)
    count = int(parts.max())
    if numbers[-1] == MAX_BYTE and len(numbers) > 0.9 * MAX_BYTE and count > 1.02 * len(numbers):
        yield _found(
            "wrapped",
            path,
            f"The mask {path.name} has {count} nuclei but starts numbering again after 255 (8 bits hold no more).",
            "parts",
        )
        return
    shared = _shared_numbers(labels, parts) if count > len(numbers) else []
    if len(shared):
        said = ", ".join(map(str, shared[:4])) + (", …" if len(shared) > 4 else "")
        yield _found(
            "shared number", path, f"The mask {path.name} uses {len(shared)} numbers for several nuclei each ({said}).",
            "parts",
        )  # fmt: skip
    if numbers[-1] != len(numbers):
        missing = int(numbers[-1]) - len(numbers)
        yield _found("gaps", path, f"The mask {path.name} leaves {missing} numbers out.", "renumber")


def _shared_numbers(labels: np.ndarray, parts: np.ndarray) -> list[int]:
    """Numbers that two parts have which lie apart and are of like size."""
    sizes = np.bincount(parts.ravel())
    shared = []
    for number, box in enumerate(ndimage.find_objects(labels), 1):
        if box is None:
            continue
        own = parts[box][labels[box] == number]
        present = np.unique(own)
        if len(present) < 2:
            continue
        largest = present[sizes[present].argmax()]
        away = ndimage.distance_transform_edt(parts[box] != largest)
        if any(
            sizes[part] >= 0.25 * sizes[largest] and away[parts[box] == part].min() > FAR
            for part in present
            if part != largest
        ):
            shared.append(number)
    return shared
