"""Axons without a microscope: a statistical model of their shape, a physical one of their appearance.

Source: Bass et al. 2019 (CapsPix2Pix), whose statistical shape model (SSM) draws axons as smooth random
walks with boutons on them, and whose physics-based appearance model (PBAM) gives each axon a Gaussian
profile of varying width and brightness under blur and noise.
"""

from __future__ import annotations

import numpy as np
from pydantic import BaseModel, ConfigDict, Field
from scipy import interpolate, ndimage
from skimage.morphology import skeletonize

from napari_synth.core.appearance import AppearanceSettings
from napari_synth.core.errors import InputError
from napari_synth.core.seeds import numpy_rng


class AxonSettings(BaseModel):
    """How axons are drawn; lengths are in pixels, angles in degrees."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    height: int = Field(256, ge=16, le=8192)
    width: int = Field(256, ge=16, le=8192)
    axons: float = Field(3.0, ge=0, le=500)
    """Mean number of axons per 256×256 pixels (Poisson, at least 1)."""
    step: float = Field(20.0, gt=1)
    """Distance between two nodes of the walk."""
    turn: float = Field(14.0, ge=0, le=90)
    """Standard deviation of the turn at a node."""
    max_turn: float = Field(40.0, ge=0, le=180)
    """Largest turn at a node."""
    radius: float = Field(1.6, gt=0)
    """Distance from the curve within which a pixel belongs to the axon."""
    boutons: float = Field(0.012, ge=0, le=1)
    """Boutons per pixel of axon."""
    bouton_radius: float = Field(3.2, gt=0)
    """Mean radius of a bouton."""


def axon_mask(settings: AxonSettings, seed: int) -> np.ndarray:
    """Draw axons: angle-constrained random walks, splines through their nodes, boutons on them.

    Parameters
    ----------
    settings : AxonSettings
    seed : int

    Returns
    -------
    ndarray, shape (Y, X), int32
        One number per axon; where two cross, the later one is in front.
    """
    rng = numpy_rng(seed, "axons")
    shape = (settings.height, settings.width)
    wanted = max(rng.poisson(settings.axons * settings.height * settings.width / 256**2), min(1, settings.axons))
    labels = np.zeros(shape, np.int32)
    for number in range(1, int(wanted) + 1):
        curve = _spline(_walk(settings, rng))
        labels[_near(curve, settings.radius, shape) | _boutons(curve, settings, rng)] = number
    return labels


def _walk(settings: AxonSettings, rng: np.random.Generator) -> np.ndarray:
    """Nodes (y, x) of a walk that runs through a random place and leaves the canvas at both ends."""
    start = rng.uniform((0, 0), (settings.height, settings.width))
    heading = rng.uniform(0, 2 * np.pi)
    arms = []
    for direction in (heading, heading + np.pi):
        place, angle, nodes = start, direction, []
        while _inside(place, settings):
            turn = np.clip(rng.normal(0, settings.turn), -settings.max_turn, settings.max_turn)
            angle += np.deg2rad(turn)
            place = place + settings.step * np.array([np.sin(angle), np.cos(angle)])
            nodes.append(place)
            if len(nodes) * settings.step > 4 * (settings.height + settings.width):
                break  # a walk that circles for ever
        arms.append(nodes)
    return np.array([*reversed(arms[1]), start, *arms[0]])


def _inside(place: np.ndarray, settings: AxonSettings) -> bool:
    y, x = (float(side) for side in place)
    margin = settings.step
    return -margin <= y <= settings.height + margin and -margin <= x <= settings.width + margin


def _spline(nodes: np.ndarray) -> np.ndarray:
    """Points (y, x) half a pixel apart on a smooth curve through the nodes."""
    curve, _ = interpolate.splprep(nodes.T, s=0, k=min(3, len(nodes) - 1))
    length = np.linalg.norm(np.diff(nodes, axis=0), axis=1).sum()
    return np.array(interpolate.splev(np.linspace(0, 1, int(2 * length) + 2), curve)).T


def _near(points: np.ndarray, radius: float, shape: tuple[int, int]) -> np.ndarray:
    """Pixels within a distance of some points."""
    pad = int(np.ceil(radius)) + 1
    canvas = np.ones((shape[0] + 2 * pad, shape[1] + 2 * pad), bool)
    y, x = np.round(points).astype(int).T + pad
    keep = (y >= 0) & (y < canvas.shape[0]) & (x >= 0) & (x < canvas.shape[1])
    canvas[y[keep], x[keep]] = False
    if canvas.all():
        return np.zeros(shape, bool)
    distance: np.ndarray = ndimage.distance_transform_edt(canvas)[pad:-pad, pad:-pad]
    return distance <= radius


def _boutons(curve: np.ndarray, settings: AxonSettings, rng: np.random.Generator) -> np.ndarray:
    """Round swellings at random places of the curve."""
    shape = (settings.height, settings.width)
    mask = np.zeros(shape, bool)
    y, x = np.mgrid[: shape[0], : shape[1]]
    for place in curve[rng.integers(len(curve), size=rng.poisson(settings.boutons * len(curve) / 2))]:
        radius = settings.bouton_radius * rng.uniform(0.75, 1.35)
        top, left = (int(max(side - radius - 1, 0)) for side in place)
        box = np.s_[top : top + int(2 * radius) + 4, left : left + int(2 * radius) + 4]
        mask[box] |= (y[box] - place[0]) ** 2 + (x[box] - place[1]) ** 2 <= radius**2
    return mask


def axon_image(mask: np.ndarray, settings: AppearanceSettings, seed: int | None) -> np.ndarray:
    """Two-photon image of an axon mask from the physics-based appearance model.

    Each axon has a Gaussian profile about its centre line, as wide as the mask is there, and a
    brightness that varies along it; wider places (boutons) are brighter. Blur, a background with
    coloured noise, and white noise follow.

    Parameters
    ----------
    mask : ndarray, shape (Y, X)
        Axons are > 0.
    settings : AppearanceSettings
    seed : int or None
        None: no noise and no variation.

    Returns
    -------
    ndarray, shape (Y, X), uint8

    Raises
    ------
    InputError
        If the mask is empty.
    """
    present = np.asarray(mask) > 0
    if present.ndim != 2 or not present.any():
        raise InputError("The mask has no axon.", "Draw or sample at least one.")
    fields = _Fields(present.shape, seed)
    lines = skeletonize(present)
    radius = ndimage.distance_transform_edt(np.pad(present, 1))[1:-1, 1:-1]
    away, (y, x) = ndimage.distance_transform_edt(~lines, return_indices=True)
    usual = np.median(radius[lines])
    level = settings.brightness * np.sqrt(radius / usual)
    level = level * np.exp(settings.variation * fields.smooth("along", settings.variation_length))
    across = np.maximum(settings.profile * radius[y, x], 0.5)
    image = level[y, x] * np.exp(-0.5 * (away / across) ** 2)
    image = ndimage.gaussian_filter(image, settings.blur) + settings.background
    image += settings.coloured_noise * fields.smooth("coloured", settings.noise_length)
    image += settings.white_noise * fields.smooth("white", 0)
    shown: np.ndarray = 255 * np.clip(image, 0, 1)
    return shown.round().astype(np.uint8)


class _Fields:
    """Random fields of mean 0 and standard deviation 1; all 0 without a seed."""

    def __init__(self, shape: tuple[int, int], seed: int | None):
        self._shape = shape
        self._seed = seed

    def smooth(self, name: str, length: float) -> np.ndarray:
        """White noise smoothed over a length."""
        if self._seed is None:
            return np.zeros(self._shape)
        white = numpy_rng(self._seed, "axon image", name).standard_normal(self._shape)
        if not length:
            return white
        # A Gaussian filter of standard deviation L leaves white noise with 1 / (2 √π L) of its own.
        smooth: np.ndarray = ndimage.gaussian_filter(white, length, mode="wrap")
        scaled: np.ndarray = smooth * (2 * np.sqrt(np.pi) * length)
        return scaled
