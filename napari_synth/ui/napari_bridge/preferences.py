"""napari's Preferences page of the plugin, with its defaults where there is none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from napari_synth.ui.napari_bridge.window import PLUGIN


@dataclass(frozen=True)
class LivePreferences:
    """How the image follows the brush, and how often masks are kept.

    napari asks for them, with these words and bounds, as napari.yaml has them.

    Attributes
    ----------
    budget_ms : int
        Time from a stroke to its pixels.
    memory_gb : float
        What may be kept of a mask that is followed.
    autosave_seconds : int
        Time between two autosaves; 0: none.
    """

    budget_ms: Annotated[
        int,
        Field(
            title="Budget (ms)",
            description="Time from a brush stroke to its pixels; missed three times, the image waits for the end of "
            "the stroke.",
            ge=20,
            le=5000,
        ),
    ] = 100
    memory_gb: Annotated[
        float,
        Field(
            title="Memory (GB)",
            description="What may be kept of a mask that the image follows; a larger mask is rendered whole.",
            ge=0.1,
            le=256,
        ),
    ] = 4.0
    autosave_seconds: Annotated[
        int,
        Field(
            title="Autosave (s)",
            description="At most this often, changed masks are kept against a crash; 0 keeps none.",
            ge=0,
            le=3600,
        ),
    ] = 30

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
