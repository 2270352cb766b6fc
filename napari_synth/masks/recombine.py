"""New labels out of real ones: draw, merge two, flip, rotate, scale (Horvath et al. 2022, section 3.4)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from skimage.measure import label as number_instances

from napari_synth.core.errors import InputError, brief
from napari_synth.core.files import existing_folder, user_path
from napari_synth.core.recipe import RecombinedSource, RecombineSettings, mask_hash
from napari_synth.core.seeds import numpy_rng, series_seed
from napari_synth.datasets.image_files import as_labels, read_labels
from napari_synth.datasets.listing import image_files
from napari_synth.datasets.numpy_files import read_arrays

ARRAY_SUFFIX = ".npz"
ARRAY_NAME = "labels"
TRIES = 20
MAX_STACK = 2**28
"""Bytes of the label maps in one file."""


def find_maps(paths: Sequence[str | Path]) -> list[Path]:
    """Label map files among paths; a folder stands for the files in it.

    Raises
    ------
    InputError
        If there is none.
    """
    found: list[Path] = []
    for path in map(user_path, paths):
        if path.is_dir() or not path.suffix:
            folder = existing_folder(path, "folder of label maps")
            found += image_files(folder)
        else:
            found.append(path)
    if not found:
        raise InputError("There are no label maps in the folder.", f"Use images or {ARRAY_SUFFIX} files.")
    return found


def read_maps(paths: Sequence[str | Path]) -> list[np.ndarray]:
    """The label maps in files, those without objects left out.

    A ``.npz`` file holds many of them as the array ``labels``, (N, Y, X).

    Raises
    ------
    InputError
        If a file cannot be read or none holds an object.
    """
    maps: list[np.ndarray] = []
    for path in map(Path, paths):
        maps += _read_stack(path) if path.suffix.lower() == ARRAY_SUFFIX else [read_labels(path)]
    maps = [labels for labels in maps if labels.any()]
    if not maps:
        raise InputError("None of the label maps has an object.", "Choose other label maps.")
    return maps


def _read_stack(path: Path) -> list[np.ndarray]:
    try:
        stack = read_arrays(path, [ARRAY_NAME], MAX_STACK)[ARRAY_NAME]
    except (ValueError, KeyError) as error:
        raise InputError(
            f"{path} holds no array {ARRAY_NAME!r} of label maps ({brief(error)}).",
            "Save them as numpy.savez(labels=…).",
        ) from error
    if stack.ndim != 3:
        raise InputError(f"The label maps in {path} have shape {stack.shape}.", "Save them as (N, Y, X).")
    return [as_labels(labels, f"A label map in {path.name}") for labels in stack]


@dataclass(frozen=True, eq=False)
class LabelMaps:
    """Real label maps and the files that they are in.

    Attributes
    ----------
    files : list of Path
    maps : list of ndarray, shape (Y, X), int32
        Those with objects.
    """

    files: list[Path]
    maps: list[np.ndarray]

    @classmethod
    def read(cls, paths: Sequence[str | Path]) -> LabelMaps:
        """From files and folders; see `find_maps` and `read_maps`."""
        files = find_maps(paths)
        return cls(files, read_maps(files))


def recombined_masks(
    real: LabelMaps, settings: RecombineSettings, n: int = 1, seed: int = 1
) -> Iterator[tuple[RecombinedSource, np.ndarray]]:
    """``n`` new label maps; each comes with the recipe source that makes it again.

    The first map has ``seed`` itself, the others seeds derived from it.

    Parameters
    ----------
    real : LabelMaps
    settings : RecombineSettings
    n, seed : int
    """
    for source in recombined_sources(real, settings, n, seed):
        labels = recombine(real.maps, settings, source.seed)
        yield source.model_copy(update={"sha256": mask_hash(labels)}), labels


def recombined_sources(
    real: LabelMaps, settings: RecombineSettings, n: int = 1, seed: int = 1
) -> Iterator[RecombinedSource]:
    """The recipe sources of `recombined_masks`, before anything is made."""
    paths = [str(file.resolve()) for file in real.files]
    return (
        RecombinedSource(maps=paths, settings=settings, seed=series_seed(seed, "recombined", index))
        for index in range(n)
    )


def recombine(maps: Sequence[np.ndarray], settings: RecombineSettings, seed: int) -> np.ndarray:
    """A new label map of a canvas' size.

    One map or two are drawn; each is flipped, rotated and scaled about its objects and put at a random
    place of the canvas.

    Parameters
    ----------
    maps : sequence of ndarray, shape (Y, X), int
        Real label maps with at least one object each. Binary ones have their objects numbered.
    settings : RecombineSettings
    seed : int

    Returns
    -------
    ndarray, shape (height, width), int32
        At least one object; numbered from 1.
    """
    rng = numpy_rng(seed, "recombine")
    canvas = np.zeros((settings.height, settings.width), np.int32)
    for _ in range(1 + (rng.random() < settings.merge)):
        for _ in range(TRIES):  # a turn or a shift can leave nothing on the canvas
            placed = _placed(_objects(maps[int(rng.integers(len(maps)))]), settings, rng)
            if placed.any():
                break
        canvas = np.where(placed > 0, placed + canvas.max(), canvas)
    if not canvas.any():
        raise InputError("The objects of the label maps do not fit the canvas.", "Use a larger canvas.")
    return np.searchsorted(np.union1d([0], canvas), canvas).astype(np.int32)


def _objects(labels: np.ndarray) -> np.ndarray:
    """The part of a map that holds its objects."""
    labels = number_instances(labels > 0) if labels.max() == 1 else labels
    rows, columns = (np.flatnonzero(labels.any(axis)) for axis in (1, 0))
    return labels[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def _placed(objects: np.ndarray, settings: RecombineSettings, rng: np.random.Generator) -> np.ndarray:
    """Objects flipped, turned, scaled and moved onto a canvas."""
    from skimage.transform import AffineTransform, warp  # only here, since it does not load under python -OO

    if settings.flip:
        objects = objects[:: rng.choice([-1, 1]), :: rng.choice([-1, 1])]
    angle = np.deg2rad(rng.uniform(-settings.rotate, settings.rotate))
    low, high = sorted((settings.scale_low, settings.scale_high))
    scale = np.exp(rng.uniform(np.log(low), np.log(high)))
    shape = (settings.height, settings.width)
    place = rng.uniform((0, 0), shape)
    middle = (np.array(objects.shape) - 1) / 2
    to_canvas = (
        AffineTransform(translation=-middle[::-1])
        + AffineTransform(scale=scale, rotation=angle)
        + AffineTransform(translation=_inside(place, _half_box(objects.shape, angle, scale), shape)[::-1])
    )
    moved: np.ndarray = warp(
        objects.astype(np.float64), to_canvas.inverse, output_shape=shape, order=0, preserve_range=True
    )
    return moved.astype(np.int32)


def _half_box(shape: tuple[int, ...], angle: float, scale: float) -> np.ndarray:
    """Half the sides of the upright box around a turned and scaled rectangle."""
    turned = np.abs([[np.cos(angle), np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    half: np.ndarray = (scale * turned @ np.array(shape) - 1) / 2
    return half


def _inside(place: np.ndarray, half: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """A centre from which objects smaller than the canvas do not stick out of it."""
    last = np.array(shape) - 1
    low = np.minimum(half, last / 2)
    centre: np.ndarray = np.clip(place, low, last - low)
    return centre
