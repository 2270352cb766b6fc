"""Whether a window can be opened."""

from __future__ import annotations

import os
import sys


def has_display() -> bool:
    """False on Linux without an X or Wayland display; True elsewhere."""
    if not sys.platform.startswith("linux"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
