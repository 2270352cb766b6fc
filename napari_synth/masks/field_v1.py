"""The first version of the field composer, kept so that recipes written with it give the same masks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from napari_synth.core.progress import CancelToken
from napari_synth.core.recipe import REFERENCE_AREA, FieldSettings
from napari_synth.core.seeds import numpy_rng
from napari_synth.masks.nucleus_table import NucleusField
from napari_synth.masks.samplers import prior

if TYPE_CHECKING:
    from napari_synth.masks.shape_model import ShapeModel

TRIES = 60
MAX_HIDDEN = 0.15
"""Part of a nucleus that may lie under its neighbours where nuclei may touch."""
SHAPE_THRESHOLD = 0.5


def compose_first(settings: FieldSettings, shapes: ShapeModel, seed: int, cancel: CancelToken) -> NucleusField:
    """Sample nuclei and place them at random, exactly as the first version of the composer did.

    The number is Normal(``count_mean``, ``count_sd``) per 256×256 pixels and at least 1, the area
    Normal(``area_mean``, ``area_sd``) kept within a quarter and four times its mean, angle and
    place are uniform. A nucleus that finds no free place is left out; none merge.
    """
    rng = numpy_rng(seed, "field")
    share = settings.height * settings.width / REFERENCE_AREA
    drawn = round(rng.normal(settings.count_mean * share, settings.count_sd * np.sqrt(share)))
    wanted = max(drawn, 1 if settings.count_mean else 0)
    labels = np.zeros((settings.height, settings.width), np.int32)
    codes = prior(rng, wanted, shapes.card.latent_size, settings.spread)
    areas = rng.normal(settings.area_mean, settings.area_sd, wanted)
    areas = np.clip(areas, settings.area_mean / 4, settings.area_mean * 4)
    placed: list[tuple[float, ...]] = []
    if wanted:
        for shape, z, area in zip(shapes.decode_as_trained(codes), codes, areas, strict=True):
            cancel.raise_if_cancelled()
            angle = rng.uniform(0, 360)
            nucleus, scale = turned_shape(shape, angle, float(area))
            pixels = _free_place(labels, nucleus, settings.touching, rng)
            if pixels is not None:
                labels[pixels] = len(placed) + 1
                placed.append((len(placed) + 1, pixels[0].size, angle, scale, *z))
    names = ["index", "area", "angle", "scale", *(f"z{i}" for i in range(shapes.card.latent_size))]
    table = np.array(placed, np.float64).reshape(len(placed), len(names))
    features = {name: table[:, i].astype(np.int64 if i < 2 else np.float64) for i, name in enumerate(names)}
    return NucleusField(labels, features, wanted)


def turned_shape(shape: np.ndarray, angle: float, area: float) -> tuple[np.ndarray, float]:
    """A decoded shape turned and scaled to an area.

    Parameters
    ----------
    shape : ndarray, shape (64, 64), float
        Probability of nucleus.
    angle : float
        Degrees, counter-clockwise.
    area : float
        Wanted area in square pixels.

    Returns
    -------
    nucleus : ndarray of bool
        Its largest connected part, cropped to its bounding box; at least one pixel.
    scale : float
        Factor from the decoded shape to the result.
    """
    present = int(np.count_nonzero(shape > SHAPE_THRESHOLD))
    scale = float(np.sqrt(area / max(present, 1)))
    radians = np.deg2rad(angle)
    turn = np.array([[np.cos(radians), np.sin(radians)], [-np.sin(radians), np.cos(radians)]])
    side: int = max(shape.shape)
    size = int(np.ceil(side * max(scale, 1 / side) * np.sqrt(2))) | 1
    centre = (np.array(shape.shape) - 1) / 2
    inverse = turn / scale
    offset = centre - inverse @ np.full(2, (size - 1) / 2)
    soft = ndimage.affine_transform(shape, inverse, offset, (size, size), order=1)
    return _largest_part(soft > SHAPE_THRESHOLD), scale


def _largest_part(mask: np.ndarray) -> np.ndarray:
    if not mask.any():
        return np.ones((1, 1), bool)
    parts, count = ndimage.label(mask)
    if count > 1:
        sizes = np.bincount(parts.ravel())
        sizes[0] = 0
        parts = (parts == sizes.argmax()).astype(np.int32)
    part = parts > 0
    rows, columns = np.flatnonzero(part.any(1)), np.flatnonzero(part.any(0))
    filled: np.ndarray = ndimage.binary_fill_holes(part[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])
    return filled


def _free_place(
    labels: np.ndarray, nucleus: np.ndarray, touching: bool, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray] | None:
    """Pixels of a random place where the nucleus fits, or None after `TRIES` failures.

    The centre lies on the canvas; what leaves it is cut. Where nuclei may touch, up to `MAX_HIDDEN`
    of the newcomer may lie under others; else one free pixel stays around it.
    """
    height, width = labels.shape
    rows, columns = np.nonzero(nucleus)
    margin = np.nonzero(ndimage.binary_dilation(np.pad(nucleus, 1), np.ones((3, 3))))
    for _ in range(TRIES):
        top = rng.integers(height) - nucleus.shape[0] // 2
        left = rng.integers(width) - nucleus.shape[1] // 2
        y, x = _inside(rows + top, columns + left, height, width)
        if touching:
            free = labels[y, x] == 0
            if not y.size or np.count_nonzero(free) < (1 - MAX_HIDDEN) * y.size:
                continue
            y, x = y[free], x[free]
            if not _is_one_part(y, x):
                continue
        elif not y.size or labels[_inside(margin[0] + top - 1, margin[1] + left - 1, height, width)].any():
            continue
        return y, x
    return None


def _inside(y: np.ndarray, x: np.ndarray, height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    keep = (y >= 0) & (y < height) & (x >= 0) & (x < width)
    return y[keep], x[keep]


def _is_one_part(y: np.ndarray, x: np.ndarray) -> bool:
    box = np.zeros((np.ptp(y) + 1, np.ptp(x) + 1), bool)
    box[y - y.min(), x - x.min()] = True
    return bool(ndimage.label(box)[1] == 1)
