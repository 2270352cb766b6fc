"""Folders of image-mask pairs, one folder per option.

A data folder is either one set (``images/`` and ``masks/`` with shared file stems) or several, one
sub-folder per option. An optional ``dataset.yaml`` names the order of the options, their sources and
licences, and which files are held out.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from napari_synth.core.errors import InputError
from napari_synth.core.files import entries, existing_folder, name_of, text_named
from napari_synth.core.names import FileName
from napari_synth.core.seeds import numpy_rng
from napari_synth.core.untrusted import first_problem, load_yaml
from napari_synth.datasets.image_files import read_image, read_labels
from napari_synth.datasets.listing import by_stem
from napari_synth.datasets.mask_encoding import mask_plane, to_uint8_rgb

DATASET_FILE = "dataset.yaml"


class OptionSource(BaseModel):
    """One option of a data set: a look, where its pairs come from and which are held out."""

    model_config = ConfigDict(extra="forbid")

    name: FileName
    title: str = ""
    source: str = ""
    licence: str = ""
    attribution: str = ""
    hold_out: str = ""
    """``every:5`` (the 5th, 10th, … by sorted name), a file-name pattern such as ``08_*``, or empty."""


class DatasetDescription(BaseModel):
    """The contents of ``dataset.yaml``."""

    model_config = ConfigDict(extra="forbid")

    title: str = ""
    """What a model trained on it is called."""
    options: list[OptionSource] = Field(default_factory=list)


@dataclass(frozen=True)
class Pair:
    """One image-mask pair on disk."""

    stem: str
    image: Path
    mask: Path


@dataclass(frozen=True)
class LoadedPair:
    """One pair in memory: ``labels`` (Y, X) int32 and ``image`` (Y, X, 3) uint8."""

    stem: str
    labels: np.ndarray
    image: np.ndarray
    rgb: bool


@dataclass(frozen=True)
class OptionPairs:
    """The files of one option, split into training and held-out."""

    source: OptionSource
    training: tuple[Pair, ...]
    held_out: tuple[Pair, ...]


def is_held_out(index: int, stem: str, rule: str) -> bool:
    """Whether file number ``index`` (0-based, sorted by name) is held out by ``rule``."""
    if not rule:
        return False
    if rule.startswith("every:"):
        every = rule.removeprefix("every:")
        if not every.isdecimal() or len(every) > 9 or int(every) < 2:
            raise InputError(f"The hold-out rule {rule!r} is not understood.", "Write every:5 or a file pattern.")
        return index % int(every) == int(every) - 1
    return fnmatch.fnmatch(stem, rule)


def find_pairs(folder: Path) -> list[Pair]:
    """Pairs in ``folder/images`` and ``folder/masks``, sorted by stem.

    Raises
    ------
    InputError
        If a folder is missing, empty, two files have one stem, or an image has no mask.
    """
    images = existing_folder(folder / "images", "image folder")
    masks = existing_folder(folder / "masks", "mask folder")
    mask_of, pairs = by_stem(masks), []
    for stem, path in by_stem(images).items():
        if stem not in mask_of:
            raise InputError(f"The image {path} has no mask.", f"Put {stem}.png or .tif into {masks}.")
        pairs.append(Pair(stem, path, mask_of[stem]))
    if not pairs:
        raise InputError(f"The folder {images} holds no PNG, TIFF or JPEG images.", "Check the path.")
    return pairs


def find_options(data: str | Path) -> list[OptionPairs]:
    """The options of a data folder, in the order of ``dataset.yaml`` or of their names."""
    root = existing_folder(data, "data folder")
    if (root / "images").is_dir():
        sources, folders = [OptionSource(name=name_of(root))], [root]
    else:
        sources = _option_sources(root)
        folders = [root / source.name for source in sources]
    options = []
    for source, folder in zip(sources, folders, strict=True):
        training: list[Pair] = []
        held_out: list[Pair] = []
        for index, pair in enumerate(find_pairs(existing_folder(folder, "option folder"))):
            (held_out if is_held_out(index, pair.stem, source.hold_out) else training).append(pair)
        if not training:
            raise InputError(f"Every file of option {source.name} is held out.", "Change its hold_out rule.")
        options.append(OptionPairs(source, tuple(training), tuple(held_out)))
    return options


def describe(root: Path) -> DatasetDescription:
    """Read ``dataset.yaml``; an empty description where there is no such file.

    Raises
    ------
    InputError
        If the file is not valid.
    """
    description = root / DATASET_FILE
    if not description.is_file():
        return DatasetDescription()
    try:
        text = description.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{description} cannot be read as text.", "Save it as UTF-8.") from error
    try:
        return DatasetDescription.model_validate(load_yaml(text, str(description), "Correct the file."))
    except ValidationError as error:
        problem = ": ".join(first_problem(error, "it"))
        raise InputError(f"{description} is not valid: {problem}.", "Correct the file.") from error


def _option_sources(root: Path) -> list[OptionSource]:
    if sources := describe(root).options:
        return sources
    names = sorted(text_named(path).name for path in entries(root) if (path / "images").is_dir())
    if not names:
        raise InputError(
            f"The data folder {root} holds neither images/ and masks/ nor option folders with them.",
            "Arrange it as DATA/images and DATA/masks, or DATA/OPTION/images and DATA/OPTION/masks.",
        )
    return [OptionSource(name=name) for name in names]


def load_pairs(pairs: Iterable[Pair]) -> tuple[list[LoadedPair], list[str]]:
    """Read pairs to train on, those without a nucleus left out, and say in sentences which these are.

    Raises
    ------
    InputError
        If a pair cannot be read, or no mask has a nucleus.
    """
    loaded = [load_pair(pair) for pair in pairs]
    full = [pair for pair in loaded if pair.labels.any()]
    empty = [pair.stem for pair in loaded if not pair.labels.any()]
    if not full:
        raise InputError(
            f"There is no nucleus in any of the {len(empty)} masks ({named(empty)}): all of them are empty.",
            "Export the masks again, and look at one.",
        )
    return full, [empty_masks(empty)] if empty else []


def empty_masks(names: Sequence[str]) -> str:
    """The sentence on masks that are left out because they are empty."""
    if len(names) == 1:
        return f"The mask {names[0]} is empty and is left out."
    return f"{len(names)} masks are empty and are left out: {named(names)}."


def named(names: Sequence[str], most: int = 5) -> str:
    """Some names as text, and how many more there are."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def load_pair(pair: Pair) -> LoadedPair:
    """Read a pair; `InputError` when image and mask differ in size."""
    image, labels = read_image(pair.image), read_labels(pair.mask)
    if image.shape[:2] != labels.shape:
        raise InputError(
            f"The image {pair.image} is {image.shape[1]}×{image.shape[0]} pixels "
            f"but its mask is {labels.shape[1]}×{labels.shape[0]}.",
            "Crop or resize one of them (masks with nearest neighbour).",
        )
    return LoadedPair(pair.stem, labels, to_uint8_rgb(image), rgb=image.ndim == 3)


class PairSampler:
    """Random training crops; the batch of a step depends on ``seed`` and ``step`` alone.

    Each batch takes its samples from the options in turn, so all weigh the same.

    Parameters
    ----------
    options : list of list of LoadedPair
        Pairs of each option.
    crop : int
        Side of the square crop in pixels; smaller images are continued by reflection.
    meaning : str
        See `mask_plane`.
    seed : int
    """

    def __init__(self, options: list[list[LoadedPair]], crop: int, meaning: str, seed: int):
        self.crop = crop
        self.seed = seed
        self._options = [
            [(mask_plane(pair.labels, meaning).astype(bool), pair.image) for pair in pairs] for pairs in options
        ]

    def batch(self, step: int, size: int, rank: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Draw the batch of a step.

        Returns
        -------
        masks : ndarray, shape (B, 1, crop, crop), float32 in {0, 1}
        images : ndarray, shape (B, 3, crop, crop), uint8
        numbers : ndarray, shape (B,), int
            Option of each sample.
        """
        rng = numpy_rng(self.seed, "crop", step, rank)
        masks, images, numbers = [], [], []
        for position in range(size):
            number = (step * size + position) % len(self._options)
            pairs = self._options[number]
            mask, image = random_crop(*pairs[rng.integers(len(pairs))], self.crop, rng)
            masks.append(mask[None].astype(np.float32))
            images.append(image.transpose(2, 0, 1))
            numbers.append(number)
        return np.stack(masks), np.stack(images), np.array(numbers)


def random_crop(
    mask: np.ndarray, image: np.ndarray, crop: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """The same random square of both, flipped and turned by a multiple of 90 degrees alike."""
    short = [max(crop - side, 0) for side in mask.shape]
    if any(short):
        mask = np.pad(mask, [(0, n) for n in short], mode="symmetric")
        image = np.pad(image, [*((0, n) for n in short), (0, 0)], mode="symmetric")
    y, x = (rng.integers(side - crop + 1) for side in mask.shape)
    turns, flip = rng.integers(4), rng.integers(2)
    out = []
    for array in (mask, image):
        array = np.rot90(array[y : y + crop, x : x + crop], int(turns))
        out.append(array[:, ::-1] if flip else array)
    return out[0], out[1]
