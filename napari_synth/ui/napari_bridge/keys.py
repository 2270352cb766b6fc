"""Keys of the window, as long as they are wanted, and never over one that somebody else has bound."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from napari.utils.shortcuts import default_shortcuts
from qtpy.QtGui import QKeySequence
from qtpy.QtWidgets import QShortcut

if TYPE_CHECKING:
    from napari.components import ViewerModel

NAPARI_NAMES = {"Ctrl": "Control", "Return": "Enter"}
"""What Qt calls a key, and what napari calls it."""


class Keys:
    """Binds keys in a viewer until they are released.

    Letters are keys of the canvas, where napari's own are, and reach it from the panels too. Signs such as ``?`` lie
    elsewhere on each keyboard; they are keys of the window.

    Parameters
    ----------
    viewer : ViewerModel
    calls : mapping of str to callable
        By the shortcut as Qt writes it.
    """

    def __init__(self, viewer: ViewerModel, calls: Mapping[str, Callable[[], object]]):
        self._viewer = weakref.ref(viewer)
        self._bound: list[str] = []
        self._shortcuts: list[QShortcut] = []
        window: Any = getattr(viewer, "window", None)
        for shortcut, call in calls.items():
            if shortcut.isascii() and shortcut[-1].isalnum():
                self._bind(viewer, napari_key(shortcut), call)
            elif window is not None:
                made = QShortcut(QKeySequence(shortcut), window._qt_window)
                made.activated.connect(call)
                self._shortcuts.append(made)

    def _bind(self, viewer: ViewerModel, key: str, call: Callable[[], object]) -> None:
        try:
            viewer.bind_key(key, _named(call))
        except ValueError:  # the user has bound it
            return
        self._bound.append(key)

    def release(self) -> None:
        """Give them all back."""
        viewer = self._viewer()
        if viewer is not None:
            for key in self._bound:
                viewer.bind_key(key, None)
        for shortcut in self._shortcuts:
            with suppress(RuntimeError):  # Qt deleted it with the window
                shortcut.setEnabled(False)
                shortcut.deleteLater()
        self._bound, self._shortcuts = [], []


def napari_key(shortcut: str) -> str:
    """A shortcut as napari writes it."""
    return "-".join(NAPARI_NAMES.get(part, part) for part in shortcut.split("+"))


def taken_keys() -> set[str]:
    """What napari binds itself, for a viewer or for any kind of layer, as Qt writes it."""
    return {str(key) for keys in default_shortcuts.values() for key in keys}


def key_words(shortcut: str) -> str:
    """A shortcut as this system's menus write it."""
    return str(QKeySequence(shortcut).toString(QKeySequence.SequenceFormat.NativeText))


def _named(call: Callable[[], object]) -> Callable[[ViewerModel], None]:
    """A function, since napari asks whatever is bound for its name at every press of a key."""

    def press(viewer: ViewerModel) -> None:
        call()

    return press
