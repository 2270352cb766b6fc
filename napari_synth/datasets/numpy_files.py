"""NumPy files that anybody may have written: sizes are read from their headers before anything is unpacked."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Collection
from pathlib import Path
from typing import IO

import numpy as np
from numpy.lib import format as npy

from napari_synth.core.errors import brief

MAX_BYTES = 2**30
"""Of the arrays that are read of one file, unpacked."""
MAX_MEMBERS = 1000
DAMAGE = (
    OSError, ValueError, KeyError, TypeError, AttributeError, EOFError, RuntimeError, SyntaxError,
    RecursionError, zipfile.BadZipFile, zlib.error,
)  # fmt: skip
"""What reading a damaged file, or one of another kind, can raise."""


def read_arrays(path: Path, names: Collection[str], limit: int = MAX_BYTES) -> dict[str, np.ndarray]:
    """Those of some arrays that an ``.npz`` file has.

    Parameters
    ----------
    path : Path
    names : collection of str
    limit : int
        Bytes that all of them may take.

    Raises
    ------
    ValueError
        If the file is damaged, holds objects, or needs more bytes than the limit or than it says.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            if len(members) > MAX_MEMBERS:
                raise ValueError("it holds too many arrays")
            wanted = {member.filename.removesuffix(".npy"): member for member in members}
            wanted = {name: wanted[name] for name in names if name in wanted}
            if sum(member.file_size for member in wanted.values()) > limit:
                raise ValueError(f"its arrays have more than {limit >> 20} MB")
            return {name: _read_member(archive, member) for name, member in wanted.items()}
    except DAMAGE as error:
        raise ValueError(brief(error) or type(error).__name__) from error


def array_sizes(path: Path) -> dict[str, int]:
    """Bytes that each array of an ``.npz`` file takes, unpacked, as its directory says; in its order.

    Raises
    ------
    ValueError
        If the file is damaged or holds too many arrays.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    except DAMAGE as error:
        raise ValueError(brief(error) or type(error).__name__) from error
    if len(members) > MAX_MEMBERS:
        raise ValueError("it holds too many arrays")
    return {member.filename.removesuffix(".npy"): member.file_size for member in members}


def _read_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> np.ndarray:
    with archive.open(member) as file:
        check_header(file, member.file_size)
    with archive.open(member) as file:
        return npy.read_array(file, allow_pickle=False)


def check_header(file: IO[bytes], size: int) -> tuple[tuple[int, ...], np.dtype]:
    """Shape and dtype of a ``.npy`` file, whose header must ask for exactly the bytes that it has.

    Parameters
    ----------
    file : binary file
        At its beginning.
    size : int
        Bytes of the whole file.

    Returns
    -------
    shape : tuple of int
    dtype : dtype

    Raises
    ------
    ValueError
        If it does not, or there is no such header.
    """
    version = npy.read_magic(file)
    read = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}.get(version)
    if read is None:
        raise ValueError("it is of an unknown version")
    shape, _, dtype = read(file)
    count = 1
    for side in shape:
        count *= side
    if dtype.hasobject or min(shape, default=0) < 0 or count * dtype.itemsize != size - file.tell():
        raise ValueError("its header does not fit its size")
    return shape, dtype
