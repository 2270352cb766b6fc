"""Folders of two-channel images with labels: ``anatomy/``, ``signal/`` and ``labels/`` with shared file stems."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from napari_synth.core.errors import InputError
from napari_synth.core.files import existing_folder, name_of
from napari_synth.core.intensity import Intensity, measure_intensity
from napari_synth.core.seeds import numpy_rng
from napari_synth.datasets.image_files import read_channel, read_labels
from napari_synth.datasets.listing import by_stem, stem_of
from napari_synth.datasets.mask_encoding import mask_plane
from napari_synth.datasets.pairs import OptionSource, describe, empty_masks, is_held_out, named, random_crop

FOLDERS = ("anatomy", "signal", "labels")


@dataclass(frozen=True)
class Triplet:
    """One plane in memory.

    Attributes
    ----------
    stem : str
    anatomy, signal : ndarray, shape (Y, X)
        Grey values as stored: 8 or 16 bit or float.
    labels : ndarray, shape (Y, X), int32
    """

    stem: str
    anatomy: np.ndarray
    signal: np.ndarray
    labels: np.ndarray


@dataclass(frozen=True)
class TripletSet:
    """The planes of a data folder, split into training and held-out.

    Attributes
    ----------
    source : OptionSource
    training, held_out : tuple of Triplet
    remarks : tuple of str
        Sentences on planes that are left out of the training.
    """

    source: OptionSource
    training: tuple[Triplet, ...]
    held_out: tuple[Triplet, ...]
    remarks: tuple[str, ...] = ()

    def intensity(self, channel: str) -> Intensity:
        """Scale of ``'anatomy'`` or ``'signal'``, measured on the planes to train on."""
        return measure_intensity((getattr(plane, channel) for plane in self.training), channel)


def load_triplets(data: Path) -> TripletSet:
    """Read a data folder; an optional ``dataset.yaml`` with one option says what is held out.

    Planes without an object in their labels are not trained on; remarks name them.

    Raises
    ------
    InputError
        If a folder or a partner of a file is missing, sizes differ, an image has several channels,
        every file is held out, or no label to train on has an object.
    """
    root = existing_folder(data, "data folder")
    found = {name: by_stem(existing_folder(root / name, f"{name} folder")) for name in FOLDERS}
    stems = sorted(set().union(*found.values()))
    if not stems:
        raise InputError(f"The folder {root / FOLDERS[0]} holds no PNG, TIFF or JPEG images.", "Check the path.")
    for stem in stems:
        missing = [name for name in FOLDERS if stem not in found[name]]
        if missing:
            raise InputError(
                f"{stem} has no file in {' and '.join(missing)}/ of {root}.", "Add it, or remove the other files."
            )
    source = next(iter(describe(root).options), OptionSource(name=name_of(root)))
    training: list[Triplet] = []
    held_out: list[Triplet] = []
    for index, stem in enumerate(stems):
        plane = load_triplet(*(found[name][stem] for name in FOLDERS))
        (held_out if is_held_out(index, stem, source.hold_out) else training).append(plane)
    if not training:
        raise InputError(f"Every file of {root} is held out.", "Change its hold_out rule.")
    full = tuple(plane for plane in training if plane.labels.any())
    empty = [plane.stem for plane in training if not plane.labels.any()]
    if not full:
        raise InputError(
            f"There is no object in any of the {len(empty)} labels to train on ({named(empty)}): all are empty.",
            "Export the labels again, and look at one.",
        )
    return TripletSet(source, full, tuple(held_out), (empty_masks(empty),) if empty else ())


def load_triplet(anatomy: Path, signal: Path, labels: Path) -> Triplet:
    """Read one plane; `InputError` when its files differ in size."""
    images = [read_channel(path) for path in (anatomy, signal)]
    mask = read_labels(labels)
    for path, image in zip((anatomy, signal), images, strict=True):
        if image.shape != mask.shape:
            raise InputError(
                f"The image {path.parent.name}/{path.name} is {image.shape[1]}×{image.shape[0]} pixels "
                f"but its label is {mask.shape[1]}×{mask.shape[0]}.",
                "Crop or resize one of them (labels with nearest neighbour).",
            )
    return Triplet(stem_of(anatomy), images[0], images[1], mask)


def shuffled(planes: tuple[Triplet, ...], share: float, seed: int) -> tuple[Triplet, ...]:
    """The planes with the labels of a share of them passed on among these, at least two where any.

    Each of them gets the label of another plane, so that it no longer fits its signal.
    """
    count = round(share * len(planes))
    if count == 0:
        return planes
    if len(planes) < 2:
        raise InputError("There is one plane only, so its label cannot be shuffled.", "Add planes.")
    chosen = numpy_rng(seed, "shuffled labels").permutation(len(planes))[: max(count, 2)]
    result = list(planes)
    for place, donor in zip(chosen, np.roll(chosen, 1), strict=True):
        plane, labels = planes[place], planes[donor].labels
        result[place] = Triplet(plane.stem, plane.anatomy, plane.signal, _fitted(labels, plane.labels.shape))
    return tuple(result)


def _fitted(labels: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Cropped, or filled up with background, to a shape."""
    canvas = np.zeros(shape, labels.dtype)
    height, width = (min(a, b) for a, b in zip(shape, labels.shape, strict=True))
    canvas[:height, :width] = labels[:height, :width]
    return canvas


class TripletSampler:
    """Random training crops; the batch of a step depends on ``seed`` and ``step`` alone.

    Parameters
    ----------
    planes : tuple of Triplet
    anatomy, signal : Intensity
        Scales to the range of the network.
    crop : int
        Side of the square crop in pixels; smaller planes are continued by reflection.
    seed : int
    """

    def __init__(self, planes: tuple[Triplet, ...], anatomy: Intensity, signal: Intensity, crop: int, seed: int):
        self.crop = crop
        self.seed = seed
        self._planes = [
            (
                mask_plane(plane.labels, "foreground"),
                np.stack([anatomy.to_network(plane.anatomy), signal.to_network(plane.signal)], axis=-1),
            )
            for plane in planes
        ]

    @property
    def arrays(self) -> list[np.ndarray]:
        """Mask in {0, 1}, anatomy and signal in [-1, 1] of each plane, ``(3, Y, X)`` float32."""
        return [np.stack([mask, image[..., 0], image[..., 1]]) for mask, image in self._planes]

    @property
    def means(self) -> tuple[float, float]:
        """Mean of all anatomy and of all signal, in the range of the network."""
        pixels = np.concatenate([images.reshape(-1, 2) for _, images in self._planes])
        return tuple(pixels.mean(0, dtype=np.float64).tolist())

    def batch(self, step: int, size: int, rank: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Masks in {0, 1}, anatomy and signal in [-1, 1]; each ``(B, 1, crop, crop)`` float32."""
        rng = numpy_rng(self.seed, "crop", step, rank)
        crops = [random_crop(*self._planes[rng.integers(len(self._planes))], self.crop, rng) for _ in range(size)]
        masks = np.stack([mask for mask, _ in crops])[:, None]
        images = np.stack([image for _, image in crops])
        return masks, images[:, None, ..., 0].copy(), images[:, None, ..., 1].copy()
