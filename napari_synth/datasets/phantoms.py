"""A two-channel brain without a microscope: autofluorescent tissue, and neurons in the signal channel."""

from __future__ import annotations

import numpy as np
from pydantic import BaseModel, ConfigDict, Field
from scipy import ndimage

from napari_synth.core.seeds import numpy_rng

ANATOMY_LEVEL = 380.0
BACKGROUND = 260.0
BRIGHTNESS = 800.0


class PhantomSettings(BaseModel):
    """Size and contents of a phantom; lengths are in pixels."""

    model_config = ConfigDict(extra="forbid")

    height: int = Field(256, ge=64, le=4096)
    width: int = Field(256, ge=64, le=4096)
    neurons: float = Field(45.0, ge=0, le=5000)
    """Neurons per 256×256 pixels."""
    radius: float = Field(3.6, gt=0)
    """Mean radius of a cell body."""


def two_channel_phantom(settings: PhantomSettings, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Tissue with a curved surface, layers and vessels; neurons in bands under the surface.

    Parameters
    ----------
    settings : PhantomSettings
    seed : int

    Returns
    -------
    anatomy, signal : ndarray, shape (Y, X), uint16
        At the grey levels of a light-sheet microscope.
    labels : ndarray, shape (Y, X), int32
        One number per neuron.
    """
    shape = (settings.height, settings.width)
    depth = _depth(shape)
    tissue = ndimage.gaussian_filter((depth > 0).astype(float), 1.5)
    slow = _smooth(seed, "slow", shape, 40)
    layers = 0.12 * np.cos(depth / 17) + 0.1 * slow
    vessels = np.exp(-np.square(_smooth(seed, "vessels", shape, 9)) / 0.003)
    anatomy = ANATOMY_LEVEL * tissue * (0.85 + layers - 0.3 * vessels)
    labels, bodies = _neurons(settings, depth, seed)
    signal = BACKGROUND * tissue * (0.8 + 0.25 * slow - 0.1 * vessels) + BRIGHTNESS * bodies
    return _detected(anatomy, seed, "anatomy", 6.0), _detected(signal, seed, "signal", 1.5), labels


def _depth(shape: tuple[int, int]) -> np.ndarray:
    """Distance below a surface that sinks to the left."""
    y, x = np.mgrid[: shape[0], : shape[1]].astype(float)
    surface: np.ndarray = 0.1 * shape[0] + 0.5 * shape[0] * np.exp(-x / (0.2 * shape[1]))
    depth: np.ndarray = y - surface
    return depth


def _smooth(seed: int, name: str, shape: tuple[int, int], length: float) -> np.ndarray:
    """Random field of mean 0 and standard deviation 1 that changes over a length."""
    white = numpy_rng(seed, "phantom", name).standard_normal(shape)
    field: np.ndarray = ndimage.gaussian_filter(white, length, mode="reflect")
    scaled: np.ndarray = (field - field.mean()) / field.std()
    return scaled


def _neurons(settings: PhantomSettings, depth: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Labels of cell bodies, and their brightness."""
    rng = numpy_rng(seed, "phantom", "neurons")
    labels, bodies = np.zeros(depth.shape, np.int32), np.zeros(depth.shape)
    y, x = np.mgrid[: depth.shape[0], : depth.shape[1]]
    share = np.where(
        depth > 14, 0.15 + np.exp(-np.square((depth - 55) / 14)) + np.exp(-np.square((depth - 130) / 25)), 0
    )
    places = rng.choice(
        depth.size, int(settings.neurons * depth.size / 65536), replace=False, p=(share / share.sum()).ravel()
    )
    for number, place in enumerate(places, start=1):
        centre = np.unravel_index(place, depth.shape)
        long, angle = settings.radius * rng.uniform(0.7, 1.4), rng.uniform(0, np.pi)
        along = (y - centre[0]) * np.sin(angle) + (x - centre[1]) * np.cos(angle)
        across = (y - centre[0]) * np.cos(angle) - (x - centre[1]) * np.sin(angle)
        distance = np.square(along / long) + np.square(across / (0.75 * long))
        labels[(distance < 1) & (labels == 0)] = number
        bodies = np.maximum(bodies, rng.uniform(0.4, 1.5) * np.exp(-0.8 * np.square(distance)))
    return labels, bodies


def _detected(image: np.ndarray, seed: int, name: str, gain: float) -> np.ndarray:
    """What a camera makes of it: photon noise and rounding."""
    photons = numpy_rng(seed, "phantom", name, "photons").poisson(np.clip(image, 0, None) / gain)
    grey: np.ndarray = np.clip(np.round(photons * gain), 0, 65535)
    return grey.astype(np.uint16)
