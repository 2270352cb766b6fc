"""Export formats. A new one is a file here and a line in `FORMATS`."""

from __future__ import annotations

from napari_synth.core.registry import Registry
from napari_synth.exporting.formats.base import Writer
from napari_synth.exporting.formats.cellpose import CellposeWriter
from napari_synth.exporting.formats.stardist import StarDistWriter
from napari_synth.exporting.formats.tiff import TiffWriter

FORMATS: Registry[Writer] = Registry(
    "export format",
    {
        "tiff": TiffWriter(),
        "cellpose": CellposeWriter(),
        "stardist": StarDistWriter(),
    },
)
"""Formats by the name that the command line takes."""
