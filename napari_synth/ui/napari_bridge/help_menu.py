"""Entries of napari's Help menu."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from qtpy.QtWidgets import QMenu

if TYPE_CHECKING:
    from napari.components import ViewerModel

TITLE = "napari-synth"


class HelpEntries:
    """A submenu of the Help menu of a viewer's window, until it is removed; nothing where there is no window.

    Parameters
    ----------
    viewer : ViewerModel
    calls : mapping of str to callable
        By what the entry says.
    """

    def __init__(self, viewer: ViewerModel, calls: Mapping[str, Callable[[], object]]):
        window: Any = getattr(viewer, "window", None)
        self._menu: QMenu | None = None
        if window is None:
            return
        self._menu = QMenu(TITLE, window.help_menu)
        for title, call in calls.items():
            self._menu.addAction(title, call)
        window.help_menu.addMenu(self._menu)

    def remove(self) -> None:
        """Take them away."""
        menu, self._menu = self._menu, None
        if menu is not None:
            with suppress(RuntimeError):  # Qt deleted it with the window
                menu.menuAction().setVisible(False)
                menu.deleteLater()
