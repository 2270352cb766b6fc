"""The clipboard."""

from __future__ import annotations

from qtpy.QtGui import QGuiApplication


def copy_text(text: str) -> None:
    """Put a text into the clipboard."""
    QGuiApplication.clipboard().setText(text)
