"""Reading images and masks with an error a person understands: the one door for files of pixels."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from napari_synth.core.array_checks import check_plane
from napari_synth.core.errors import InputError, brief
from napari_synth.core.files import user_path
from napari_synth.core.intensity import check_channel
from napari_synth.datasets.numpy_files import DAMAGE, check_header
from napari_synth.datasets.plausible import colours_to_labels, scatter, snapped, two_levels
from napari_synth.datasets.reading.colours import in_colours
from napari_synth.datasets.reading.files import IMAGE_SUFFIXES, TIFF_SUFFIXES, read_stored
from napari_synth.datasets.reading.planes import one_plane, squeezed
from napari_synth.datasets.reading.stored import PixelSize, Stored

__all__ = [
    "IMAGE_SUFFIXES",
    "TIFF_SUFFIXES",
    "PixelSize",
    "Reading",
    "as_labels",
    "check_not_edited",
    "check_range",
    "count_planes",
    "open_image",
    "open_mask",
    "opens",
    "read_channel",
    "read_image",
    "read_labels",
    "read_latent",
]

MAX_LATENT_BYTES = 2**20


@dataclass(frozen=True, eq=False)
class Reading:
    """An image or a mask out of a file.

    Attributes
    ----------
    pixels : ndarray, shape (Y, X) or (Y, X, 3)
    axes : str
        ``YX`` or ``YXS``.
    pixel_size : PixelSize
    remarks : tuple of str
        What was done to read it, a sentence each; empty for a plain file.
    """

    pixels: np.ndarray
    axes: str
    pixel_size: PixelSize
    remarks: tuple[str, ...] = ()


def opens(path: Path) -> bool:
    """Whether a file is an image that can be read to its end."""
    try:
        read_stored(path)
    except InputError:
        return False
    return True


def check_not_edited(path: Path) -> None:
    """Refuse to replace a file of a run that is not as it was written but opens as an image: somebody edited it."""
    if opens(path):
        raise InputError(
            f"{path} was changed since it was written.",
            "Move it elsewhere to keep it, or allow overwriting (--overwrite).",
        )


def count_planes(path: Path) -> int:
    """Number of planes in a file: 1, or those of a stack."""
    lengths = squeezed(read_stored(path)).stack
    return int(np.prod(lengths)) if lengths else 1


def open_image(path: Path, plane: int | None = None) -> Reading:
    """An image as ``(Y, X)`` or ``(Y, X, 3)`` in its stored dtype, upright, in RGB or grey.

    Parameters
    ----------
    path : Path
        PNG, JPEG, TIFF, BMP, NPY, NPZ or OME-Zarr.
    plane : int, optional
        Number of the plane of a stack, from 0.

    Raises
    ------
    InputError
        If it cannot be read, is a stack and no plane is named, or has no finite pixel.
    """
    stored = one_plane(read_stored(path), plane)
    pixels, remarks = stored.pixels, list(stored.remarks)
    if stored.palette is not None:
        pixels = in_colours(pixels, stored.palette)
    if stored.alpha is not None and (stored.alpha != stored.alpha.flat[0]).any():
        remarks.append(f"The alpha channel of {stored.path.name} is not used.")
    if pixels.ndim == 3 and pixels.shape[-1] != 3:
        raise InputError(
            f"{stored.path.name} has {pixels.shape[-1]} channels, but a grey or RGB image is needed.",
            "Save the channel to use as a file of its own.",
        )
    if pixels.dtype.kind not in "biuf":
        raise InputError(f"{stored.path.name} holds {pixels.dtype.name} numbers.", "Save it as 8 bit, 16 bit or float.")
    if pixels.dtype.kind == "f":
        finite = np.isfinite(pixels)
        if not finite.any():
            raise InputError(f"{stored.path.name} has no finite pixel.", "Choose another image.")
        if not finite.all():
            remarks.append(f"{int((~finite).sum())} pixels of {stored.path.name} are NaN or infinite.")
    return Reading(pixels, "YXS"[: pixels.ndim], stored.pixel_size, tuple(remarks))


def read_image(path: Path, plane: int | None = None) -> np.ndarray:
    """The pixels of `open_image`."""
    return open_image(path, plane).pixels


def read_channel(path: Path, channel: int | None = None) -> np.ndarray:
    """One channel of an image file, ``(Y, X)`` as stored; of several, the numbered one.

    Raises
    ------
    InputError
        If the file holds several channels and none is named, or no such channel.
    """
    if channel is None:
        return check_channel(_planes(read_stored(path)), f"The image {path.name}")
    array = _planes(read_stored(path))
    if array.ndim == 3 and array.shape[-1] in (2, 3, 4) and array.shape[0] not in (2, 3, 4):
        array = np.moveaxis(array, -1, 0)
    if array.ndim != 3 or channel >= len(array):
        raise InputError(f"{path} has no channel {channel} (shape {array.shape}).", "Count channels from 0.")
    return check_channel(array[channel], f"The image {path.name}")


def _planes(stored: Stored) -> np.ndarray:
    """All pixels of a file without axes of length 1, colours last."""
    stored = squeezed(stored)
    return stored.pixels if stored.palette is None else in_colours(stored.pixels, stored.palette)


def open_mask(path: Path, plane: int | None = None, repair: bool = False) -> Reading:
    """A mask as ``(Y, X)`` int32 instance labels; see `as_labels`.

    The indices of a palette are the labels. A mask with constant colours and an alpha channel is its alpha channel.
    A 0/1 mask that was saved as JPEG or resized with interpolation is thresholded, with a remark.

    Parameters
    ----------
    path : Path
    plane : int, optional
        Number of the plane of a stack, from 0.
    repair : bool
        Cure what is refused without: colours, fractions, scattered and negative numbers.

    Raises
    ------
    InputError
        If the file cannot be read or its numbers cannot be labels.
    """
    from napari_synth.datasets.reading.ome_zarr import is_zarr, label_groups

    path = user_path(path)
    if is_zarr(path) and (beside := label_groups(path)):
        path = beside[0]
    stored = one_plane(read_stored(path), plane)
    numbers, remarks = _numbers(stored, repair)
    labels, more = _whole(numbers, stored, repair)
    return Reading(labels, "YX", stored.pixel_size, (*stored.remarks, *remarks, *more))


def read_labels(path: Path, plane: int | None = None) -> np.ndarray:
    """The labels of `open_mask`."""
    return open_mask(path, plane).pixels


def _numbers(stored: Stored, repair: bool) -> tuple[np.ndarray, list[str]]:
    """The plane of a file that holds the mask, ``(Y, X)``."""
    name, pixels = stored.path.name, stored.pixels
    if stored.palette is not None:
        return pixels, []
    if stored.as_stored is not None and _is_background_zero(stored):
        return stored.as_stored, [f"The numbers in {name} are the labels, though zero is shown white."]
    grey = pixels if pixels.ndim == 2 else pixels[..., 0]
    coloured = pixels.ndim == 3 and bool((pixels != pixels[..., :1]).any())
    alpha = stored.alpha
    if alpha is not None and (alpha != alpha.flat[0]).any():
        if (pixels == pixels[0, 0]).all():
            return alpha, [f"The colours of {name} are constant, so its alpha channel is the mask."]
        if not coloured:
            return grey, [f"The alpha channel of {name} is not used."]
    if not coloured:
        return grey, []
    present = np.asarray(pixels.any(-1))
    if len(np.unique(pixels[present], axis=0)) == 1 and not present.all():
        return present, [f"{name} has one colour beside black, which is the foreground."]
    if repair:
        return colours_to_labels(pixels), [f"Each coloured part of {name} became a label."]
    raise InputError(
        f"The mask {stored.path} is a colour image.",
        "Save it as a one-channel label image, or make a copy with a label for each coloured part: "
        f"napari-synth check {stored.path.parent} --repair COPY.",
    )


def _is_background_zero(stored: Stored) -> bool:
    """Whether the numbers in a white-is-zero file, rather than what is shown, are labels.

    More numbers than two are labels if one of them is 0. Two are what is shown, unless the program that wrote them
    is known to mean the numbers.
    """
    assert stored.as_stored is not None
    values = np.unique(stored.as_stored)
    if len(values) > 2:
        return bool(values[0] == 0) and not (stored.pixels == 0).any()
    return stored.numbers_first


def _whole(numbers: np.ndarray, stored: Stored, repair: bool) -> tuple[np.ndarray, list[str]]:
    """Labels of a plane of numbers, thresholded where nothing else can be meant."""
    name = stored.path.name
    remarks: list[str] = []
    what = f"The mask {name}"
    if repair:
        numbers, remarks = _repaired(numbers, name)
    try:
        labels = as_labels(numbers, what)
    except InputError as error:
        raise InputError(
            error.problem, f"{error.action[:-1]}; this does it: napari-synth check {stored.path.parent} --repair COPY."
        ) from error
    found = scatter(labels)
    if not found.is_noise:
        return labels, remarks
    foreground = two_levels(labels)
    said = f"{what} has {found.values} different values scattered along edges (JPEG noise or interpolation)"
    if foreground is not None:
        return foreground.astype(np.int32), [*remarks, f"{said}; it was thresholded at half of the range."]
    if repair:
        return snapped(labels), [*remarks, f"{said}; each of their pixels went to the nearest whole nucleus."]
    raise InputError(
        f"{said}.",
        "Save the labels as PNG or TIFF without smoothing, or make a repaired copy: "
        f"napari-synth check {stored.path.parent} --repair COPY.",
    )


def _repaired(numbers: np.ndarray, name: str) -> tuple[np.ndarray, list[str]]:
    """Numbers without NaN, negative ones and fractions."""
    remarks: list[str] = []
    if numbers.dtype.kind == "f":
        if not np.isfinite(numbers).all():
            numbers = np.nan_to_num(numbers, nan=0.0, posinf=0.0, neginf=0.0)
            remarks.append(f"NaN and infinity in {name} became background.")
        if (numbers != np.floor(numbers)).any():
            foreground = two_levels(numbers)
            whole = np.rint(numbers) if foreground is None else foreground
            how = "rounded" if foreground is None else "thresholded at half of the range"
            numbers, remarks = whole, [*remarks, f"The fractions in {name} were {how}."]
    if numbers.dtype.kind in "if" and numbers.min(initial=0) < 0:
        numbers, remarks = np.maximum(numbers, 0), [*remarks, f"Negative numbers in {name} became background."]
    return numbers, remarks


def as_labels(array: np.ndarray, what: str = "The mask") -> np.ndarray:
    """Any mask array as ``(Y, X)`` int32 labels, 0 = background.

    Parameters
    ----------
    array : ndarray, shape (Y, X)
        bool, integers >= 0, or floats that hold whole numbers. Axes of length 1 are dropped.
    what : str
        Subject of the error sentences.

    Raises
    ------
    InputError
        If it is not 2-D, has no pixels, holds NaN, fractions, negative or too large numbers.
    """
    array = np.asarray(array)
    if array.ndim > 2:
        array = np.squeeze(array, tuple(i for i, n in enumerate(array.shape) if n == 1)[: array.ndim - 2])
    check_plane(array, what, "mask")
    if array.dtype.kind == "f":
        if not np.isfinite(array).all():
            raise InputError(f"{what} contains NaN or infinity.", "Replace them by 0 or convert it to labels.")
        if (array != np.floor(array)).any():
            raise InputError(f"{what} contains fractions.", "Threshold it or convert it to whole-number labels.")
    elif array.dtype.kind not in "biu":
        raise InputError(f"{what} has the dtype {array.dtype}.", "Convert it to whole-number labels.")
    check_range(array, what)
    return array.astype(np.int32)


def check_range(labels: np.ndarray, what: str = "The mask") -> None:
    """Refuse labels that are negative or do not fit into int32, with an `InputError`."""
    if labels.dtype.kind in "if" and labels.min(initial=0) < 0:
        raise InputError(f"{what} contains negative labels.", "Use 0 for background and 1, 2, … for nuclei.")
    if labels.dtype.kind in "iuf" and float(labels.max(initial=0)) > np.iinfo(np.int32).max:
        raise InputError(f"{what} contains labels over 2147483647.", "Renumber the labels from 1.")


def read_latent(path: Path) -> np.ndarray:
    """The numbers in a ``.npy`` file or in a text file, one after the other.

    Raises
    ------
    InputError
        If the file is missing or holds anything else.
    """
    if not path.is_file():
        raise InputError(f"The file {path} does not exist.", "Check the path.")
    try:
        size = path.stat().st_size
        if size > MAX_LATENT_BYTES:
            raise ValueError("it is too long")
        if path.suffix.lower() == ".npy":
            with path.open("rb") as file:
                check_header(file, size)
            values = np.load(path, allow_pickle=False)
        else:
            values = np.loadtxt(path, delimiter=None)
        return np.asarray(values, np.float32).ravel()
    except DAMAGE as error:
        raise InputError(
            f"{path} holds no list of numbers ({brief(error)}).", "Write z as .npy, or one number per line."
        ) from error
