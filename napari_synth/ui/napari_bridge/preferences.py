"""napari's Preferences page of the plugin, with its defaults where there is none."""

from __future__ import annotations

from dataclasses import dataclass

from napari_synth.ui.napari_bridge.window import PLUGIN


@dataclass(frozen=True)
class LivePreferences:
    """How the image follows the brush, and how often masks are kept.

    Attributes
    ----------
    budget_ms : int
        Time from a stroke to its pixels.
    memory_gb : float
        What may be kept of a mask that is followed.
    autosave_seconds : int
        Time between two autosaves; 0: none.
    """

    budget_ms: int = 100
    memory_gb: float = 4.0
    autosave_seconds: int = 30

    @property
    def memory_bytes(self) -> int:
        return int(self.memory_gb * 2**30)


def live_preferences() -> LivePreferences:
    """The page as it is now."""
    from napari.settings import get_plugin_settings

    try:
        page = get_plugin_settings(PLUGIN).live
        return LivePreferences(int(page.budget_ms), float(page.memory_gb), int(page.autosave_seconds))
    except (AttributeError, KeyError, LookupError, ValueError):  # the plugin is not registered with napari
        return LivePreferences()
