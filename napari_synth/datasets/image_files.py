"""Reading images and masks with an error a person understands."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from napari_synth.core.array_checks import check_plane
from napari_synth.core.errors import InputError
from napari_synth.core.files import entries
from napari_synth.core.intensity import check_channel

IMAGE_SUFFIXES = (".png", ".tif", ".tiff", ".jpg", ".jpeg")
TIFF_SUFFIXES = (".tif", ".tiff")


def read_array(path: Path) -> np.ndarray:
    """The array in a PNG, TIFF or JPEG file, as stored.

    Raises
    ------
    InputError
        If the file is missing, of another type, truncated or not an image.
    """
    if not path.is_file():
        raise InputError(f"The file {path} does not exist.", "Check the path.")
    if path.suffix.lower() not in IMAGE_SUFFIXES:
        raise InputError(f"{path.name} is not an image file.", f"Use one of: {', '.join(IMAGE_SUFFIXES)}.")
    try:
        if path.suffix.lower() in TIFF_SUFFIXES:
            import tifffile

            return np.asarray(tifffile.imread(path))
        import imageio.v3 as iio

        return np.asarray(iio.imread(path))
    except Exception as error:  # decoders raise anything at all on a damaged file
        raise InputError(f"{path} cannot be read as an image ({error}).", "Save it again and retry.") from error


def check_not_edited(path: Path) -> None:
    """Refuse to replace a file of a run that is not as it was written but opens as an image: somebody edited it."""
    try:
        read_array(path)
    except InputError:
        return
    raise InputError(
        f"{path} was changed since it was written.", "Move it elsewhere to keep it, or allow overwriting (--overwrite)."
    )


def image_files(folder: Path, also: tuple[str, ...] = ()) -> list[Path]:
    """The image files in a folder, sorted by name; not those with a dot in front, which are for programs.

    Parameters
    ----------
    folder : Path
    also : tuple of str
        Further suffixes to take.

    Raises
    ------
    InputError
        If the folder cannot be read.
    """
    return [
        path
        for path in entries(folder)
        if path.suffix.lower() in (*IMAGE_SUFFIXES, *also) and not path.name.startswith(".")
    ]


def read_image(path: Path) -> np.ndarray:
    """An image as ``(Y, X)`` or ``(Y, X, 3)`` in its stored dtype; alpha is dropped."""
    image = read_array(path)
    if image.ndim == 3 and image.shape[-1] in (3, 4):
        return image[..., :3]
    if image.ndim == 3 and image.shape[-1] == 1:
        return image[..., 0]
    if image.ndim != 2:
        raise InputError(
            f"{path} has shape {image.shape}, not a 2-D grey or RGB image.", "Split it into single planes."
        )
    return image


def read_channel(path: Path, channel: int | None = None) -> np.ndarray:
    """One channel of an image file, ``(Y, X)`` as stored; of several, the numbered one.

    Raises
    ------
    InputError
        If the file holds several channels and none is named, or no such channel.
    """
    array = read_array(path)
    if channel is not None:
        if array.ndim == 3 and array.shape[-1] in (2, 3, 4) and array.shape[0] not in (2, 3, 4):
            array = np.moveaxis(array, -1, 0)
        if array.ndim != 3 or channel >= len(array):
            raise InputError(f"{path} has no channel {channel} (shape {array.shape}).", "Count channels from 0.")
        array = array[channel]
    return check_channel(array, f"The image {path.name}")


def read_labels(path: Path) -> np.ndarray:
    """A mask as ``(Y, X)`` int32 instance labels; see `as_labels`."""
    array = read_array(path)
    if array.ndim == 3 and array.shape[-1] in (2, 3, 4):
        colours = array[..., :3] if array.shape[-1] != 2 else array[..., :1]
        if (colours != colours[..., :1]).any():
            raise InputError(f"The mask {path} is a colour image.", "Save it as a one-channel label image.")
        array = colours[..., 0]
    return as_labels(array, f"The mask {path.name}")


def as_labels(array: np.ndarray, what: str = "The mask") -> np.ndarray:
    """Any mask array as ``(Y, X)`` int32 labels, 0 = background.

    Parameters
    ----------
    array : ndarray, shape (Y, X)
        bool, integers >= 0, or floats that hold whole numbers.
    what : str
        Subject of the error sentences.

    Raises
    ------
    InputError
        If it is not 2-D, has no pixels, holds NaN, fractions, negative or too large numbers.
    """
    array = np.asarray(array)
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
    if labels.dtype.kind in "iuf" and labels.max(initial=0) > np.iinfo(np.int32).max:
        raise InputError(f"{what} contains labels over 2147483647.", "Renumber the labels from 1.")


def read_latent(path: Path) -> np.ndarray:
    """The numbers in a ``.npy`` file or in a text file, one after the other.

    Raises
    ------
    InputError
        If the file is missing or holds anything else.
    """
    try:
        values = (
            np.load(path, allow_pickle=False) if path.suffix.lower() == ".npy" else np.loadtxt(path, delimiter=None)
        )
        return np.asarray(values, np.float32).ravel()
    except (OSError, ValueError, EOFError) as error:
        raise InputError(
            f"{path} holds no list of numbers ({error}).", "Write z as .npy, or one number per line."
        ) from error
