"""Cures for labels: what is done to the copy of a mask."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import ndimage
from skimage.measure import label as connected

from napari_synth.core.registry import Registry
from napari_synth.masks.binary import binary_instances

SPECK = 4
HOLE = 0.1
TURNS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "mirrored left-right": lambda a: a[:, ::-1],
    "mirrored top-bottom": lambda a: a[::-1],
    "turned by 180°": lambda a: a[::-1, ::-1],
    "turned by 90°": lambda a: np.rot90(a),
    "turned by 270°": lambda a: np.rot90(a, 3),
    "transposed": lambda a: a.T,
    "transposed the other way": lambda a: a[::-1, ::-1].T,
}
"""What undoes each; all but the turns by 90° and 270° undo themselves."""
EVERY_TURN = (lambda a: a, *TURNS.values())
"""All ways in which a square can lie."""
UNDONE_BY = {"turned by 90°": "turned by 270°", "turned by 270°": "turned by 90°"}


def parts_numbered(labels: np.ndarray) -> np.ndarray:
    """A number for each connected part of a number."""
    return np.asarray(connected(labels, background=0, connectivity=2), np.int32)


def renumbered(labels: np.ndarray) -> np.ndarray:
    """Numbers from 1 without gaps, in their order."""
    values = np.union1d([0], labels)
    return np.searchsorted(values, labels).astype(np.int32)


def split_nuclei(labels: np.ndarray) -> np.ndarray:
    """Touching nuclei of a binary mask parted, see `masks.binary.binary_instances`; specks alone are numbered."""
    found = binary_instances(labels > 0)
    return found if found.any() else parts_numbered(labels > 0)


def holes_filled(labels: np.ndarray) -> np.ndarray:
    """Holes of less than a tenth of their nucleus get its number."""
    result = labels.copy()
    background = connected(labels == 0, connectivity=1)
    if background.max(initial=0) < 2:
        return result  # most masks have no hole anywhere
    enclosed = np.bincount(background.ravel()) < np.bincount(labels.ravel())[1:].max(initial=0)
    enclosed[0] = False
    within = enclosed[background]
    for number, box in enumerate(ndimage.find_objects(labels), 1):
        if box is not None and within[box].any():
            nucleus = labels[box] == number
            holes = connected(ndimage.binary_fill_holes(nucleus) & ~nucleus, connectivity=1)
            if holes.any():
                small = np.bincount(holes.ravel()) < HOLE * nucleus.sum()
                small[0] = False
                result[box][small[holes] & (labels[box] == 0)] = number
    return result


def without_specks(labels: np.ndarray) -> np.ndarray:
    """Without parts of at most `SPECK` pixels that lie apart from a larger part of their number."""
    parts = parts_numbered(labels)
    sizes = np.bincount(parts.ravel())
    owners = np.zeros(len(sizes), np.int64)
    owners[parts.ravel()] = labels.ravel()
    largest = np.zeros(int(owners.max()) + 1, np.int64)
    np.maximum.at(largest, owners, sizes)
    speck = (sizes <= SPECK) & (largest[owners] > SPECK)
    speck[0] = False
    result: np.ndarray = np.where(speck[parts], 0, labels)
    return result


def inverted(labels: np.ndarray) -> np.ndarray:
    """Background and foreground exchanged."""
    background: np.ndarray = labels == 0
    return background.astype(np.int32)


def shifted(labels: np.ndarray, down: int, right: int) -> np.ndarray:
    """Moved by whole pixels; what comes in is background."""
    result = np.zeros_like(labels)
    height, width = labels.shape
    from_y, to_y = slice(max(-down, 0), height - max(down, 0)), slice(max(down, 0), height - max(-down, 0))
    from_x, to_x = slice(max(-right, 0), width - max(right, 0)), slice(max(right, 0), width - max(-right, 0))
    result[to_y, to_x] = labels[from_y, from_x]
    return result


def turned(labels: np.ndarray, how: str) -> np.ndarray:
    """Turned back from ``how``, a key of `TURNS`."""
    return np.ascontiguousarray(TURNS[UNDONE_BY.get(how, how)](labels))


def scaled(labels: np.ndarray, height: int, width: int) -> np.ndarray:
    """With another number of pixels, each taken from the nearest one."""
    y = ((np.arange(height) + 0.5) * labels.shape[0] / height).astype(int)
    x = ((np.arange(width) + 0.5) * labels.shape[1] / width).astype(int)
    nearest: np.ndarray = labels[np.ix_(y, x)]
    return nearest


def unchanged(labels: np.ndarray) -> np.ndarray:
    """As they were read: reading repaired them."""
    return labels


MASK_CURES: Registry[Callable[..., np.ndarray]] = Registry(
    "cure",
    {
        "read": unchanged,
        "scale": scaled,
        "turn": turned,
        "shift": shifted,
        "invert": inverted,
        "specks": without_specks,
        "holes": holes_filled,
        "parts": parts_numbered,
        "split": split_nuclei,
        "renumber": renumbered,
    },
)
"""In the order in which they are applied."""
