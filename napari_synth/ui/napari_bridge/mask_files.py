"""Masks of files as layers, and layers as files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from napari.layers import Labels

from napari_synth.datasets.foreign_masks import ForeignMask
from napari_synth.datasets.image_files import TIFF_SUFFIXES, PixelSize, as_labels
from napari_synth.ui.napari_bridge.mask_layers import mask_array, pixel_size, put_on_top

if TYPE_CHECKING:
    from napari.components import ViewerModel

OPENED_KEY = "napari-synth opened"
"""Marks a layer that was read as a mask; holds the path and what was done to read it."""
MOST_LAYERS = 12
"""Masks of a file or folder that become a layer each; of more of them one is seen at a time."""
LayerData = tuple[Any, dict[str, Any], str]


def layer_data(mask: ForeignMask, path: Path) -> LayerData:
    """A Labels layer, as napari's readers hand it over.

    Parameters
    ----------
    mask : ForeignMask
    path : Path
        What it was read from.
    """
    labels = mask.labels
    if labels.min(initial=0) >= 0 and labels.max(initial=0) < 2**16:
        labels = labels.astype(np.uint16)
    settings: dict[str, Any] = {
        "name": mask.stem,
        "metadata": {OPENED_KEY: {"path": str(path), "remarks": list(mask.remarks)}},
    }
    settings |= _scale(mask.pixel_size, labels.ndim)
    table = _table(path) if labels.ndim == 2 else {}
    if table:
        settings["features"] = _rows(table)
    return labels, settings, "labels"


def _scale(size: PixelSize, ndim: int) -> dict[str, Any]:
    """Scale and units where the file names them."""
    if size.unit == "pixel":
        return {}
    more = ndim - 2
    return {"scale": (*[1.0] * more, size.y, size.x), "units": (*["pixel"] * more, size.unit, size.unit)}


def _table(path: Path) -> dict[str, np.ndarray]:
    from napari_synth.exporting.formats.tiff import embedded_nuclei

    return embedded_nuclei(path) if path.is_file() and path.suffix.lower() in TIFF_SUFFIXES else {}


def _rows(table: dict[str, np.ndarray]) -> Any:
    """The table with a row for the background first, as napari counts the features of labels."""
    background = {name: [0 if values.dtype.kind in "iu" else np.nan] for name, values in table.items()}
    return pd.concat([pd.DataFrame(background), pd.DataFrame(table)], ignore_index=True)


def add_opened(viewer: ViewerModel, data: LayerData) -> Labels:
    """Add a mask that was read on top; the next painted nucleus gets a new number."""
    labels, settings, _ = data
    layer = Labels(labels, **settings)
    put_on_top(viewer, layer)
    layer.selected_label = int(labels.max(initial=0)) + 1
    return layer


def save_mask(layer: Labels, path: Path) -> None:
    """Write a mask as TIFF with the table of its nuclei."""
    from napari_synth.exporting.formats.tiff import stored_labels, write_tiff

    labels = as_labels(mask_array(layer), f"The layer {layer.name!r}")
    table = layer.features
    nuclei = {}
    if "index" in table:
        table = table[table["index"].isin(np.unique(labels[labels > 0]))].dropna()
        nuclei = {str(name): table[name].to_numpy() for name in table.select_dtypes("number")}
    write_tiff(path, stored_labels(labels), "", pixel_size(layer), nuclei)
