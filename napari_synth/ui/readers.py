"""What File ▸ Open and drag and drop make of files: readers of napari, asked one after the other.

Each of `READERS` looks at a path and gives a function that reads it, or None.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from napari_synth.datasets.foreign_masks import format_of
from napari_synth.datasets.listing import image_files
from napari_synth.datasets.mask_sources import mask_series

LayerData = tuple[Any, dict[str, Any], str]
Reader = Callable[[Any], list[LayerData]]
NOTHING: list[Any] = [(None,)]
"""What napari is given where the program adds layers itself."""


def open_path(path: str | list[str]) -> Reader | None:
    """The reader of a file or folder; None where it is nothing of ours, or several files to be stacked."""
    if not isinstance(path, str):
        return None
    return next((reader for ask in READERS if (reader := ask(Path(path))) is not None), None)


def masks(path: Path) -> Reader | None:
    """The reader of the masks of other programs, and of folders of image files."""
    folder = path.is_dir() and (image_files(path) or (path / "masks").is_dir())
    return read_masks if folder or format_of(path) is not None else None


def read_masks(path: str) -> list[LayerData]:
    """A Labels layer for each mask; of many the first, and *From my data* goes through the others.

    Where no window is open, of many the first ones.
    """
    import napari
    from napari.utils.notifications import show_info

    from napari_synth.ui.napari_bridge.mask_files import MOST_LAYERS, layer_data

    series = mask_series(path)
    if len(series) <= MOST_LAYERS:
        return [layer_data(series.read(index), Path(path)) for index in range(len(series))]
    viewer = napari.current_viewer()
    if viewer is None:
        show_info(f"The first {MOST_LAYERS} of {len(series)} masks in {Path(path).name} were opened.")
        return [layer_data(series.read(index), Path(path)) for index in range(MOST_LAYERS)]

    from napari_synth.ui.docks.masks.actions import MaskActions
    from napari_synth.ui.napari_bridge.window import open_column
    from napari_synth.ui.session import session_for

    session_for(viewer).actions(MaskActions).opening.open([path])
    open_column(viewer)
    return NOTHING


def recipes(path: Path) -> Reader | None:
    """The reader of recipes, and of folders of exported pairs."""
    from napari_synth.exporting.exported import recipe_file

    return replay if recipe_file(path) is not None else None


def replay(path: str) -> list[LayerData]:
    """Bring back what a recipe describes, in the viewer that it was dropped on; napari itself adds nothing."""
    import napari

    from napari_synth.core.errors import WorkError
    from napari_synth.ui.docks.synthesize.actions import SynthesizeActions
    from napari_synth.ui.napari_bridge.window import open_column
    from napari_synth.ui.session import session_for

    viewer = napari.current_viewer()
    if viewer is None:
        raise WorkError(
            "There is no window to bring the recipe back in.", "Open napari-synth, and drop the recipe on it."
        )
    session_for(viewer).actions(SynthesizeActions).replaying.replay(path)
    open_column(viewer)
    return NOTHING


READERS: tuple[Callable[[Path], Reader | None], ...] = (recipes, masks)
"""In the order in which a path is asked."""
