"""Between the grey values of a microscope and the range of a network, and back."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, model_validator

from napari_synth.core.array_checks import check_plane
from napari_synth.core.errors import InputError

GreyDtype = Literal["uint8", "int8", "uint16", "int16", "float16", "float32", "float64"]
"""Of images of one channel."""
PERCENTILES = (0.1, 99.9)


class Intensity(BaseModel):
    """Scale of one channel: the grey values that stand for -1 and 1.

    Attributes
    ----------
    dtype : str
        Of the images the scale was measured on; float32 stands for all floats.
    low, high : float
        Their 0.1 and 99.9 percentile.
    """

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    dtype: GreyDtype
    low: float
    high: float

    @model_validator(mode="after")
    def _is_a_range(self) -> Intensity:
        if not self.low < self.high:
            raise ValueError("low must be below high")
        return self

    def to_network(self, image: np.ndarray) -> np.ndarray:
        """Grey values to float32 in [-1, 1]; values beyond the percentiles are clipped."""
        share = (image.astype(np.float32) - self.low) / (self.high - self.low)
        clipped: np.ndarray = np.clip(share, 0, 1)
        return 2 * clipped - 1

    def from_network(self, values: np.ndarray) -> np.ndarray:
        """[-1, 1] to grey values of the dtype."""
        grey = (np.asarray(values, np.float64) + 1) / 2 * (self.high - self.low) + self.low
        dtype = np.dtype(self.dtype)
        if dtype.kind in "iu":
            limits = np.iinfo(dtype)
            grey = np.clip(np.round(grey), limits.min, limits.max)
        return grey.astype(dtype)


def measure_intensity(images: Iterable[np.ndarray], what: str) -> Intensity:
    """The scale of some images of one channel, all their pixels together.

    Raises
    ------
    InputError
        If they differ in dtype, or all pixels have nearly one value.
    """
    arrays = list(images)
    dtypes = sorted({array.dtype.name for array in arrays})
    if len(dtypes) > 1:
        raise InputError(f"The {what} images have different dtypes ({', '.join(dtypes)}).", "Save all in one.")
    low, high = np.percentile(np.concatenate([array.ravel() for array in arrays]).astype(np.float64), PERCENTILES)
    if not high > low:
        raise InputError(f"The {what} is constant: its pixels all have the value {low:g}.", "Choose another image.")
    return Intensity(dtype=_stored(dtypes[0]), low=float(low), high=float(high))


def _stored(dtype: str) -> str:
    return "float32" if np.dtype(dtype).kind == "f" else dtype


def in_grey_values_of(image: np.ndarray, scale: Intensity, what: str) -> np.ndarray:
    """An image in the dtype of a scale.

    One of that dtype stays as it is. Another one comes from another kind of microscope or file, so its
    own percentiles take the place of the scale's.
    """
    if _stored(image.dtype.name) == scale.dtype:
        return image.astype(scale.dtype, copy=False)
    return scale.from_network(measure_intensity([image], what).to_network(image))


def check_channel(image: np.ndarray, what: str) -> np.ndarray:
    """An image of one channel, ``(Y, X)`` of 8 or 16 bit or float, as it is.

    Raises
    ------
    InputError
        If it has several channels, no pixels, another dtype, NaN or infinity.
    """
    image = np.asarray(image)
    if image.ndim == 3 and image.shape[-1] in (2, 3, 4):
        raise InputError(f"{what} has {image.shape[-1]} channels, but one is needed.", "Choose one channel of it.")
    check_plane(image, what, "image")
    if image.dtype.kind not in "iuf" or (image.dtype.kind in "iu" and image.dtype.itemsize > 2):
        raise InputError(f"{what} has the dtype {image.dtype}.", "Save it as 8 bit, 16 bit or float.")
    if image.dtype.kind == "f" and not np.isfinite(image).all():
        raise InputError(f"{what} contains NaN or infinity.", "Replace them by numbers.")
    return image
