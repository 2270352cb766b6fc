"""Compose a field of nuclei: how many, which shapes, where, without merging any two."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from napari_synth.core.errors import InputError
from napari_synth.core.progress import CancelToken
from napari_synth.core.recipe import REFERENCE_AREA, FieldSettings, FieldSource, mask_hash
from napari_synth.core.seeds import numpy_rng, series_seed
from napari_synth.datasets.instances import moments
from napari_synth.masks.canvas import Canvas
from napari_synth.masks.field_v1 import compose_first
from napari_synth.masks.nucleus_table import NucleusField, features_of
from napari_synth.masks.outlines import SHAPE_THRESHOLD, outlines, scale_for_area
from napari_synth.masks.samplers import SAMPLERS, Draw
from napari_synth.masks.spacing import SPACINGS, Window, by_density, uniform

if TYPE_CHECKING:
    from napari_synth.masks.shape_model import ShapeModel

POOL = 3
"""Shapes drawn per nucleus where eccentricities are to follow measured ones."""
AREA_RANGE = (0.25, 4.0)
"""Areas from a Normal law are kept within these multiples of their mean."""


@dataclass(frozen=True)
class Shapes:
    """Sampled shapes: codes, what they decode to, and which library shapes they are (-1: none)."""

    codes: np.ndarray
    decoded: np.ndarray
    members: np.ndarray

    def chosen(self, keep: np.ndarray) -> Shapes:
        """Those that an index array picks."""
        return Shapes(self.codes[keep], self.decoded[keep], self.members[keep])


def field_sources(settings: FieldSettings, n: int = 1, seed: int = 1) -> Iterator[FieldSource]:
    """The recipe sources of ``n`` fields: the first has ``seed`` itself, the others seeds derived from it."""
    return (FieldSource(settings=settings, seed=series_seed(seed, "field", index)) for index in range(n))


def compose_field(
    settings: FieldSettings,
    shapes: ShapeModel,
    seed: int,
    cancel: CancelToken | None = None,
    *,
    onto: np.ndarray | None = None,
    window: Window | None = None,
    density: np.ndarray | None = None,
) -> NucleusField:
    """Sample nuclei and place them one by one; none merge.

    How many, how large, how elongated, how turned, where and how close to each other is said by the
    settings. A nucleus that finds no place is left out.

    Parameters
    ----------
    settings : FieldSettings
    shapes : ShapeModel
    seed : int
    cancel : CancelToken, optional
        Asked before each nucleus.
    onto : ndarray, shape (Y, X), optional
        Labels that stay as they are; new nuclei get numbers above theirs.
    window : tuple of int, optional
        First row, first column, last row + 1, last column + 1 of where centres may lie.
    density : ndarray, shape (Y, X), optional
        Where nuclei lie, in place of the settings' file.

    Returns
    -------
    NucleusField
        With the labels of the whole canvas, and the table of the new nuclei.

    Raises
    ------
    Cancelled
        If ``cancel`` was set.
    InputError
        If the sampler or the spacing is unknown, a library or density is unusable or of another size.
    """
    cancel = cancel or CancelToken()
    if settings.composer == 1:
        return compose_first(settings, shapes, seed, cancel)
    canvas_shape = (settings.height, settings.width) if onto is None else onto.shape
    labels = np.zeros(canvas_shape, np.int32) if onto is None else onto
    area = _checked_window(window or (0, 0, *canvas_shape), canvas_shape)
    wanted = _count(settings, area, numpy_rng(seed, "count"))
    sampled = sample_shapes(settings, shapes, numpy_rng(seed, "shapes"), wanted)
    angles = _angles(settings, sampled, numpy_rng(seed, "angles"))
    scales = _scales(settings, sampled, numpy_rng(seed, "sizes"))
    cancel.raise_if_cancelled()
    gap = settings.gap if settings.spacing == "apart" else 1
    outlined = outlines(sampled.decoded, angles, scales, gap)
    canvas = Canvas(labels, outlined)
    rng = numpy_rng(seed, "places")
    if density is None and settings.density:
        density = read_density(settings)
    if density is not None and density.shape != tuple(canvas_shape):
        raise InputError(
            f"The density is {density.shape}, but the field is {tuple(canvas_shape)}.", "Use one of the same size."
        )
    propose = uniform(rng, area) if density is None else by_density(rng, area, density)
    spacing = SPACINGS[settings.spacing](settings, canvas, area, propose, rng, wanted)
    rows, label = [], int(labels.max(initial=0))
    by_size = np.argsort([-outline.area for outline in outlined], kind="stable")  # small ones fit in between
    for index in by_size.tolist():
        cancel.raise_if_cancelled()
        footprint = canvas.footprint(outlined[index])
        place = spacing.find(footprint)
        if place is None:
            continue
        label += 1
        pixels = canvas.put(*place, footprint, label)
        spacing.placed(label, *place, footprint)
        about = (pixels, angles[index], scales[index], *place, sampled.members[index])
        rows.append((label, *about, *sampled.codes[index]))
    return NucleusField(canvas.labels, features_of(rows, shapes.card.latent_size), wanted)


def sample_shapes(settings: FieldSettings, shapes: ShapeModel, rng: np.random.Generator, count: int) -> Shapes:
    """Shapes of the settings' sampler; their eccentricities follow measured ones where there are any."""
    sampler = SAMPLERS[settings.sampler](
        shapes.card.latent_size, settings.spread, lambda: shapes.latents(settings.library)
    )
    if not settings.eccentricity_quantiles:
        return decoded(sampler.draw(rng, count), shapes, settings.library)
    pool = decoded(sampler.draw(rng, POOL * count), shapes, settings.library)
    wanted = _from_quantiles(settings.eccentricity_quantiles, rng.random(count))
    present = moments(pool.decoded > SHAPE_THRESHOLD).eccentricity
    return pool.chosen(_nearest_unused(present, wanted))


def decoded(draw: Draw, shapes: ShapeModel, library: str = "") -> Shapes:
    """What the codes of a draw look like, all in one call; library shapes stay as they are."""
    images = np.empty((len(draw.codes), 64, 64), np.float32)
    real = draw.members >= 0
    if real.any():
        images[real] = shapes.latents(library).shapes[draw.members[real]]
    if not real.all():
        images[~real] = shapes.decode(draw.codes[~real])
    return Shapes(draw.codes, images, draw.members)


def read_density(settings: FieldSettings) -> np.ndarray:
    """The settings' density image as ``(Y, X)`` numbers."""
    from napari_synth.datasets.image_files import read_image

    image = read_image(Path(settings.density))
    grey = image.astype(np.float64) if image.ndim == 2 else image.astype(np.float64).mean(-1)
    if settings.density_sha256 and density_hash(grey) != settings.density_sha256:
        raise InputError(
            f"The density {settings.density} is not the one the recipe was made with.", "Put the original back."
        )
    return grey


def density_hash(density: np.ndarray) -> str:
    """`mask_hash` of a density on a fixed scale."""
    return mask_hash(np.rint(np.asarray(density, np.float64) * 256))


def _checked_window(window: Window, shape: tuple[int, ...]) -> Window:
    top, left, bottom, right = window
    clipped = (max(int(top), 0), max(int(left), 0), min(int(bottom), shape[0]), min(int(right), shape[1]))
    if clipped[0] >= clipped[2] or clipped[1] >= clipped[3]:
        raise InputError("The rectangle does not lie on the mask.", "Draw it over the mask.")
    return clipped


def _count(settings: FieldSettings, window: Window, rng: np.random.Generator) -> int:
    share = (window[2] - window[0]) * (window[3] - window[1]) / REFERENCE_AREA
    if settings.count_scaling == "length":
        share = spread = float(np.sqrt(share))
    else:
        spread = float(np.sqrt(share))
    if settings.count_law == "poisson":
        return int(rng.poisson(settings.count_mean * share))
    if settings.count_law == "fixed":
        return round(settings.count_mean * share)
    if settings.count_law == "measured":
        return round(float(_from_quantiles(settings.count_quantiles, rng.random())) * share)
    drawn = round(rng.normal(settings.count_mean * share, settings.count_sd * spread))
    return max(drawn, 1 if settings.count_mean else 0)


def _angles(settings: FieldSettings, sampled: Shapes, rng: np.random.Generator) -> np.ndarray:
    count = len(sampled.codes)
    if settings.orientation == "none":
        return np.zeros(count)
    if settings.orientation == "uniform":
        return rng.uniform(0, 360, count)
    wanted = rng.normal(settings.angle, settings.angle_sd, count) + 180 * rng.integers(2, size=count)
    angles: np.ndarray = (wanted - moments(sampled.decoded > SHAPE_THRESHOLD).axis) % 360
    return angles


def _scales(settings: FieldSettings, sampled: Shapes, rng: np.random.Generator) -> np.ndarray:
    count = len(sampled.codes)
    if settings.area_law == "scale":
        return rng.uniform(settings.scale_low, settings.scale_high, count)
    if settings.area_law == "measured":
        areas = _from_quantiles(settings.area_quantiles, rng.random(count))
    else:
        low, high = (factor * settings.area_mean for factor in AREA_RANGE)
        areas = np.clip(rng.normal(settings.area_mean, settings.area_sd, count), low, high)
    return scale_for_area(sampled.decoded, areas)


def _from_quantiles(quantiles: tuple[float, ...], shares: np.ndarray | float) -> np.ndarray:
    """Numbers of a measured distribution at shares in [0, 1]."""
    return np.asarray(np.interp(shares, np.linspace(0, 1, len(quantiles)), quantiles))


def _nearest_unused(present: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """For each wanted number the index of the nearest one present; none twice."""
    order = np.argsort(present, kind="stable").tolist()
    values = present[order]
    chosen = np.empty(len(wanted), np.int64)
    free = np.ones(len(order), bool)
    for index, target in enumerate(wanted):
        right = left = int(np.searchsorted(values, target))
        while right < len(order) and not free[right]:
            right += 1
        left -= 1
        while left >= 0 and not free[left]:
            left -= 1
        closer_left = left >= 0 and (right >= len(order) or target - values[left] <= values[right] - target)
        place = left if closer_left else right
        free[place] = False
        chosen[index] = order[place]
    return chosen
