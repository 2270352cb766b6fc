"""A question before the user closes the window."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from qtpy.QtCore import QEvent, QObject

from napari_synth.ui.napari_bridge.window import window_of

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from qtpy.QtWidgets import QMainWindow


class _Asking(QObject):
    """Lives as long as the window."""

    def __init__(self, window: QMainWindow, may_close: Callable[[], bool]):
        super().__init__(window)
        self._may_close = may_close
        window.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Ask where the user closes the window itself; a program that closes it is not asked."""
        if event.type() == QEvent.Type.Close and event.spontaneous() and not self._may_close():
            event.ignore()
            return True
        return False


def ask_before_close(viewer: ViewerModel, may_close: Callable[[], bool]) -> None:
    """Let ``may_close`` decide whether the user closes the window; nothing where there is none yet.

    It must not keep the viewer alive.
    """
    window = window_of(viewer)
    if window is not None:
        _Asking(window, may_close)
