"""Files and folders that are dropped on a widget."""

from __future__ import annotations

from collections.abc import Callable

from qtpy.QtGui import QDragEnterEvent, QDropEvent


def accept_files(event: QDragEnterEvent | None) -> None:
    """Say that files may be dropped."""
    if event is not None and event.mimeData().hasUrls():
        event.acceptProposedAction()


def take_files(event: QDropEvent | None, take: Callable[[list[str]], object]) -> None:
    """Hand over the paths of what was dropped, if there are any."""
    paths = [] if event is None else [url.toLocalFile() for url in event.mimeData().urls() if url.isLocalFile()]
    if paths and event is not None:
        event.acceptProposedAction()
        take(paths)
