"""Masks out of anything a person may open: a mask file, a stack, a folder, or a file of another program."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from napari_synth.core.errors import InputError
from napari_synth.core.files import user_path
from napari_synth.datasets.foreign_masks import FOREIGN_MASKS, ForeignMask, format_of, read_foreign
from napari_synth.datasets.image_files import count_planes, open_mask, opens
from napari_synth.datasets.listing import mask_files, stem_of

MOST_PLANES = 512
"""Planes of a stack that are read at once."""


@dataclass(frozen=True, eq=False)
class MaskSeries:
    """Masks in their order, each read when it is asked for.

    Attributes
    ----------
    name : str
        Of the file or folder.
    stems : tuple of str
        Their names.
    sources : tuple of Path or ForeignMask
        Image files; or the masks themselves, where one file of another program holds them all.
    paths : tuple of Path
        What was opened: a file or folder for each.
    """

    name: str
    stems: tuple[str, ...]
    sources: tuple[Path | ForeignMask, ...]
    paths: tuple[Path, ...]

    def __len__(self) -> int:
        return len(self.sources)

    def read(self, index: int) -> ForeignMask:
        """One mask; the labels of a stack are ``(plane, Y, X)``.

        Raises
        ------
        InputError
            If it cannot be read; it names the file.
        """
        source = self.sources[index]
        return mask_file(source) if isinstance(source, Path) else source


def mask_series(path: str | Path, images: str | Path | None = None) -> MaskSeries:
    """The masks in a file or folder, whoever wrote it; image files are only listed.

    Parameters
    ----------
    path : str or Path
        A file or folder of a program in `FOREIGN_MASKS`, an image file, or a folder of these (or of ``masks/`` in it).
    images : str or Path, optional
        Folder of the images that outlines were drawn on, where these do not lie beside them.

    Raises
    ------
    InputError
        If there is no mask in it; it names the file.
    """
    path = user_path(path)
    if not path.exists():
        raise InputError(f"The file {path} does not exist.", "Check the path.")
    known = format_of(path)
    sources: list[Path | ForeignMask]
    if known is not None:
        sources = [*read_foreign(path, known, images)]
    elif path.is_dir():
        sources = [*mask_files(path)]
    elif opens(path):
        sources = [path]
    else:
        raise InputError(
            f"{path.name} holds no masks that this program knows.",
            f"Open an image file, or one of: {FOREIGN_MASKS.choices}.",
        )
    stems = tuple(stem_of(source) if isinstance(source, Path) else source.stem for source in sources)
    return MaskSeries(path.name, stems, tuple(sources), (path,) * len(sources))


def joined(series: Sequence[MaskSeries]) -> MaskSeries:
    """All masks of some series as one."""
    if len(series) == 1:
        return series[0]
    return MaskSeries(
        f"{len(series)} files and folders",
        tuple(stem for one in series for stem in one.stems),
        tuple(source for one in series for source in one.sources),
        tuple(path for one in series for path in one.paths),
    )


def mask_file(path: Path) -> ForeignMask:
    """The mask in one image file; all planes of a stack."""
    planes = count_planes(path)
    if planes == 1:
        reading = open_mask(path)
        return ForeignMask(stem_of(path), reading.pixels, None, reading.remarks, reading.pixel_size)
    if planes > MOST_PLANES:
        raise InputError(
            f"{path.name} is a stack of {planes} planes.", f"Open one of at most {MOST_PLANES}, or some of its planes."
        )
    readings = [open_mask(path, plane) for plane in range(planes)]
    remarks = tuple(dict.fromkeys(remark for reading in readings for remark in reading.remarks))
    stack = np.stack([reading.pixels for reading in readings])
    return ForeignMask(stem_of(path), stack, None, remarks, readings[0].pixel_size)
