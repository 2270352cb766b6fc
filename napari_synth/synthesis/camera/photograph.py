"""An image as a camera sees it: blur, background, gain and offset, gamma, Poisson and Gaussian noise, in this order.

Every step but the blur looks at a pixel and its place alone, and noise is a number of the place, so that parts of an
image, however they are cut, equal the whole.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy import ndimage

from napari_synth.core import arguments
from napari_synth.core.boxes import Box, full_box, strips
from napari_synth.core.errors import InputError
from napari_synth.core.intensity import check_channel
from napari_synth.core.recipe.camera import FULL_SCALE, CameraSettings
from napari_synth.core.seeds import derived_seed
from napari_synth.synthesis.camera.poisson import poisson_at

if TYPE_CHECKING:
    from napari_synth.models.card import ModelCard

TRUNCATE = 4.0
"""The Gaussian ends at this many standard deviations."""
PIXELS_AT_ONCE = 1 << 20


class GreyRange(NamedTuple):
    """The grey values of an image that are black and white for the camera."""

    black: float
    white: float


def grey_range_of(card: ModelCard) -> GreyRange:
    """Black and white of the images that a model makes."""
    if not card.output_channel:
        return GreyRange(0.0, FULL_SCALE)
    scale = card.intensities[card.output_channel]
    return GreyRange(scale.low, scale.high)


def _usual_range(dtype: np.dtype) -> GreyRange:
    """Black and white where nothing is said: those of the integers, 0 and 1 of floats."""
    return GreyRange(0.0, float(np.iinfo(dtype).max) if dtype.kind in "iu" else 1.0)


def reach(camera: CameraSettings) -> int:
    """How far, in pixels, the camera carries a change of the image."""
    return int(TRUNCATE * camera.blur + 0.5)


def photographed_box(box: Box, camera: CameraSettings, shape: tuple[int, int]) -> Box:
    """Where the photograph changes when the image changes in a box; also what of the image it needs there."""
    return box.grown(reach(camera)).within(full_box(*shape))


def photograph(
    image: np.ndarray, camera: CameraSettings, seed: int | None = 1, grey: GreyRange | None = None
) -> np.ndarray:
    """An image as the camera sees it.

    With v the grey value from 0 (black) to 255 (white), u and w the place from -½ to ½ across and down:
    v is blurred by a Gaussian; v + background_x u + background_y w + background_bowl (2u² + 2w²); gain · v + offset;
    255 (v / 255)^gamma; shot_noise · Poisson(v / shot_noise); plus a normal number times read_noise; back to the dtype,
    rounded and clipped where that is of integers. Below 0 is cut off before gamma.

    Any image can be given, also one that no model made. A mask in grey is what plain fluorescent nuclei are, of which
    the camera makes an image without any network:

    >>> camera = ns.CameraSettings(blur=1.5, offset=12, shot_noise=0.5, read_noise=2)
    >>> image = ns.photograph(180 * (mask > 0).astype("uint8"), camera, seed=7)

    Parameters
    ----------
    image : ndarray, shape (Y, X) or (Y, X, 3)
        8 or 16 bit, or float. Noise is another one in each channel, all else is the same.
    camera : CameraSettings
    seed : int, optional
        Of the noise; None: there is none.
    grey : GreyRange, optional
        The values that are black and white; the ends of an integer dtype, 0 and 1 of floats when not given.

    Returns
    -------
    ndarray
        Of the same shape and dtype.

    Raises
    ------
    InputError
        If the image is none of 8 or 16 bit or float, grey or RGB, or holds NaN or infinity.
    """
    image = arguments.numbers(image, "image")
    for channel in np.moveaxis(image, -1, 0) if image.ndim == 3 and image.shape[-1] == 3 else (image,):
        check_channel(channel, "The image")
    seed = None if seed is None else arguments.whole_number(seed, "seed")
    if not isinstance(camera, CameraSettings):
        raise InputError("The argument camera is no CameraSettings.", "Give CameraSettings(…) or camera_of(FILE).")
    made = np.empty_like(image)
    canvas = full_box(*image.shape[:2])
    shape, channels = (canvas.height, canvas.width), 1 if image.ndim == 2 else image.shape[-1]
    for strip in strips(canvas, PIXELS_AT_ONCE // channels):
        over = photographed_box(strip, camera, shape)
        made[strip.seen_from(canvas)] = photograph_part(
            image[over.seen_from(canvas)], over, strip, shape, camera, seed, grey
        )
    return made


def photograph_part(
    image: np.ndarray,
    over: Box,
    box: Box,
    shape: tuple[int, int],
    camera: CameraSettings,
    seed: int | None,
    grey: GreyRange | None = None,
) -> np.ndarray:
    """The photograph over a box, the same as that part of the whole.

    Parameters
    ----------
    image : ndarray, shape (y, x) or (y, x, 3)
        Part of the canvas.
    over : Box
        Which part; of `photographed_box` at least, or the blur ends at its border.
    box : Box
        In ``over``: what is wanted.
    shape : tuple of int
        Height and width of the canvas.
    camera, seed, grey
        As for `photograph`.
    """
    black, white = grey or _usual_range(image.dtype)
    step = (white - black) / FULL_SCALE
    values = (image.astype(np.float32) - np.float32(black)) / np.float32(step)
    if camera.blur:
        sigma = (camera.blur, camera.blur, *(0,) * (image.ndim - 2))
        values = ndimage.gaussian_filter(values, sigma, truncate=TRUNCATE)
    values = np.ascontiguousarray(values[box.seen_from(over)])
    values = _exposed(values, box, shape, camera)
    if seed is not None:
        values = _with_noise(values, box, camera, derived_seed(seed, "camera"))
    return _stored(values * np.float32(step) + np.float32(black), image.dtype)


def _exposed(values: np.ndarray, box: Box, shape: tuple[int, int], camera: CameraSettings) -> np.ndarray:
    """Background, gain, offset and gamma."""
    w = (np.arange(box.top, box.bottom) + 0.5) / shape[0] - 0.5
    u = (np.arange(box.left, box.right) + 0.5) / shape[1] - 0.5
    down = camera.background_y * w + camera.background_bowl * 2 * w**2
    across = camera.background_x * u + camera.background_bowl * 2 * u**2
    if down.any() or across.any():
        background = (down[:, None] + across[None]).astype(np.float32)
        values = values + background.reshape(*background.shape, *(1,) * (values.ndim - 2))
    if camera.gain != 1 or camera.offset:
        values = np.float32(camera.gain) * values + np.float32(camera.offset)
    values = np.maximum(values, 0)
    if camera.gamma != 1:
        full = np.float32(FULL_SCALE)
        values = full * (values / full) ** np.float32(camera.gamma)
    return values


def _with_noise(values: np.ndarray, box: Box, camera: CameraSettings, key: int) -> np.ndarray:
    """Poisson noise and that of the camera, by the place of each pixel and channel."""
    if not camera.shot_noise and not camera.read_noise:
        return values
    from napari_synth.nets.counter_noise import counter_normal, counter_uniform

    planes = values[..., None] if values.ndim == 2 else values
    noisy = np.empty_like(planes)
    for channel in range(planes.shape[-1]):
        plane = planes[..., channel]
        place = (box.top, box.left, box.height, box.width)
        if camera.shot_noise:
            level = np.float32(camera.shot_noise)
            plane = level * poisson_at(plane / level, counter_uniform(key, 2 * channel, *place).numpy())
        if camera.read_noise:
            plane = plane + np.float32(camera.read_noise) * counter_normal(key, 2 * channel + 1, *place).numpy()
        noisy[..., channel] = plane
    return noisy.reshape(values.shape)


def _stored(values: np.ndarray, dtype: np.dtype) -> np.ndarray:
    if dtype.kind in "iu":
        limits = np.iinfo(dtype)
        values = np.clip(np.rint(values), limits.min, limits.max)
    stored: np.ndarray = values.astype(dtype)
    return stored
