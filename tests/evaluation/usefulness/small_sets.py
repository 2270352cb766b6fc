"""Small folders of pairs for comparisons: discs on noise."""

from pathlib import Path

import imageio.v3 as iio
import numpy as np

from tests.helpers import nuclei


def disc_pair(number: int, side: int = 64) -> tuple[np.ndarray, np.ndarray]:
    """Image and labels, uint8: discs brighter than a noisy background that slopes its own way."""
    rng = np.random.default_rng(number)
    labels = nuclei((side, side), 5, number)
    slope = np.linspace(0, rng.uniform(10, 60), side)[:, None] + np.linspace(0, rng.uniform(10, 60), side)[None]
    image = 40 + slope + 90 * (labels > 0) + rng.normal(0, 20, labels.shape)
    return np.clip(image, 0, 255).astype(np.uint8), labels.astype(np.uint8)


def disc_folder(folder: Path, count: int, first: int = 0, shift: int = 0) -> Path:
    """``images/`` and ``masks/``; masks rolled down by ``shift`` pixels."""
    for number in range(count):
        image, labels = disc_pair(first + number)
        write(folder, f"{number:03d}", image, np.roll(labels, shift, 0))
    return folder


def write(folder: Path, stem: str, image: np.ndarray, labels: np.ndarray, suffix: str = ".png") -> None:
    """A pair; the mask as PNG always."""
    for kind in ("images", "masks"):
        (folder / kind).mkdir(parents=True, exist_ok=True)
    iio.imwrite(folder / "images" / f"{stem}{suffix}", image)
    iio.imwrite(folder / "masks" / f"{stem}.png", labels)
