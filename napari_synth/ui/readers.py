"""What File ▸ Open and drag and drop make of files: readers of napari, asked one after the other.

Each of `READERS` looks at a path and gives a function that reads it, or None.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from napari_synth.datasets.foreign_masks import format_of
from napari_synth.datasets.mask_sources import masks_in

LayerData = tuple[Any, dict[str, Any], str]
Reader = Callable[[Any], list[LayerData]]


def open_path(path: str | list[str]) -> Reader | None:
    """The reader of a file or folder; None where it is nothing of ours, or several files to be stacked."""
    if not isinstance(path, str):
        return None
    return next((reader for ask in READERS if (reader := ask(Path(path))) is not None), None)


def masks(path: Path) -> Reader | None:
    """The reader of the masks of other programs."""
    return read_masks if format_of(path) is not None else None


def read_masks(path: str) -> list[LayerData]:
    """A Labels layer for each mask; of a folder with many, the first ones."""
    from napari.utils.notifications import show_info

    from napari_synth.ui.napari_bridge.mask_files import MOST_LAYERS, layer_data

    found = masks_in(path)
    if len(found) > MOST_LAYERS:
        show_info(f"The first {MOST_LAYERS} of {len(found)} masks in {Path(path).name} were opened.")
    return [layer_data(mask, Path(path)) for mask in found[:MOST_LAYERS]]


READERS: tuple[Callable[[Path], Reader | None], ...] = (masks,)
"""In the order in which a path is asked."""
