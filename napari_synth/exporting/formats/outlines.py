"""Outlines and run lengths of nuclei.

Sources: S. Suzuki and K. Abe, "Topological structural analysis of digitized binary images by border following",
CVGIP 30 (1985), algorithm 1, for the chain of border pixels; ``rleToString`` of pycocotools for compressed counts.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy import ndimage

AROUND = [(0, -1), (-1, -1), (-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1)]
"""Neighbours of a pixel, clockwise from the left, as (y, x)."""
HEADINGS = [(0, 1), (1, 0), (0, -1), (-1, 0)]
"""East, south, west, north."""
AHEAD = [((-1, 0), (0, 0)), ((0, 0), (0, -1)), ((0, -1), (-1, -1)), ((-1, -1), (-1, 0))]
"""For each of them the pixels ahead of a corner, to the left and to the right of the way."""


def border_chain(nucleus: np.ndarray) -> np.ndarray:
    """The pixels of the outer border of one piece, in order.

    Parameters
    ----------
    nucleus : ndarray, shape (Y, X), bool
        Pixels that hang together at sides or corners.

    Returns
    -------
    ndarray, shape (N, 2), int
        As (x, y). A border that is one pixel wide is gone along there and back.
    """
    inside = np.pad(nucleus, 1)
    first = (int(y := np.flatnonzero(inside.any(1))[0]), int(np.flatnonzero(inside[y])[0]))

    def turned(around: tuple[int, int], start: int, step: int) -> tuple[tuple[int, int], int] | None:
        for count in range(8):
            side = (start + step * count) % 8
            place = (around[0] + AROUND[side][0], around[1] + AROUND[side][1])
            if inside[place]:
                return place, side
        return None

    found = turned(first, 0, 1)
    if found is None:
        return np.array([[first[1] - 1, first[0] - 1]])
    last, came = found
    chain, here = [], first
    while True:
        after = turned(here, came - 1, -1)
        if after is None:  # cannot be: `came` points to a pixel of the nucleus
            break
        chain.append(here)
        place, side = after
        if place == first and here == last:
            break
        here, came = place, (side + 4) % 8
    return np.array([(x - 1, y - 1) for y, x in chain])


def edge_outline(nucleus: np.ndarray) -> np.ndarray:
    """The corners of the outer outline of one piece, along the edges of its pixels.

    Parameters
    ----------
    nucleus : ndarray, shape (Y, X), bool
        Pixels that hang together at sides or corners.

    Returns
    -------
    ndarray, shape (N, 2), int
        As (x, y), where pixel (0, 0) reaches from 0 to 1.
    """
    inside = np.pad(nucleus, 1)
    y = int(np.flatnonzero(inside.any(1))[0])
    start = (y, int(np.flatnonzero(inside[y])[0]))
    place, heading = start, 0
    corners: list[tuple[int, int]] = []
    while True:
        place = (place[0] + HEADINGS[heading][0], place[1] + HEADINGS[heading][1])
        left, right = (inside[place[0] + dy, place[1] + dx] for dy, dx in AHEAD[heading])
        turn = -1 if left else 0 if right else 1
        if turn:
            corners.append((place[1] - 1, place[0] - 1))
            heading = (heading + turn) % 4
        if place == start and heading == 0:
            break
    return np.array(corners)


def pieces(nucleus: np.ndarray) -> list[np.ndarray]:
    """The pieces of a nucleus, largest first, each ``(Y, X)`` bool."""
    parts, count = ndimage.label(nucleus, np.ones((3, 3)))
    sizes = np.bincount(parts.ravel())[1:]
    return [parts == number + 1 for number in np.argsort(-sizes, kind="stable")] if count > 1 else [nucleus]


def boxed(labels: np.ndarray) -> Iterator[tuple[int, tuple[int, int], np.ndarray]]:
    """Number, corner (y, x) and pixels in its box of each nucleus, in the order of their numbers."""
    values, packed = np.unique(labels, return_inverse=True)
    offset = 1 - int((values == 0).any())
    boxes = ndimage.find_objects(packed.reshape(labels.shape) + offset)
    for value, box in zip(values[values != 0], boxes, strict=True):
        yield int(value), (box[0].start, box[1].start), labels[box] == value


def column_runs(labels: np.ndarray) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
    """Number, starts and lengths of the runs of each nucleus, counted from 0 down the columns."""
    down = labels.T.ravel()
    order = np.argsort(down, kind="stable")
    values, firsts = np.unique(down[order], return_index=True)
    for value, places in zip(values, np.split(order, firsts[1:]), strict=True):
        if value:
            breaks = np.flatnonzero(np.diff(places) != 1) + 1
            starts = places[np.concatenate([[0], breaks])]
            yield int(value), starts, np.diff(np.concatenate([[0], breaks, [len(places)]]))


def compressed_counts(starts: np.ndarray, lengths: np.ndarray, size: int) -> str:
    """Runs of background and nucleus in turn, as the text that COCO calls ``counts``."""
    ends = starts + lengths
    gaps = starts - np.concatenate([[0], ends[:-1]])
    counts = np.stack([gaps, lengths], 1).ravel().tolist()
    if ends[-1] < size:
        counts.append(int(size - ends[-1]))
    text = []
    for place, count in enumerate(counts):
        value, more = count - counts[place - 2] if place > 2 else count, True
        while more:
            bits = value & 0x1F
            value >>= 5
            more = value != -1 if bits & 0x10 else value != 0
            text.append(chr(48 + (bits | 0x20 if more else bits)))
    return "".join(text)
