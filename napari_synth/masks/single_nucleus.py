"""One nucleus at a time: stamp it, take it up again with another size, angle or shape."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_synth.core.errors import InputError
from napari_synth.datasets.instances import EIGHT
from napari_synth.datasets.shape_library import SHAPE_SIZE, framed
from napari_synth.masks.canvas import Canvas, Footprint
from napari_synth.masks.outlines import Outline, outlines

if TYPE_CHECKING:
    from collections.abc import Iterable

    from napari_synth.masks.shape_codes import Latents
    from napari_synth.masks.shape_model import ShapeModel

SAME_CODE = 1e-5


@dataclass(frozen=True, eq=False)
class Nucleus:
    """All that makes one nucleus.

    Attributes
    ----------
    z : ndarray, shape (latent,)
    angle : float
        Degrees, counter-clockwise.
    scale : float
        Pixels per pixel of the 64×64 shape.
    y, x : float
        Its centre.
    member : int
        The library shape that it is, or -1 where it is decoded from ``z``.
    """

    z: np.ndarray
    angle: float
    scale: float
    y: float
    x: float
    member: int = -1

    def changed(self, **update: Any) -> Nucleus:
        """The same with some of it changed; a new code makes it a decoded one."""
        if "z" in update:
            update.setdefault("member", -1)
        return replace(self, **update)

    def row(self, label: int, area: int) -> tuple[float, ...]:
        """Its row in the table of a field; see `masks.nuclei.feature_names`."""
        return (label, area, self.angle % 360, self.scale, self.y, self.x, self.member, *(float(v) for v in self.z))


@dataclass(frozen=True, eq=False)
class Patch:
    """A change of a mask: ``labels[rows, columns] = values``.

    Attributes
    ----------
    rows, columns, values : ndarray, shape (P,)
    label : int
        The nucleus that was changed.
    area : int
        Its pixels afterwards; 0 where there was no room for it, and then nothing changes.
    """

    rows: np.ndarray
    columns: np.ndarray
    values: np.ndarray
    label: int
    area: int


def picture(nucleus: Nucleus, shapes: ShapeModel, libraries: Iterable[Latents] | None = None) -> np.ndarray:
    """The upright 64×64 shape of a nucleus, float32.

    Parameters
    ----------
    nucleus : Nucleus
    shapes : ShapeModel
    libraries : iterable of Latents, optional
        Where the nucleus may come from: the first in which its member has its code is taken, and it is decoded
        where there is none. The model's own library when not given.
    """
    if nucleus.member >= 0:
        for known in [shapes.latents()] if libraries is None else libraries:
            if nucleus.member < len(known) and np.allclose(known.codes[nucleus.member], nucleus.z, atol=SAME_CODE):
                shape: np.ndarray = known.shapes[nucleus.member]
                return shape.astype(np.float32)
    decoded: np.ndarray = shapes.decode(nucleus.z)[0]
    return decoded


def stamp(labels: np.ndarray, shape: np.ndarray, nucleus: Nucleus, label: int | None = None) -> Patch:
    """Put a nucleus on free pixels of a mask.

    Parameters
    ----------
    labels : ndarray, shape (Y, X)
    shape : ndarray, shape (64, 64)
        See `picture`.
    nucleus : Nucleus
    label : int, optional
        A nucleus of the mask that is taken up and put down again; a new number when not given.

    Returns
    -------
    Patch
        Neighbours keep all their pixels; what they leave free is the nucleus, in one part.
    """
    number = int(labels.max(initial=0)) + 1 if label is None else label
    rows, columns = free_pixels(labels, outline_of(shape, nucleus), nucleus.y, nucleus.x, label)
    left = np.zeros(labels.shape, bool) if label is None or not rows.size else labels == label
    left[rows, columns] = False
    gone = np.nonzero(left)
    return Patch(
        np.concatenate([gone[0], rows]),
        np.concatenate([gone[1], columns]),
        np.concatenate([np.zeros(gone[0].size, np.int64), np.full(rows.size, number, np.int64)]),
        number,
        int(rows.size),
    )


def outline_of(shape: np.ndarray, nucleus: Nucleus) -> Outline:
    """The upright shape ``(64, 64)`` of a nucleus turned and scaled as it is."""
    return outlines(shape[None], np.array([nucleus.angle]), np.array([max(nucleus.scale, 1e-3)]), gap=0)[0]


def free_pixels(
    labels: np.ndarray, outline: Outline, y: float, x: float, label: int | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Where a nucleus would lie: the largest part that neighbours and the border leave of its outline.

    Parameters
    ----------
    labels : ndarray, shape (Y, X)
    outline : Outline
    y, x : float
        Where its centre goes.
    label : int, optional
        A nucleus that does not count as a neighbour.

    Returns
    -------
    rows, columns : ndarray, shape (P,), int64
        Empty where nothing is free, or the centre lies outside the mask.
    """
    row, column, reach = round(y), round(x), outline.reach
    if not (0 <= row < labels.shape[0] and 0 <= column < labels.shape[1]):
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    top, left = max(row - reach, 0), max(column - reach, 0)
    near = np.asarray(labels[top : row + reach + 1, left : column + reach + 1])
    others = near != 0 if label is None else (near != 0) & (near != label)
    canvas = Canvas(others, [outline])
    footprint = canvas.footprint(outline)
    seen = canvas.visible(row - top, column - left, footprint, only_free=True)
    if seen is None:
        seen = _largest_seen(canvas, row - top, column - left, footprint)
    return outline.dy[seen].astype(np.int64) + row, outline.dx[seen].astype(np.int64) + column


def _largest_seen(canvas: Canvas, y: int, x: int, footprint: Footprint) -> np.ndarray:
    """The pixels of the largest part that neighbours and border leave of a nucleus."""
    from scipy import ndimage

    dy, dx = footprint.outline.dy, footprint.outline.dx
    rows, columns = dy + y, dx + x
    seen: np.ndarray = (rows >= 0) & (rows < canvas.height) & (columns >= 0) & (columns < canvas.width)
    seen &= canvas.under(y, x, footprint.inner) == 0
    if not seen.any():
        return seen
    box = np.zeros((np.ptp(dy) + 1, np.ptp(dx) + 1), bool)
    box[dy[seen] - dy.min(), dx[seen] - dx.min()] = True
    parts, _ = ndimage.label(box)
    sizes = np.bincount(parts.ravel())
    sizes[0] = 0
    seen &= parts[dy - dy.min(), dx - dx.min()] == sizes.argmax()
    return seen


def nucleus_at(labels: np.ndarray, label: int, shapes: ShapeModel) -> Nucleus:
    """What a nucleus that was painted by hand is: its code, upright, at its size.

    Raises
    ------
    InputError
        If the mask has no such nucleus.
    """
    from scipy import ndimage

    rows, columns = np.nonzero(labels == label)
    if not rows.size:
        raise InputError(f"There is no nucleus {label} in the mask.", "Choose another one.")
    top, left = rows.min(), columns.min()
    crop = np.zeros((np.ptp(rows) + 1, np.ptp(columns) + 1), bool)
    crop[rows - top, columns - left] = True
    parts, count = ndimage.label(crop, EIGHT)
    if count > 1:
        crop = parts == np.bincount(parts[parts > 0]).argmax()
    side = shapes.card.shape_side or min(max(crop.shape), SHAPE_SIZE)
    shape = framed(crop, side)
    offset = [(SHAPE_SIZE - max(round(n * side / max(crop.shape)), 1)) // 2 for n in crop.shape]
    scale = max(crop.shape) / side
    middle = (SHAPE_SIZE - 1) / 2
    y, x = (edge + (middle - start) * scale for edge, start in zip((top, left), offset, strict=True))
    return Nucleus(shapes.encode(shape[None])[0], 0.0, scale, float(y), float(x))
