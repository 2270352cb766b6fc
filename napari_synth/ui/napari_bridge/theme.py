"""The colours of napari's theme, and following it."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from qtpy.QtWidgets import QWidget

AS_NAPARI = "as napari"


def theme_colours(viewer: ViewerModel, wanted: str = AS_NAPARI) -> tuple[str, str]:
    """Text and background colour of a theme of napari, that of the viewer if no other is wanted, as ``#rrggbb``."""
    from napari.utils.theme import get_theme

    theme = get_theme(viewer.theme if wanted == AS_NAPARI else wanted)
    return theme.text.as_hex("long"), theme.background.as_hex("long")


def follow_theme(viewer: ViewerModel, widget: QWidget, show: Callable[[], object]) -> None:
    """Call the bound method ``show`` of a widget now and at each change of the theme, while the widget lives."""
    viewer.events.theme.connect(show)
    widget.destroyed.connect(partial(_leave, weakref.ref(viewer), weakref.WeakMethod(show)))
    show()


def _leave(viewer: weakref.ref[ViewerModel], show: weakref.WeakMethod[Callable[[], object]], *_: object) -> None:
    alive, method = viewer(), show()
    if alive is not None and method is not None:
        alive.events.theme.disconnect(method)
