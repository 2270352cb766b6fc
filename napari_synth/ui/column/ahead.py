"""What tabs draw their curves with is loaded before one is opened, so that the first click does not wait for it."""

from __future__ import annotations

from importlib import import_module
from threading import Thread

from qtpy.QtCore import QTimer

CURVES = "pyqtgraph"
AHEAD_MS = 1000
"""So long after the column was made; it is seen by then."""


def load_ahead() -> None:
    """Begin soon, beside the window's own work."""
    QTimer.singleShot(AHEAD_MS, Thread(target=import_module, args=(CURVES,), name="napari-synth-ahead").start)
