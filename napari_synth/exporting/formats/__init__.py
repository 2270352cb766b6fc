"""Export formats. A new one is a file here and a line in `FORMATS`."""

from __future__ import annotations

from napari_synth.core.registry import Registry
from napari_synth.exporting.formats.base import Writer
from napari_synth.exporting.formats.cellpose import CellposeWriter
from napari_synth.exporting.formats.coco import CocoWriter
from napari_synth.exporting.formats.dsb2018 import DsbWriter
from napari_synth.exporting.formats.huggingface import HuggingFaceWriter
from napari_synth.exporting.formats.nnunet import NnUNetWriter
from napari_synth.exporting.formats.ome_zarr import OmeZarrWriter
from napari_synth.exporting.formats.stardist import StarDistWriter
from napari_synth.exporting.formats.tiff import TiffWriter
from napari_synth.exporting.formats.yolo import YoloWriter

FORMATS: Registry[Writer] = Registry(
    "export format",
    {
        "tiff": TiffWriter(),
        "cellpose": CellposeWriter(),
        "stardist": StarDistWriter(),
        "coco": CocoWriter(),
        "yolo": YoloWriter(),
        "nnunet": NnUNetWriter(),
        "dsb2018": DsbWriter(),
        "ome-zarr": OmeZarrWriter(),
        "huggingface": HuggingFaceWriter(),
    },
)
"""Formats by the name that the command line takes."""
