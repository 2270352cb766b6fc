"""Nothing that is tested on may have been trained on: files, pictures and masks are compared before the first step."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from napari_synth.core.errors import InputError
from napari_synth.core.recipe import RECIPE_NAME, RecombinedSource, mask_hash, parse_recipe
from napari_synth.datasets.image_files import open_mask
from napari_synth.datasets.pairs import LoadedPair, Pair
from napari_synth.evaluation.pair_check.alignment import likeness_in_any_turn, normed, shrunk, thumbnail_of
from napari_synth.evaluation.pair_check.cures import EVERY_TURN
from napari_synth.models.checkpoint import file_hash

SAME = 0.9
"""Correlation of thumbnails from which two images show the same; different images of one stain stay below 0.5."""


@dataclass(frozen=True, eq=False)
class Known:
    """A pair as it is compared: its files, and its pixels."""

    files: Pair
    loaded: LoadedPair


def check_leaks(test: Sequence[Known], training: Sequence[Known], synthetic: Sequence[Known], folder: Path) -> None:
    """Refuse test pairs that are, or show the same as, training pairs, and synthetic pairs made of test masks.

    Parameters
    ----------
    test, training, synthetic : sequence of Known
        Real pairs to test on; other real pairs; synthetic pairs.
    folder : Path
        Of the synthetic pairs; its recipe, if any, tells from which maps they were made.

    Raises
    ------
    InputError
        Naming both files.
    """
    _same_files(test, [*training, *synthetic])
    _same_pictures(test, [*training, *synthetic])
    _same_masks(test, synthetic)
    _recombined(test, folder)


def refused(test: Path, other: Path, how: str) -> InputError:
    """The sentence of a leak."""
    return InputError(
        f"The test image {test.name} {how} {other}: what is tested on must not be trained on.",
        "Remove one of them, or put both into one group.",
    )


def _same_files(test: Iterable[Known], others: Iterable[Known]) -> None:
    seen = {_file_hash(known.files.image): known.files.image for known in others}
    for known in test:
        if (other := seen.get(_file_hash(known.files.image))) is not None:
            raise refused(known.files.image, other, "is the same file as")


def _file_hash(path: Path) -> str:
    return str(path.resolve()) if path.is_dir() else file_hash(path)  # a .zarr, or one file


def _same_pictures(test: Sequence[Known], others: Sequence[Known]) -> None:
    """Images saved in another format, turned or mirrored are found by thumbnails that correlate."""
    if not test or not others:
        return
    ours = np.stack([picture(known.loaded.image) for known in test])
    theirs = np.stack([picture(known.loaded.image) for known in others])
    for i, j in np.argwhere(likeness_in_any_turn(ours, theirs) > SAME):
        raise refused(test[i].files.image, others[j].files.image, "shows the same as")


def picture(image: np.ndarray) -> np.ndarray:
    """32×32 float32 of mean 0 and length 1: what an image shows, without slow background and fine noise."""
    small = shrunk(thumbnail_of(image), 2)
    return normed(small - small.mean())


def _same_masks(test: Sequence[Known], synthetic: Iterable[Known]) -> None:
    """Masks of test images, turned or with other numbers, must not have been rendered."""
    ours = {
        mask_hash(np.ascontiguousarray(turn(known.loaded.labels > 0))): known
        for known in test
        if known.loaded.labels.any()
        for turn in EVERY_TURN
    }
    for made in synthetic:
        known = ours.get(mask_hash(made.loaded.labels > 0))
        if known is not None:
            how = "has the mask, as it is or turned, of the synthetic pair"
            raise refused(known.files.image, made.files.mask, how)


def _recombined(test: Sequence[Known], folder: Path) -> None:
    """Masks recombined from maps: none of the maps may be a test mask."""
    path = folder / RECIPE_NAME
    if not path.is_file():
        return
    recipe = parse_recipe(path.read_text(encoding="utf-8", errors="replace"), str(path))
    ours = {mask_hash(known.loaded.labels > 0): known for known in test}
    maps = {map_ for source in recipe.masks if isinstance(source, RecombinedSource) for map_ in source.maps}
    for map_ in sorted(maps, key=str):
        place = folder / map_
        if place.is_file() and (known := ours.get(mask_hash(open_mask(place, repair=True).pixels > 0))) is not None:
            raise refused(known.files.image, place, "has the mask that synthetic masks were made of,")
