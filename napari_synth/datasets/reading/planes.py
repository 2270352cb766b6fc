"""One plane of what a file holds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from napari_synth.core.errors import InputError
from napari_synth.datasets.reading.stored import Stored

COLOURED = ("uint8", "uint16")
"""Three channels of these are a colour; of other types they are three images."""


def squeezed(stored: Stored) -> Stored:
    """Without axes of length 1, samples last, three channels of a colour as samples."""
    pixels, axes = stored.pixels, stored.axes
    short = [i for i, n in enumerate(pixels.shape) if n == 1 and axes[i] not in "YX"]
    if pixels.ndim - len(short) > 2:
        # A program that does not know axes may have called the last ones Y and X whatever they are.
        short += [i for i, n in enumerate(pixels.shape) if n == 1 and axes[i] in "YX"]
        short = short[: pixels.ndim - 2]
    kept = "".join(axis for i, axis in enumerate(axes) if i not in short)
    if "Y" not in kept or "X" not in kept:
        kept = kept[:-2].replace("Y", "Q").replace("X", "Q") + "YX"
    drop = tuple(short)

    def without(array: np.ndarray | None) -> np.ndarray | None:
        return None if array is None else np.squeeze(array, tuple(i for i in drop if i < array.ndim))

    stored = replace(
        stored,
        pixels=np.squeeze(pixels, drop),
        axes=kept,
        alpha=without(stored.alpha),
        as_stored=without(stored.as_stored),
    )
    place = kept.find("C")
    if "S" not in kept and place >= 0 and stored.pixels.shape[place] == 3 and stored.pixels.dtype.name in COLOURED:
        return replace(stored, pixels=np.moveaxis(stored.pixels, place, -1), axes=kept.replace("C", "") + "S").remarked(
            f"The three channels of {stored.path.name} are read as red, green and blue."
        )
    return stored


def one_plane(stored: Stored, plane: int | None = None) -> Stored:
    """``(Y, X)`` or ``(Y, X, S)`` of a file.

    Parameters
    ----------
    stored : Stored
    plane : int, optional
        Number of the plane of a stack, from 0; several axes are counted in the order in which they are stored.

    Raises
    ------
    InputError
        If it is a stack and no plane is named, or one that it does not have.
    """
    stored = squeezed(stored)
    name, lengths = stored.path.name, stored.stack
    count = int(np.prod(lengths)) if lengths else 1
    if not lengths and plane in (None, 0):
        return stored
    if plane is not None and not 0 <= plane < count:
        raise InputError(f"{name} has no plane {plane}.", f"It has {count}: name one from 0 to {count - 1}.")
    letters = [axis for axis in stored.axes if axis not in "YXS"]
    if plane is None:
        said = ", ".join(f"{axis} {n}" if axis != "Q" else str(n) for axis, n in zip(letters, lengths, strict=True))
        raise InputError(
            f"{name} is not a 2-D image but a stack of {count} planes ({said}).",
            f"Name one with --plane 0 … {count - 1}, or split it: napari-synth check {stored.path.parent} "
            "--repair COPY.",
        )
    index = iter(np.unravel_index(plane, lengths))
    where = tuple(slice(None) if axis in "YXS" else int(next(index)) for axis in stored.axes)

    def of(array: np.ndarray | None) -> np.ndarray | None:
        return None if array is None else array[where[: array.ndim]]

    return replace(
        stored,
        pixels=stored.pixels[where],
        axes="".join(axis for axis in stored.axes if axis in "YXS"),
        alpha=of(stored.alpha),
        as_stored=of(stored.as_stored),
    )
