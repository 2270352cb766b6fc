"""Decoded shapes turned and scaled to pixels, many in one go."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

SHAPE_THRESHOLD = 0.5
TILE_STEP = 12
"""Tiles are odd multiples of about this side, so that few sizes serve all nuclei."""
TILES_AT_ONCE = 512
FOUR = ndimage.generate_binary_structure(2, 1)
IN_PLANE = np.zeros((3, 3, 3), bool)
IN_PLANE[1] = FOUR
LARGEST_SCALE = 64.0


@dataclass(frozen=True, eq=False)
class Outline:
    """The pixels of one nucleus around its centre.

    Attributes
    ----------
    dy, dx : ndarray, shape (P,), int32
        Rows, in rising order, and columns relative to the centre of the decoded shape; one 4-connected
        part without holes.
    grown_dy, grown_dx : ndarray, shape (Q,), int32
        The same grown by the gap that was asked for.
    reach : int
        No row or column is further from the centre.
    """

    dy: np.ndarray
    dx: np.ndarray
    grown_dy: np.ndarray
    grown_dx: np.ndarray
    reach: int

    @property
    def area(self) -> int:
        return len(self.dy)


def scale_for_area(shapes: np.ndarray, area: np.ndarray) -> np.ndarray:
    """The factor that gives each decoded shape ``(N, 64, 64)`` its area in square pixels."""
    present = _sum(shapes > SHAPE_THRESHOLD)
    scales: np.ndarray = np.sqrt(np.asarray(area) / np.maximum(present, 1))
    limited: np.ndarray = np.minimum(scales, LARGEST_SCALE)
    return limited


def outlines(shapes: np.ndarray, angles: np.ndarray, scales: np.ndarray, gap: int = 1) -> list[Outline]:
    """Turn and scale decoded shapes.

    Parameters
    ----------
    shapes : ndarray, shape (N, 64, 64), float
        Probability of nucleus.
    angles : ndarray, shape (N,)
        Degrees, counter-clockwise.
    scales : ndarray, shape (N,)
        Pixels per pixel of the decoded shape.
    gap : int
        How far the grown outlines reach.

    Returns
    -------
    list of Outline
        Each has at least one pixel.
    """
    sides = _tile_sides(shapes, scales, gap)
    found: list[Outline | None] = [None] * len(shapes)
    for side in np.unique(sides):
        members = np.flatnonzero(sides == side)
        for first in range(0, len(members), TILES_AT_ONCE):
            part = members[first : first + TILES_AT_ONCE]
            tiles = _turned(shapes[part], angles[part], scales[part], int(side))
            _keep_one_part(tiles)
            inner, outer = _offsets(tiles), _offsets(_grown(tiles, gap))
            for member, (dy, dx), (grown_dy, grown_dx) in zip(part, inner, outer, strict=True):
                found[member] = Outline(dy, dx, grown_dy, grown_dx, int(side) // 2)
    return [outline for outline in found if outline is not None]


def _tile_sides(shapes: np.ndarray, scales: np.ndarray, gap: int) -> np.ndarray:
    """Odd sides of tiles that hold each turned shape and its gap."""
    present = shapes > SHAPE_THRESHOLD
    height, width = shapes.shape[1:]
    rows, columns = (np.abs(np.arange(length) - (length - 1) / 2) for length in (height, width))
    reach = np.hypot((present.any(2) * rows).max(1, initial=0), (present.any(1) * columns).max(1, initial=0))
    half: np.ndarray = np.ceil((reach + 1) * scales + gap + 1)
    steps: np.ndarray = np.ceil(half / TILE_STEP)
    return (2 * (steps * TILE_STEP) + 1).astype(int)


def _turned(shapes: np.ndarray, angles: np.ndarray, scales: np.ndarray, side: int) -> np.ndarray:
    """Tiles ``(N, side, side)`` of bool with the turned shapes in their middle."""
    import torch
    from torch.nn.functional import grid_sample

    offset = np.arange(side, dtype=np.float32) - (side - 1) / 2
    radians = np.deg2rad(angles).astype(np.float32)
    factor = (1 / scales).astype(np.float32)
    cos, sin = (np.cos(radians) * factor)[:, None, None], (np.sin(radians) * factor)[:, None, None]
    y, x = offset[:, None], offset[None, :]
    half = (np.array(shapes.shape[1:], np.float32) - 1) / 2
    grid = np.stack([(cos * x - sin * y) / half[1], (cos * y + sin * x) / half[0]], -1)
    with torch.inference_mode():
        soft = grid_sample(
            torch.from_numpy(np.ascontiguousarray(shapes, np.float32))[:, None],
            torch.from_numpy(grid.astype(np.float32)),
            align_corners=True,
        )
    return soft[:, 0].numpy() > SHAPE_THRESHOLD


def _keep_one_part(tiles: np.ndarray) -> None:
    """Leave the largest 4-connected part of each tile without its holes, in place; one pixel where there is none."""
    middle = tiles.shape[1] // 2
    tiles[~tiles.any((1, 2)), middle, middle] = True
    for index in np.flatnonzero(_parts(tiles) > 1):
        parts, _ = ndimage.label(tiles[index], FOUR)
        sizes = np.bincount(parts.ravel())
        sizes[0] = 0
        tiles[index] = parts == sizes.argmax()
    for index in np.flatnonzero(_euler(tiles) < 1):
        tiles[index] = ndimage.binary_fill_holes(tiles[index])


def _parts(tiles: np.ndarray) -> np.ndarray:
    """Number of 4-connected parts of each tile."""
    parts, _ = ndimage.label(tiles, IN_PLANE)
    last = np.maximum.accumulate(parts.max((1, 2)))  # parts are numbered tile after tile
    return np.diff(last, prepend=0)


def _euler(tiles: np.ndarray) -> np.ndarray:
    """Parts minus holes of each tile: pixels - pairs of neighbours + full squares of four."""
    down, right = tiles[:, 1:] & tiles[:, :-1], tiles[:, :, 1:] & tiles[:, :, :-1]
    squares = down[:, :, 1:] & down[:, :, :-1]
    euler: np.ndarray = _sum(tiles) - _sum(down) - _sum(right) + _sum(squares)
    return euler


def _sum(tiles: np.ndarray) -> np.ndarray:
    counts: np.ndarray = tiles.reshape(len(tiles), math.prod(tiles.shape[1:])).view(np.uint8).sum(1, dtype=np.int64)
    return counts


def _grown(tiles: np.ndarray, gap: int) -> np.ndarray:
    """Tiles grown by ``gap`` pixels in all eight directions."""
    for _ in range(gap):
        for axis in (1, 2):
            wide = tiles.copy()
            ahead, behind = [slice(None)] * 3, [slice(None)] * 3
            ahead[axis], behind[axis] = slice(1, None), slice(None, -1)
            wide[tuple(ahead)] |= tiles[tuple(behind)]
            wide[tuple(behind)] |= tiles[tuple(ahead)]
            tiles = wide
    return tiles


def _offsets(tiles: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """Rows and columns of each tile's pixels, from its middle."""
    side = tiles.shape[1]
    number, within = np.divmod(np.flatnonzero(tiles), side * side)
    rows, columns = np.divmod(within.astype(np.int32), np.int32(side))
    ends = np.cumsum(np.bincount(number, minlength=len(tiles)))[:-1]
    dy, dx = rows - side // 2, columns - side // 2
    return list(zip(np.split(dy, ends), np.split(dx, ends), strict=True))
