"""Looks in a mixed folder of images, found by k-means on histogram features of each channel.

The features are the usual histogram descriptors of Gonzalez and Woods: mean, contrast, smoothness, third
moment, uniformity and entropy.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from scipy.cluster.vq import ClusterError, kmeans2
from scipy.spatial.distance import cdist

from napari_synth.core.errors import InputError
from napari_synth.core.files import existing_folder, user_path
from napari_synth.core.seeds import derived_seed
from napari_synth.datasets import listing
from napari_synth.datasets.image_files import read_image

FEATURES = ("intensity", "contrast", "smoothness", "third moment", "uniformity", "entropy")
FEWEST_IMAGES = 8
"""No look has fewer, where their number is found; nothing is looked for in fewer."""
MOST_LOOKS = 8
RESTARTS = 20
ITERATIONS = 100
NO_STRUCTURE = 0.25
"""Mean silhouette up to which data hold no groups (Kaufman and Rousseeuw 1990)."""
PERCENTILES = (0.1, 99.9)
POOLED_PIXELS = 20_000
"""So many pixels of each image, evenly spaced, say what is black and what white in the folder."""


@dataclass(frozen=True)
class Looks:
    """Images by look.

    Attributes
    ----------
    files : tuple of Path
        In the order they were given, without the unreadable ones.
    numbers : ndarray, shape (N,), int
        Look of each file, from 0 on; looks are ordered from dark to bright.
    names : tuple of str
        One per look.
    features : ndarray, shape (N, 18), float64
        Six per channel; see `histogram_features`.
    silhouette : float
        Mean silhouette of the division, -1 to 1; 0 where there is one look.
    unreadable : tuple of str
        What is wrong with files that were left out.
    """

    files: tuple[Path, ...]
    numbers: np.ndarray
    names: tuple[str, ...]
    features: np.ndarray
    silhouette: float
    unreadable: tuple[str, ...] = ()

    def files_of(self, number: int) -> list[Path]:
        """The images of a look."""
        return [file for file, own in zip(self.files, self.numbers, strict=True) if own == number]

    def renamed(self, number: int, name: str) -> Looks:
        """With another name for a look.

        Raises
        ------
        InputError
            If the name is no folder name, or another look has it.
        """
        if not name or name in (".", "..") or set(name) & set('/\\:*?"<>|'):
            raise InputError(f"The name {name!r} cannot be that of a folder.", "Use letters, digits and dashes.")
        if name in self.names and self.names[number] != name:
            raise InputError(f"Another look is called {name!r} already.", "Use another name, or merge the two.")
        names = list(self.names)
        names[number] = name
        return replace(self, names=tuple(names))

    def merged(self, number: int, into: int) -> Looks:
        """With one look joined to another, which keeps its name."""
        if number == into:
            return self
        numbers = np.where(self.numbers == number, into, self.numbers)
        names = tuple(name for own, name in enumerate(self.names) if own != number)
        numbers = numbers - (numbers > number)
        return replace(self, numbers=numbers, names=names, silhouette=silhouette(scaled(self.features), numbers))


def image_files(folder: str | Path) -> list[Path]:
    """The image files in a folder, or in its ``images`` where it has one, sorted by name."""
    root = existing_folder(folder, "folder of images")
    root = root / "images" if (root / "images").is_dir() else root
    return listing.image_files(root)


def find_looks(files: Sequence[str | Path], k: int | None = None, seed: int = 1) -> Looks:
    """Divide images into looks.

    Parameters
    ----------
    files : sequence of path
        Their order does not matter.
    k : int, optional
        Number of looks. By default that of 2 to 8 with the best mean silhouette, those of fewer than
        `FEWEST_IMAGES` images merged into the nearest; a single one if the images form no groups.
    seed : int
        Of the restarts of k-means.

    Raises
    ------
    InputError
        If there are fewer readable images than 8, or than ``k``.
    """
    paths = [user_path(file) for file in files]
    features, readable, unreadable = read_features(paths)
    if len(readable) < FEWEST_IMAGES:
        raise InputError(
            f"There are {len(readable)} readable images; finding looks needs {FEWEST_IMAGES} or more.",
            unreadable[0] if unreadable else "Add images.",
        )
    if k is not None and not 1 <= k <= len(readable):
        raise InputError(
            f"{len(readable)} images cannot be divided into {k} looks.", f"Ask for 1 to {len(readable)} looks."
        )
    points = scaled(features)
    order = np.lexsort(points.T[::-1])  # so that the order of the files changes nothing
    sorted_points = points[order]
    numbers = np.empty(len(order), int)
    numbers[order] = _by_silhouette(sorted_points, seed) if k is None else kmeans(sorted_points, k, seed)
    numbers = _from_dark_to_bright(numbers, features)
    names = _names(numbers, features)
    return Looks(tuple(readable), numbers, names, features, silhouette(points, numbers), tuple(unreadable))


def histogram_features(image: np.ndarray) -> np.ndarray:
    """Six features of each channel of an 8-bit image.

    With p(i) the histogram of a channel: mean m = Σ i p, contrast σ = sqrt(Σ (i - m)² p), smoothness
    1 - 1 / (1 + σ²/255²), third moment Σ (i - m)³ p / 255², uniformity Σ p², entropy -Σ p log2 p.

    Parameters
    ----------
    image : ndarray, shape (Y, X) or (Y, X, 3), uint8

    Returns
    -------
    ndarray, shape (18,), float64
        `FEATURES` of the first channel, then of the others; a grey image counts three times.
    """
    channels = [image] * 3 if image.ndim == 2 else [image[..., c] for c in range(3)]
    return np.concatenate([_channel_features(channel) for channel in channels])


def _channel_features(channel: np.ndarray) -> np.ndarray:
    p = np.bincount(channel.ravel(), minlength=256) / channel.size
    i = np.arange(256.0)
    mean = (i * p).sum()
    variance = ((i - mean) ** 2 * p).sum()
    third = ((i - mean) ** 3 * p).sum() / 255**2
    present = p[p > 0]
    entropy = -(present * np.log2(present)).sum()
    return np.array([mean, np.sqrt(variance), 1 - 1 / (1 + variance / 255**2), third, (p**2).sum(), entropy])


def read_features(files: Sequence[Path]) -> tuple[np.ndarray, list[Path], list[str]]:
    """Features of the readable files, those files, and what is wrong with the others.

    Every file is brought to 8 bits with one scale for all of its kind (8 bits, 16 bits, ...), the pooled 0.1
    and 99.9 percentiles: how bright an image is beside the others is part of its look.
    """
    pooled: dict[str, list[np.ndarray]] = {}
    readable, unreadable = [], []
    for file in files:
        try:
            image = _readable(file)
        except InputError as error:
            unreadable.append(str(error))
            continue
        values = image.ravel()
        pooled.setdefault(image.dtype.str, []).append(values[:: max(1, values.size // POOLED_PIXELS)])
        readable.append(file)
    scales = {kind: np.percentile(np.concatenate(values), PERCENTILES) for kind, values in pooled.items()}
    rows = []
    for file in readable:
        image = _readable(file)
        low, high = scales[image.dtype.str]
        stretched = (image.astype(np.float64) - low) * (255 / max(high - low, 1e-12))
        rows.append(histogram_features(np.clip(np.rint(stretched), 0, 255).astype(np.uint8)))
    return np.array(rows).reshape(-1, 18), readable, unreadable


def _readable(file: Path) -> np.ndarray:
    image = read_image(file)
    if not image.size or (image.dtype.kind == "f" and not np.isfinite(image).all()):
        raise InputError(f"{file} holds no pixels, or some that are no numbers.", "Save it again.")
    return image


def scaled(features: np.ndarray) -> np.ndarray:
    """Each column with mean 0 and standard deviation 1; a constant one is 0."""
    deviation = features.std(0)
    standard: np.ndarray = (features - features.mean(0)) / np.where(deviation > 1e-12, deviation, 1)
    return standard


def kmeans(points: np.ndarray, k: int, seed: int = 1) -> np.ndarray:
    """The best of `RESTARTS` runs of k-means from k-means++ starts: the group of each point."""
    if k == 1:
        return np.zeros(len(points), int)
    best: np.ndarray | None = None
    best_cost = np.inf
    for restart in range(RESTARTS):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                centres, numbers = kmeans2(
                    points, k, iter=ITERATIONS, minit="++", missing="raise", seed=derived_seed(seed, "looks", restart)
                )
        except ClusterError:
            continue  # a group lost all of its points; another start may keep them
        cost = ((points - centres[numbers]) ** 2).sum()
        if cost < best_cost - 1e-9:
            best, best_cost = numbers, cost
    if best is None:
        raise InputError(
            f"The images cannot be divided into {k} looks: too many of them are alike.", "Ask for fewer looks."
        )
    return best


def silhouette(points: np.ndarray, numbers: np.ndarray) -> float:
    """Mean silhouette of a division (Rousseeuw 1987): 1 for tight groups far apart; 0 for a single group."""
    present, numbers = np.unique(numbers, return_inverse=True)
    if len(present) < 2:
        return 0.0
    distances = cdist(points, points)
    member = numbers == np.arange(len(present))[:, None]
    sums = distances @ member.T
    counts = member.sum(1)
    rows = np.arange(len(points))
    own = counts[numbers]
    within = sums[rows, numbers] / np.maximum(own - 1, 1)
    means = sums / counts
    means[rows, numbers] = np.inf
    between = means.min(1)
    largest = np.maximum(within, between)
    values = np.where((own > 1) & (largest > 0), (between - within) / np.where(largest > 0, largest, 1), 0)
    return float(values.mean())


def _by_silhouette(points: np.ndarray, seed: int) -> np.ndarray:
    """The division into 2 to `MOST_LOOKS` groups of the best silhouette, small groups merged; or a single group."""
    best, best_value = np.zeros(len(points), int), NO_STRUCTURE
    for k in range(2, min(MOST_LOOKS, len(np.unique(points, axis=0)) - 1) + 1):
        numbers = kmeans(points, k, seed)
        value = silhouette(points, numbers)
        if value > best_value:
            best, best_value = numbers, value
    return _without_small(points, best)


def _without_small(points: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    """Groups of fewer than `FEWEST_IMAGES` joined to the one with the nearest centre, the smallest first."""
    while True:
        present, counts = np.unique(numbers, return_counts=True)
        if len(present) == 1 or counts.min() >= FEWEST_IMAGES:
            return numbers
        centres = np.stack([points[numbers == number].mean(0) for number in present])
        smallest = counts.argmin()
        distances = np.linalg.norm(centres - centres[smallest], axis=1)
        distances[smallest] = np.inf
        numbers = np.where(numbers == present[smallest], present[distances.argmin()], numbers)


def _from_dark_to_bright(numbers: np.ndarray, features: np.ndarray) -> np.ndarray:
    """The same division with the groups numbered by their mean intensity."""
    present = np.unique(numbers)
    order = sorted(present, key=lambda number: features[numbers == number][:, ::6].mean())
    new = {old: number for number, old in enumerate(order)}
    return np.array([new[number] for number in numbers])


HUES = ("red", "orange", "yellow", "green", "green", "green", "cyan", "blue", "blue", "purple", "purple", "pink")
"""Every 30 degrees of the colour circle."""
GREYEST = 12.0
"""Channels whose means lie closer than this show no colour, of 255."""
ROUGH = 30.0
"""Contrast from which a look is called textured, of 255."""


def _names(numbers: np.ndarray, features: np.ndarray) -> tuple[str, ...]:
    names: list[str] = []
    for number in range(numbers.max() + 1):
        name = _name(features[numbers == number].mean(0).reshape(3, 6))
        taken = sum(other == name or other.startswith(f"{name}-") for other in names)
        names.append(f"{name}-{taken + 1}" if taken else name)
    return tuple(names)


def _name(channels: np.ndarray) -> str:
    """Such as ``dark-grey-smooth``, of the mean features of a look (3, 6)."""
    red, green, blue = means = channels[:, 0]
    spread = means.max() - means.min()
    colour = "grey"
    if spread >= GREYEST:
        sector = {
            0: (green - blue) / spread % 6,
            1: (blue - red) / spread + 2,
            2: (red - green) / spread + 4,
        }[int(means.argmax())]
        colour = HUES[int(sector * 2 + 0.5) % 12]
    brightness = "bright" if means.mean() > 127 else "dark"
    return f"{brightness}-{colour}-{'textured' if channels[:, 1].mean() > ROUGH else 'smooth'}"
