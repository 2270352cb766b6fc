"""Mask files as they are given on the command line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from napari_synth.cli.console import err
from napari_synth.core.errors import InputError
from napari_synth.core.names import check_inside
from napari_synth.datasets.image_files import PixelSize, Reading

Plane = Annotated[int | None, typer.Option(min=0, help="Number of the plane to use of a mask that is a stack, from 0.")]
Repair = Annotated[
    bool,
    typer.Option("--repair", help="Cure masks that are refused without: colours, fractions, scattered numbers."),
]


@dataclass(frozen=True, eq=False)
class GivenMask:
    """A mask that was read.

    Attributes
    ----------
    path : Path
        The file that a recipe names: it gives the same labels when it is read again.
    stem : str
        What the outputs are called after.
    labels : ndarray, shape (Y, X), int32
    pixel_size : PixelSize
    """

    path: Path
    stem: str
    labels: np.ndarray
    pixel_size: PixelSize
    made: bool = False

    def kept_path(self, folder: Path) -> Path:
        """Where `kept` writes."""
        from napari_synth.datasets.listing import output_name

        return check_inside(folder, folder / "masks" / output_name(self.stem, ".tif"))

    def kept(self, folder: Path) -> GivenMask:
        """With a file of its own in ``folder`` where the labels are not those that its file gives by itself."""
        from napari_synth.exporting.formats.tiff import stored_labels, write_tiff

        if not self.made:
            return self
        path = self.kept_path(folder)
        write_tiff(path, stored_labels(self.labels), "", self.pixel_size)
        return replace(self, path=path, made=False)


def read_masks(
    given: Sequence[Path], plane: int | None = None, repair: bool = False, may_be_empty: bool = False
) -> list[GivenMask]:
    """The masks in files and folders; what was done to read them is said, empty ones are left out by name.

    Raises
    ------
    InputError
        If one cannot be used, or all are empty.
    """
    from napari_synth.datasets.pairs import empty_masks
    from napari_synth.synthesis.request import check_mask

    masks, empty = [], []
    for path, stem, reading, made in _readings(given, plane, repair):
        for remark in reading.remarks:
            err.print(remark)
        labels = check_mask(reading.pixels, True, f"The mask {path}")
        if not labels.any() and not may_be_empty:
            empty.append(str(path))
        else:
            masks.append(GivenMask(path, stem, labels, reading.pixel_size, made))
    if not masks:
        what = f"The mask {empty[0]} is empty." if len(empty) == 1 else f"All {len(empty)} masks are empty."
        raise InputError(what, "Paint or sample at least one nucleus.")
    if empty:
        err.print(empty_masks(empty))
    return masks


def _readings(given: Sequence[Path], plane: int | None, repair: bool) -> Iterator[tuple[Path, str, Reading, bool]]:
    """Path, stem and labels of each mask, and whether its file alone would not give them."""
    from napari_synth.datasets.foreign_masks import format_of, read_foreign
    from napari_synth.datasets.image_files import IMAGE_SUFFIXES, open_mask
    from napari_synth.datasets.listing import files_of, stem_of

    for path in files_of(given):
        foreign = path.suffix.lower() not in IMAGE_SUFFIXES or path.name.endswith("_seg.npy")
        if foreign and path.is_file() and (name := format_of(path)):
            for mask in read_foreign(path, name):
                yield path, mask.stem, Reading(mask.labels, "YX", PixelSize(), mask.remarks), True
            continue
        stem = stem_of(path) if plane is None else f"{stem_of(path)}_{plane}"
        yield path, stem, open_mask(path, plane, repair), plane is not None or repair
