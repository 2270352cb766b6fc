"""Whether masks lie on what their images show: correlation over shifts, turns and the other images."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import fft, ndimage

from napari_synth.evaluation.pair_check.cures import EVERY_TURN
from napari_synth.evaluation.pair_check.pixels import grey_of

REACH = 16
"""Largest shift looked at, in pixels."""
SIDE = 256
"""Images are made smaller until their shorter side is under twice this."""
THUMBNAIL = 64
BACKGROUND = 65
"""Side, in small pixels, of the square whose mean is taken for the background."""


@dataclass(frozen=True, eq=False)
class View:
    """What is kept of a pair.

    Attributes
    ----------
    shape : tuple of int
    image, mask : ndarray, shape (64, 64), float32
        Thumbnails without background, of mean 0 and length 1; 0 where there is nothing to see.
    structure : float
        How much there is to see in the image, in its grey values.
    sharp : float
        Their correlation where the mask lies, at the working size, in [-1, 1].
    best : float
        The largest one, by amount, within `REACH`.
    shift : tuple of int
        Where that is: rows down and columns right that bring the mask onto the image.
    """

    shape: tuple[int, int]
    image: np.ndarray
    mask: np.ndarray
    structure: float
    sharp: float
    best: float
    shift: tuple[int, int]


def view(grey: np.ndarray, labels: np.ndarray) -> View:
    """The `View` of a pair of one size."""
    factor = max(min(labels.shape) // SIDE, 1)
    image, mask = shrunk(grey, factor), shrunk(labels > 0, factor)
    flat_image, flat_mask = flattened(image), flattened(mask)
    structure = float(ndimage.gaussian_filter(flat_image, 1).std())
    image, mask = normed(flat_image), normed(flat_mask)
    sharp, best, shift = correlated(image, mask, REACH // factor)
    down, right = (step * factor for step in shift)
    shape = (labels.shape[0], labels.shape[1])
    return View(shape, thumbnail(image), thumbnail(mask), structure, sharp, best, (down, right))


def shrunk(array: np.ndarray, factor: int) -> np.ndarray:
    """Means of squares, float32."""
    height, width = (n // factor * factor for n in array.shape)
    squares = array[:height, :width].reshape(height // factor, factor, width // factor, factor)
    return np.asarray(squares.mean((1, 3), dtype=np.float32))


def flattened(array: np.ndarray) -> np.ndarray:
    """Without the slow change of the background."""
    flat: np.ndarray = array - ndimage.uniform_filter(array, BACKGROUND, mode="reflect")
    flat -= flat.mean()
    return flat


def normed(array: np.ndarray) -> np.ndarray:
    """Of length 1; 0 stays 0."""
    length = float(np.linalg.norm(array))
    return np.asarray(array / length if length > 1e-6 else array * 0, np.float32)


def correlated(image: np.ndarray, mask: np.ndarray, reach: int) -> tuple[float, float, tuple[int, int]]:
    """Correlation of two normed arrays as they lie, the largest by amount within ``reach``, and where that is."""
    size = [fft.next_fast_len(n + reach, real=True) for n in image.shape]
    product = fft.irfft2(fft.rfft2(image, size) * np.conj(fft.rfft2(mask, size)), size)
    near = np.roll(product, (reach, reach), (0, 1))[: 2 * reach + 1, : 2 * reach + 1]
    y, x = np.unravel_index(int(np.abs(near).argmax()), near.shape)
    return float(near[reach, reach]), float(near[y, x]), (int(y) - reach, int(x) - reach)


def thumbnail(array: np.ndarray) -> np.ndarray:
    """64×64, of length 1."""
    from skimage.transform import resize

    small = resize(array, (THUMBNAIL, THUMBNAIL), order=1, anti_aliasing=True)
    return normed(small - small.mean())


def thumbnail_of(image: np.ndarray) -> np.ndarray:
    """The `thumbnail` of an image (Y, X) or (Y, X, C), without its background."""
    grey = grey_of(image)
    return thumbnail(normed(flattened(shrunk(grey, max(min(grey.shape) // SIDE, 1)))))


def likeness_in_any_turn(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """The largest correlation of squares, (N, S, S) and (M, S, S) of length 1, turned and mirrored: (N, M)."""
    flat = second.reshape(len(second), -1)
    likeness: np.ndarray = np.max(
        [np.stack([turn(one).ravel() for one in first]) @ flat.T for turn in EVERY_TURN], axis=0
    )
    return likeness
