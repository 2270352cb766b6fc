"""Bytes and seconds as people say them."""

from __future__ import annotations


def size_text(size: float) -> str:
    """Bytes in the unit that suits."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"


def moment_text(seconds: float) -> str:
    """A short time that somebody waited for."""
    return f"{1000 * seconds:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"


def duration_text(seconds: float) -> str:
    """Seconds in the unit that suits."""
    if seconds < 90:
        return f"{max(seconds, 1):.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
