"""ImageJ: ``.zip`` of the ROI manager, or one ``.roi``."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from napari_synth.core.errors import InputError
from napari_synth.datasets.foreign_masks.base import (
    ForeignFormat,
    ForeignMask,
    edges_to_centres,
    filled,
    image_of,
    shape_of,
)

ENDINGS = ("_rois", "_roi", "_RoiSet", "-RoiSet", "RoiSet_")
SUFFIX = ".roi"


def recognises(path: Path) -> bool:
    """See `ForeignFormat`."""
    if path.suffix.lower() == SUFFIX:
        return path.is_file()
    if path.suffix.lower() != ".zip" or not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return any(name.lower().endswith(SUFFIX) for name in archive.namelist())


def read(path: Path, images: Path | None) -> Iterator[ForeignMask]:
    """See `ForeignFormat`."""
    stem = path.stem
    for ending in ENDINGS:
        stem = stem.removesuffix(ending).removeprefix(ending)
    image = image_of(stem, images, path.parent)
    shape = shape_of(image, path)
    labels, remarks = filled(shape, [outlines for outlines in _outlines(path) if outlines])
    yield ForeignMask(stem, labels, image, remarks)


def _outlines(path: Path) -> list[list[np.ndarray]]:
    """The outlines of each ROI; lines and points have none."""
    import roifile

    areas = {
        roifile.ROI_TYPE.POLYGON,
        roifile.ROI_TYPE.RECT,
        roifile.ROI_TYPE.OVAL,
        roifile.ROI_TYPE.FREEHAND,
        roifile.ROI_TYPE.TRACED,
    }
    try:
        found = roifile.roiread(path)
        rois = found if isinstance(found, list) else [found]
        result = []
        for roi in rois:
            if roi.roitype not in areas:
                continue
            outlines = roi.coordinates(multi=True)
            result.append([edges_to_centres(outline) for outline in outlines])
        return result
    except Exception as error:  # a damaged ROI raises anything at all
        raise InputError(f"{path.name} is damaged, or holds no ImageJ ROIs.", "Save the ROIs again.") from error


FORMAT = ForeignFormat("ImageJ ROIs: .zip of the ROI manager, .roi", recognises, read)
