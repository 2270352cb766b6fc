"""Whether an image looks like a mask, and what kind of mask."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from skimage.measure import label as connected

from napari_synth.datasets.plausible import colours_to_labels, parts_with_a_square, scatter, two_levels

Kind = Literal["labels", "binary", "colours", "image"]
LOOKED_AT = 512
"""Side of the part of a large image that is looked at."""
THIN = 0.1
"""Share of the pixels that labels have at most in parts too thin to be nuclei."""
MOST_COLOURS = 2000
"""Colours that a colour-mapped mask has at most."""
PARTS = 3
"""Labels with more connected parts for each number than that must be thicker."""
FLAT = 0.75
"""Share of the pixels of a compressed 0/1 mask that have the value of their side."""


@dataclass(frozen=True)
class Likeness:
    """What an image looks like.

    Attributes
    ----------
    kind : {'labels', 'binary', 'colours', 'image'}
        A number or a colour for each nucleus, two values, or grey values of a picture.
    nuclei : int or None
        Numbers of labels, connected parts of the others; None where only a part of a large image was looked at.
    """

    kind: Kind
    nuclei: int | None = None

    @property
    def is_mask(self) -> bool:
        return self.kind != "image"


IMAGE = Likeness("image")


def likeness(pixels: np.ndarray) -> Likeness:
    """What an image looks like.

    Parameters
    ----------
    pixels : ndarray, shape (Y, X) or (Y, X, 3 or 4)
        Any dtype; of a large one a part of 512×512 pixels is looked at.
    """
    part = _part(pixels[..., :3] if pixels.ndim == 3 else pixels)
    found = _coloured(part) if part.ndim == 3 else _plain(part)
    return found if part.shape[:2] == pixels.shape[:2] else Likeness(found.kind)


def _part(pixels: np.ndarray) -> np.ndarray:
    """The image, or a part in or around its middle that shows something."""
    height, width = pixels.shape[:2]
    if max(height, width) <= LOOKED_AT:
        return np.asarray(pixels)
    tops = sorted(range(0, max(height - LOOKED_AT, 0) + 1, LOOKED_AT), key=lambda y: abs(y - height / 2))
    lefts = sorted(range(0, max(width - LOOKED_AT, 0) + 1, LOOKED_AT), key=lambda x: abs(x - width / 2))
    part = np.asarray(pixels[:LOOKED_AT, :LOOKED_AT])
    for top in tops:
        for left in lefts:
            part = np.asarray(pixels[top : top + LOOKED_AT, left : left + LOOKED_AT])
            if (part != part.flat[0]).any():
                return part
    return part


def _plain(values: np.ndarray) -> Likeness:
    if values.dtype.kind not in "biuf" or values.size == 0:
        return IMAGE
    if values.dtype.kind == "f" and (not np.isfinite(values).all() or (values != np.floor(values)).any()):
        levels = np.unique(values[np.isfinite(values)])
        return _binary(values == levels[-1]) if len(levels) == 2 and np.isfinite(values).all() else IMAGE
    present = np.unique(values)
    if len(present) == 2:
        return _binary(values == present[1])
    if len(present) < 2 or present[0] < 0 or present[-1] > np.iinfo(np.int32).max:
        return IMAGE
    labels = values.astype(np.int32)
    found = scatter(labels)
    if found.is_noise:
        foreground = two_levels(labels)
        blurred = foreground is not None and found.fringe and _is_flat(labels, foreground)
        return _binary(foreground) if blurred and foreground is not None else IMAGE
    if present[0] != 0 or found.thin > (THIN if found.parts <= PARTS * found.values else THIN / 5):
        return IMAGE
    return Likeness("labels", found.values)


def _is_flat(values: np.ndarray, foreground: np.ndarray) -> bool:
    """Whether most pixels on each side of the threshold have nearly one value, as in a compressed 0/1 mask."""
    span = 0.03 * (int(values.max()) - int(values.min()))
    sides = (values[foreground], values[~foreground])
    return all(np.mean(np.abs(side - np.median(side)) <= span) > FLAT for side in sides)


def _binary(foreground: np.ndarray) -> Likeness:
    if 1 - parts_with_a_square(foreground.astype(np.int32), 3).mean() > THIN:
        return IMAGE  # the dots of a printed picture
    return Likeness("binary", int(connected(foreground, connectivity=2).max()))


def _coloured(colours: np.ndarray) -> Likeness:
    if (colours == colours[..., :1]).all():
        return _plain(colours[..., 0])
    if len(np.unique(colours.reshape(-1, 3).astype(np.float64) @ (2.0**32, 2.0**16, 1.0))) > MOST_COLOURS:
        return IMAGE
    labels = colours_to_labels(colours)
    if labels.max(initial=0) > labels.size // 50 or 1 - parts_with_a_square(labels, 3).mean() > THIN:
        return IMAGE
    return Likeness("colours", int(labels.max(initial=0)))
