"""What an export would write and how long it would take, before anything is written."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from napari_synth.core.manifest import Manifest, files_in
from napari_synth.exporting.batch import ExportRequest
from napari_synth.exporting.formats import FORMATS
from napari_synth.exporting.formats.base import Advice, Item, PairToWrite
from napari_synth.exporting.plan import Plan
from napari_synth.exporting.prepared import surveyed
from napari_synth.exporting.real_pairs import find_real_pairs
from napari_synth.synthesis.recipes import read_request

if TYPE_CHECKING:
    from napari_synth.masks.mask_reader import MaskReader
    from napari_synth.synthesis.request import Renderer

ABOUT = 5
"""Files about the whole set."""


@dataclass(frozen=True)
class Estimate:
    """What an export would make.

    Attributes
    ----------
    pairs, files, bytes : int
    seconds : float
        On this machine, with this device.
    roles : dict of str to int
        Pairs of each role; the role of an export that is not split is empty.
    advice : tuple of Advice
    """

    pairs: int
    files: int
    bytes: int
    seconds: float
    roles: dict[str, int]
    advice: tuple[Advice, ...]


@dataclass(frozen=True)
class _Tried:
    """One pair that was made for the estimate."""

    pixels: int
    seconds: float
    bytes: int


def estimate_export(request: ExportRequest, generator: Renderer, masks: MaskReader) -> Estimate:
    """Make a pair of the smallest and of the largest mask elsewhere, and conclude from their pixels.

    Raises
    ------
    InputError
        As `export_pairs` would.
    """
    out = FORMATS[request.format]
    hashed, survey = surveyed(request.recipe, masks, generator.card)
    real = find_real_pairs(request.with_real) if request.with_real is not None else []
    plan = Plan(hashed, request.split, real, plain_names=out.plain_names)
    made, found = plan.counts
    survey = replace(survey, roles=made, real=found)
    recipe = request.recipe
    start = time.perf_counter()
    pixels = [masks.labels(source).size for source in recipe.masks]
    composing = (time.perf_counter() - start) / len(pixels)
    extremes = sorted({pixels.index(min(pixels)), pixels.index(max(pixels))})
    looks = range(max(len(recipe.options), 1))
    _try(request, generator, masks, extremes[0], 0)  # what is slow the first time
    tried = [_mean([_try(request, generator, masks, position, look) for look in looks]) for position in extremes]
    each = [pixels[recipe.mask_number(index) % len(pixels)] for index in range(plan.synthetic)]
    each += [pair.labels().size for pair in real]
    files = sum(out.count_files(mask) for mask in survey.masks) / max(len(survey.masks), 1) * len(plan) + ABOUT
    return Estimate(
        pairs=len(plan),
        files=round(files),
        bytes=round(sum(between([(one.pixels, one.bytes) for one in tried], size) for size in each)),
        seconds=composing * plan.synthetic / recipe.per_mask
        + sum(between([(one.pixels, one.seconds) for one in tried], size) for size in each),
        roles=dict(made + found),
        advice=tuple(out.check(survey)),
    )


def between(known: Sequence[tuple[float, float]], pixels: float) -> float:
    """What an image of so many pixels takes, on the line through two others, or in proportion to one."""
    (low, first), (high, last) = known[0], known[-1]
    if low == high:
        return first * pixels / low
    return max(first + (last - first) * (pixels - low) / (high - low), min(first, last))


def _mean(tried: Sequence[_Tried]) -> _Tried:
    """The mean of the looks of one mask."""
    count = len(tried)
    return _Tried(tried[0].pixels, sum(t.seconds for t in tried) / count, round(sum(t.bytes for t in tried) / count))


def _try(request: ExportRequest, generator: Renderer, masks: MaskReader, position: int, look: int) -> _Tried:
    """Make the first pair of one mask and look in a folder that is removed again."""
    out, whole = FORMATS[request.format], request.recipe
    recipe = whole.item(position * whole.per_mask + look * whole.variants)
    asked = read_request(recipe, masks)
    labels = asked.labels
    item = Item("pair", "train")
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        start = time.perf_counter()
        rendering = generator.run(asked)
        channels = ("first", "second") if rendering.condition is not None else ()
        text = recipe.to_yaml()
        pair = PairToWrite(item, rendering.image, labels, text, request.pixel_size, rendering.condition, channels)
        out.write(folder, pair)
        Manifest(folder).add(out.files(folder, item))
        seconds = time.perf_counter() - start
        size = sum(path.stat().st_size for path in files_in(out.files(folder, item)))
    return _Tried(labels.size, seconds, size)
