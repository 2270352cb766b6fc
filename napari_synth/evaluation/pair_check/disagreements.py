"""Where a prediction of another program and the labels of a pair do not agree."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from scipy import ndimage

from napari_synth.core.errors import InputError
from napari_synth.core.files import existing_folder
from napari_synth.datasets.foreign_masks import FOREIGN_MASKS, read_foreign
from napari_synth.datasets.image_files import open_mask
from napari_synth.datasets.listing import image_files, name_key, stem_of
from napari_synth.datasets.pairs import find_pairs
from napari_synth.evaluation.metrics.instances import Overlap

ENDING = r"(_seg\.npy|(_cp)?_masks\.\w+)$"
"""What Cellpose appends to the name of an image."""
Kind = Literal["not found", "not labelled"]


@dataclass(frozen=True)
class Disagreement:
    """A labelled object that was not found, or one that was found and is not labelled (no IoU of 0.5 with any).

    Attributes
    ----------
    kind : {'not found', 'not labelled'}
    place : tuple of float
        Row and column of its centre.
    area : int
        Its pixels.
    """

    kind: Kind
    place: tuple[float, float]
    area: int


@dataclass(frozen=True, eq=False)
class Predicted:
    """What another program found in the image of a pair, ``labels`` (Y, X) int32, and where that is not its mask."""

    stem: str
    image: Path
    mask: Path
    labels: np.ndarray
    disagreements: list[Disagreement]


def disagreements(labels: np.ndarray, predicted: np.ndarray) -> list[Disagreement]:
    """All of one pair, largest objects first.

    Parameters
    ----------
    labels, predicted : ndarray, shape (Y, X), int
        0 = background.

    Raises
    ------
    ValueError
        If their shapes differ.
    """
    overlap = Overlap(labels, predicted)
    found: list[Disagreement] = []
    kinds: tuple[Kind, Kind] = ("not found", "not labelled")
    areas = (overlap.true_areas, overlap.predicted_areas)
    for kind, objects, matched, area in zip(kinds, (labels, predicted), overlap.matches(), areas, strict=True):
        numbers = np.unique(objects[objects != 0])
        alone = np.setdiff1d(np.arange(len(numbers)), matched)
        centres = ndimage.center_of_mass(objects != 0, objects, numbers[alone])
        found += [
            Disagreement(kind, (float(y), float(x)), int(area[place]))
            for place, (y, x) in zip(alone, centres, strict=True)
        ]
    return sorted(found, key=lambda one: -one.area)


def compared_with(pairs: Path, predictions: Path) -> Iterator[Predicted]:
    """Each pair of a folder that there is a prediction for.

    Parameters
    ----------
    pairs : Path
        Folder with ``images/`` and ``masks/``.
    predictions : Path
        Folder of Cellpose's ``NAME_seg.npy`` or ``NAME_cp_masks.*``, or of label images called as the images, as
        StarDist's are.

    Raises
    ------
    InputError
        If nothing there belongs to a pair, or has another size.
    """
    found = _by_name(predictions)
    some = False
    for pair in find_pairs(pairs):
        predicted = found.get(name_key(pair.stem))
        if predicted is None:
            continue
        some = True
        labels = open_mask(pair.mask, repair=True).pixels
        seen = _labels(predicted)
        if seen.shape != labels.shape:
            raise InputError(
                f"The prediction for {pair.stem} is {seen.shape[1]}×{seen.shape[0]} pixels but its mask is "
                f"{labels.shape[1]}×{labels.shape[0]}.",
                "Run the other program on the images of this folder.",
            )
        yield Predicted(pair.stem, pair.image, pair.mask, seen, disagreements(labels, seen))
    if not some:
        raise InputError(
            f"No file in {predictions} is called as a pair of {pairs}.",
            "Name label images as their images, or give the folder that Cellpose wrote.",
        )


def _by_name(predictions: Path) -> dict[str, Path]:
    """Files by the key of the pair they are for; Cellpose's, which may lie among its images, before others."""
    files = sorted(path for path in existing_folder(predictions, "folder of predictions").iterdir() if path.is_file())
    of_cellpose = [path for path in files if FOREIGN_MASKS["cellpose"].recognises(path)]
    found = {name_key(stem_of(path)): path for path in image_files(predictions) if path not in of_cellpose}
    for path in reversed(of_cellpose):
        found[name_key(re.sub(ENDING, "", path.name))] = path
    return found


def _labels(path: Path) -> np.ndarray:
    if FOREIGN_MASKS["cellpose"].recognises(path):
        return read_foreign(path, "cellpose")[0].labels
    return open_mask(path, repair=True).pixels
