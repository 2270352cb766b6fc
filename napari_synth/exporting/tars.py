"""Archives whose bytes depend on what is in them alone."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import tifffile

from napari_synth.exporting.formats.base import PairToWrite
from napari_synth.exporting.formats.tiff import stored_labels


class TarWriter:
    """Puts members into a tar file in USTAR, without names, times or rights of whoever wrote it."""

    def __init__(self, tar: tarfile.TarFile):
        self._tar = tar

    def add(self, name: str, data: bytes) -> str:
        """Add a member; its SHA-256."""
        member = tarfile.TarInfo(name)
        member.size = len(data)
        member.mode = 0o644
        self._tar.addfile(member, io.BytesIO(data))
        return hashlib.sha256(data).hexdigest()


@contextmanager
def tar_writer(path: Path) -> Iterator[TarWriter]:
    """Write a tar file to a path that is nobody else's yet."""
    with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as tar:
        yield TarWriter(tar)


def tiff_bytes(array: np.ndarray, packed: bool = False) -> bytes:
    """A plain TIFF of ``(Y, X)``, ``(Y, X, 3)`` or ``(C, Y, X)``; ``packed`` for labels, which deflate well."""
    file = io.BytesIO()
    colours = array.ndim == 3 and array.shape[-1] == 3
    tifffile.imwrite(
        file,
        array,
        photometric="rgb" if colours else "minisblack",
        planarconfig=None if array.ndim == 2 or colours else "separate",
        compression="zlib" if packed else None,
        metadata=None,
        software="napari-synth",
        datetime=False,
    )
    return file.getvalue()


def add_pair(tar: TarWriter, pair: PairToWrite, facts: dict[str, object]) -> str:
    """Put a pair into a WebDataset shard, as ``INDEX.image.tif``, ``INDEX.masks.tif`` and ``INDEX.json``.

    Parameters
    ----------
    tar : TarWriter
    pair : PairToWrite
        With its recipe in JSON.
    facts : dict
        For ``INDEX.json``, beside the recipe.

    Returns
    -------
    str
        SHA-256 of the image file.
    """
    key = f"{pair.item.index:09d}"
    image = pair.image if pair.condition is None else np.stack([pair.condition, pair.image])
    sha256 = tar.add(f"{key}.image.tif", tiff_bytes(image))
    tar.add(f"{key}.masks.tif", tiff_bytes(stored_labels(pair.labels), packed=True))
    about = facts | {"pixel_size": [pair.pixel_size.x, pair.pixel_size.y, pair.pixel_size.unit]}
    if pair.channels:
        about["channels"] = list(pair.channels)
    tar.add(f"{key}.json", json.dumps(about | {"recipe": json.loads(pair.recipe_yaml)}).encode())
    return sha256


def read_pair(tar: tarfile.TarFile, index: int) -> tuple[np.ndarray, np.ndarray]:
    """Image and labels of a pair in a shard.

    Raises
    ------
    KeyError
        If it is not there.
    """
    found = []
    for kind in ("image", "masks"):
        file = tar.extractfile(f"{index:09d}.{kind}.tif")
        if file is None:
            raise KeyError(kind)
        found.append(tifffile.imread(io.BytesIO(file.read())))
    return found[0], found[1]
