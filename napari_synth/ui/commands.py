"""Commands of napari's menus and palette."""

from __future__ import annotations

import napari

from napari_synth.ui.docks.masks.actions import MaskActions
from napari_synth.ui.session import session_for


def new_mask(viewer: napari.viewer.Viewer) -> None:
    """Add an empty mask of 256×256 pixels, ready to paint."""
    session_for(viewer).actions(MaskActions).new_mask(256, 256)
